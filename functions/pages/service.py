"""Writing the pages: what an owner saves is published at once, as static files that browsers read without the API."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from functions.pages.model import PageName
from functions.platform.errors import Conflict, Malformed

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from functions.pages.model import OwnerText
    from functions.pages.ports import PageStore

log = logging.getLogger(__name__)

CHANGED = "This page was changed in the meantime, perhaps in another window. Copy your text, reload, and save it again."
CHANGED_BEFORE_REMOVAL = (
    "This page was changed in the meantime, perhaps in another window. Reload, and read its text before you remove it."
)


class PageService:
    """The pages of the site; every method raises StoreUnavailable."""

    def __init__(self, store: PageStore, now: Callable[[], datetime]) -> None:
        self._store = store
        self._now = now

    def list_all(self) -> list[tuple[PageName, OwnerText | None]]:
        """Return every page and its text, None for a page that is not published."""
        return [(name, self._store.find(name)) for name in PageName]

    def publish(self, name: PageName, markdown: str, *, over: str | None, by: str) -> OwnerText:
        """Publish a text in place of the version `over` (None: the page is not published yet); return the text.

        A repeated call changes nothing and completes a call that was interrupted. Raises Conflict if the page has
        another version, Malformed if the text is empty.
        """
        if not markdown.strip():
            raise Malformed("`markdown`: Write some text, or remove the page from the site.")
        stored = self._store.find(name)
        if stored is None or stored.markdown != markdown:
            stored = self._store.write(name, markdown, at=self._now(), over=over)
            if stored is None:
                raise Conflict(CHANGED)
            log.warning("The page %s was published by %s.", name, by)
        self._store.write_index()
        return stored

    def take_down(self, name: PageName, *, over: str | None, by: str) -> None:
        """Delete the version `over` of a page and its link in the footer; idempotent.

        Raises Conflict if the page has another version. A page that is not published has none.
        """
        if not self._store.remove(name, over=over):
            raise Conflict(CHANGED_BEFORE_REMOVAL)
        self._store.write_index()
        log.warning("The page %s was taken down by %s.", name, by)
