"""The interface that pages need: the published files."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from datetime import datetime

    from functions.pages.model import OwnerText, PageName


class PageStore(Protocol):
    """The published pages; every method raises StoreUnavailable."""

    def find(self, name: PageName) -> OwnerText | None:
        """Return the text of a page; None if it is not published."""

    def write(self, name: PageName, markdown: str, *, at: datetime, over: str | None) -> OwnerText | None:
        """Publish a text if the page's version is `over` (None: the page is not published); otherwise return None."""

    def remove(self, name: PageName, *, over: str | None) -> bool:
        """Delete a page if its version is `over`; return whether it is not published any more. Idempotent."""

    def write_index(self) -> None:
        """Publish the list of the published pages, which the footer reads."""
