"""Creates the services of the pages slice with their dependencies."""

from __future__ import annotations

from typing import TYPE_CHECKING

from functions.pages.repository import BlobPages
from functions.pages.service import PageService

if TYPE_CHECKING:
    from functions.platform.resources import Resources


def assemble(resources: Resources) -> PageService:
    """Return the pages; the connection is opened at its first use."""
    return PageService(BlobPages(resources.interactive_blob_service().get_container_client("$web")), resources.now)
