"""The owner's pages: only owners publish them, and only over the version that they have edited."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from functions import bootstrap, bootstrap_studio
from functions.pages import triggers
from functions.pages.model import PageName
from functions.pages.service import PageService
from tests.support.api import call
from tests.support.clock import NOON
from tests.support.owners import AS_ADMINISTRATOR, AS_OPERATOR, AS_VIEWER, FakeAccess
from tests.support.page_contract import MemoryPages, PageContract

if TYPE_CHECKING:
    from functions.pages.ports import PageStore


class TestMemoryPages(PageContract):
    """The store in memory."""

    @pytest.fixture
    def store(self) -> PageStore:
        return MemoryPages()


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> MemoryPages:
    """Serve pages in memory."""
    store = MemoryPages()
    monkeypatch.setattr(bootstrap, "access", FakeAccess)
    monkeypatch.setattr(bootstrap_studio, "pages", lambda: PageService(store, lambda: NOON))
    return store


def index_of(store: MemoryPages) -> list[str]:
    return list(store.index or ())


def put(
    page: str, body: dict[str, object], headers: dict[str, str] = AS_ADMINISTRATOR
) -> tuple[int, dict[str, object]]:
    return call(triggers.publish_page, f"pages/{page}", route={"id": page}, body=body, headers=headers)


def delete(page: str, query: str) -> int:
    address = f"pages/{page}{query}"
    return call(triggers.take_down_page, address, route={"id": page}, headers=AS_ADMINISTRATOR)[0]


def test_a_page_is_edited_through_the_api(served: MemoryPages) -> None:
    _, listed = call(triggers.list_pages, "pages", headers=AS_OPERATOR)
    assert [page["name"] for page in listed["pages"]] == [name.value for name in PageName]
    assert listed["pages"][0] == {"name": "help", "markdown": "", "updated_at": None, "version": None}
    status, page = put("terms", {"markdown": "# Terms", "version": None})
    assert (status, page["updated_at"]) == (200, "2026-11-24T12:00:00Z")
    assert index_of(served) == ["terms"]
    assert put("terms", {"markdown": "other"})[0] == 409
    assert put("terms", {"markdown": "other", "version": page["version"]})[0] == 200
    assert put("nothing", {"markdown": "x"})[0] == 404
    assert put("terms", {"markdown": ""})[0] == put("terms", {"markdown": "x" * 100_001})[0] == 422
    assert put("terms", {"markdown": "x" * (600 << 10)})[0] == 413
    _, listed = call(triggers.list_pages, "pages", headers=AS_OPERATOR)
    current = {page["name"]: page["version"] for page in listed["pages"]}["terms"]
    assert [delete("terms", query) for query in ("", f"?version={page['version']}")] == [409, 409]
    assert index_of(served) == ["terms"]
    assert [delete("terms", query) for query in (f"?version={current}", f"?version={current}", "")] == [204] * 3
    assert index_of(served) == []


@pytest.mark.usefixtures("served")
def test_a_viewer_edits_nothing() -> None:
    assert put("terms", {"markdown": "x"}, AS_VIEWER)[0] == 403
    assert call(triggers.list_pages, "pages", headers=AS_VIEWER)[0] == 403
