"""The site in memory, which unit tests and simulations use, follows the contract of blob storage."""

from __future__ import annotations

import pytest

from tests.support.catalogue import MemorySite
from tests.support.site_contract import SiteContract


class TestMemorySite(SiteContract):
    """The fake follows the contract."""

    @pytest.fixture
    def site(self) -> MemorySite:
        return MemorySite()
