"""The functions of the pages: HTTP routes for the owner. Visitors read the published files."""

from __future__ import annotations

from typing import TYPE_CHECKING

from functions import bootstrap, bootstrap_studio
from functions.platform.errors import Conflict
from functions.platform.triggers import OWNER, SliceApp

if TYPE_CHECKING:
    from functions.pages.schemas import OwnerPage, OwnerPages, PageEdit, PageId, RemovalQuery

app = SliceApp(bootstrap, "functions.pages.schemas")

LARGEST_PAGE_KB = 512


@app.get("pages", caller=OWNER)
def list_pages() -> OwnerPages:
    """Return the pages whose texts the owner writes: help, contact, terms, privacy and imprint."""
    from functions.pages.schemas import OwnerPage, OwnerPages

    return OwnerPages(tuple(OwnerPage.of(name, text) for name, text in bootstrap_studio.pages().list_all()))


@app.put("pages/{id}", caller=OWNER, raises=[Conflict], largest_body_kb=LARGEST_PAGE_KB)
def publish_page(id: PageId, body: PageEdit, owner: str) -> OwnerPage:
    """Publish the text of a page; 409 if the page has changed since it was opened for editing."""
    from functions.pages.model import PageName
    from functions.pages.schemas import OwnerPage

    name = PageName(id)
    return OwnerPage.of(name, bootstrap_studio.pages().publish(name, body.markdown, over=body.version, by=owner))


@app.delete("pages/{id}", caller=OWNER, raises=[Conflict])
def take_down_page(id: PageId, query: RemovalQuery, owner: str) -> None:
    """Remove a page from the site; 409 if it has changed since its version was read."""
    from functions.pages.model import PageName

    bootstrap_studio.pages().take_down(PageName(id), over=query.version, by=owner)
