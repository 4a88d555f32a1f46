"""The owner's pages in real blob storage: the published files are what browsers read."""

from __future__ import annotations

import threading
import uuid
from typing import TYPE_CHECKING

import msgspec
import pytest
from azure.storage.blob import ContainerClient

from functions.pages.documents import PageIndex, PublishedPage
from functions.pages.markup import PageElement
from functions.pages.model import PageName
from functions.pages.repository import INDEX, BlobPages
from functions.pages.service import PageService
from tests.support.clock import NOON
from tests.support.page_contract import PageContract
from web.publish import publish

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.integration.conftest import Stack


@pytest.fixture
def container(stack: Stack) -> Iterator[ContainerClient]:
    """Create a container of its own."""
    made = ContainerClient.from_connection_string(stack.settings.storage, f"pages-{uuid.uuid4().hex[:12]}")
    made.create_container()
    with made:
        yield made
        made.delete_container()


class TestBlobPages(PageContract):
    """The real store."""

    @pytest.fixture
    def store(self, container: ContainerClient) -> BlobPages:
        return BlobPages(container)


def index_of(container: ContainerClient) -> tuple[str, ...]:
    return msgspec.json.decode(container.download_blob(INDEX).readall(), type=PageIndex).pages


def test_the_file_holds_the_text_as_it_is_shown(container: ContainerClient) -> None:
    PageService(BlobPages(container), lambda: NOON).publish(PageName.TERMS, "# Übersicht", over=None, by="a")
    blob = container.download_blob("pages/terms.json")
    page = msgspec.json.decode(blob.readall(), type=PublishedPage)
    assert page == PublishedPage(NOON, "# Übersicht", (PageElement("h2", ("Übersicht",)),))
    settings = blob.properties.content_settings
    assert (settings.content_type, settings.cache_control) == ("application/json", "no-cache")


def test_the_footer_lists_all_pages_however_they_are_published(container: ContainerClient) -> None:
    """Pages published at the same moment are all in the index, although each publication writes the whole index."""
    pages = PageService(BlobPages(container), lambda: NOON)
    start = threading.Barrier(len(PageName))

    def write(name: PageName) -> None:
        start.wait(30)
        pages.publish(name, f"About {name}", over=None, by="a")

    threads = [threading.Thread(target=write, args=(name,)) for name in PageName]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert index_of(container) == tuple(name.value for name in PageName)
    contact = dict(pages.list_all())[PageName.CONTACT]
    assert contact
    pages.take_down(PageName.CONTACT, over=contact.version, by="a")
    assert "contact" not in index_of(container)


def test_a_new_version_of_the_site_keeps_the_pages(container: ContainerClient, tmp_path: Path) -> None:
    (tmp_path / "pages").mkdir()
    (tmp_path / INDEX).write_text('{"pages":[]}', encoding="utf-8")
    assert publish(tmp_path, container, now=NOON) == 1
    assert index_of(container) == ()
    PageService(BlobPages(container), lambda: NOON).publish(PageName.TERMS, "# Terms", over=None, by="a")
    assert publish(tmp_path, container, now=NOON) == 0
    assert index_of(container) == ("terms",)
