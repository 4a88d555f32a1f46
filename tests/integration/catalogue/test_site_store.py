"""The site in blob storage follows the contract."""

from __future__ import annotations

import pytest

from functions import bootstrap
from functions.catalogue.site import BlobSite
from tests.support.site_contract import SiteContract


@pytest.mark.usefixtures("wired")
class TestBlobSite(SiteContract):
    """The container of the site."""

    @pytest.fixture
    def site(self) -> BlobSite:
        return BlobSite(bootstrap.resources.blob_service().get_container_client("$web"))
