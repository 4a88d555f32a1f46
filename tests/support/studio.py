"""The Studio of a running product: its administrator, its page, and the stored data."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import requests

from tests.support.pages import DESKTOP, opened
from tests.support.uploads import Storefront
from tests.support.viewers import TIMEOUT_S

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, Locator, Page

    from tests.support.product import Product
    from tests.support.viewers import SomeViewer


@dataclass(frozen=True, slots=True)
class Studio:
    """A running product, its administrator, and a browser."""

    product: Product
    administrator: SomeViewer
    browser: Browser

    @property
    def address(self) -> str:
        """Return the address of the page."""
        return f"{self.product.endpoints['site']}/studio.html"

    def stored(self, blob: str) -> bytes | None:
        """Return the content of a blob in `uploads`, or None if it does not exist."""
        storefront = Storefront(self.product.endpoints)
        try:
            return storefront.content_of(blob)
        finally:
            storefront.close()

    def titles(self, words: str) -> list[dict[str, Any]]:
        """Return the titles that a public search for these words finds."""
        answer = requests.get(f"{self.product.endpoints['api']}/api/titles?q={words}", timeout=TIMEOUT_S)
        found: list[dict[str, Any]] = answer.json()["titles"]
        return found

    def is_over(self, job_id: str) -> bool:
        """Return whether an encode has ended."""
        return self.administrator.ask("GET", f"jobs/{job_id}").json()["status"] in ("ready", "failed")

    @contextmanager
    def at(self, tab: str = "films", size: tuple[int, int] = DESKTOP) -> Iterator[tuple[Page, list[str]]]:
        """Open a tab as the administrator; yield the page and the list of errors on it."""
        with opened(self.browser, f"{self.address}#{tab}", size, viewer=self.administrator) as (page, wrong):
            page.get_by_role("tab", name=tab.capitalize(), exact=True, selected=True).wait_for()
            yield page, wrong


def entry(page: Page, section: str, name: str) -> Locator:
    """Return the newest entry with this name in a section."""
    return page.get_by_role("list", name=section).get_by_role("listitem").filter(has_text=name).first
