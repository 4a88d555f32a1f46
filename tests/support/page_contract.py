"""The tests that every store of the owner's pages must pass, in memory or real."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from functions.pages.model import OwnerText, PageName
from functions.pages.service import PageService
from functions.platform.errors import Conflict, Malformed
from tests.support.clock import NOON

if TYPE_CHECKING:
    from datetime import datetime

    from functions.pages.ports import PageStore


class MemoryPages:
    """The pages in memory; `index` is what the footer reads."""

    def __init__(self) -> None:
        self.texts: dict[PageName, OwnerText] = {}
        self.index: tuple[str, ...] | None = None
        self._writes = 0

    def find(self, name: PageName) -> OwnerText | None:
        return self.texts.get(name)

    def write(self, name: PageName, markdown: str, *, at: datetime, over: str | None) -> OwnerText | None:
        stored = self.texts.get(name)
        if (stored.version if stored else None) != over:
            return None
        self._writes += 1
        self.texts[name] = OwnerText(name, markdown, at, f"v{self._writes}")
        return self.texts[name]

    def remove(self, name: PageName, *, over: str | None) -> bool:
        stored = self.texts.get(name)
        if stored is not None and stored.version == over:
            del self.texts[name]
        return name not in self.texts

    def write_index(self) -> None:
        self.index = tuple(name.value for name in PageName if name in self.texts)


class PageContract:
    """The tests; a subclass supplies the fixture `store`, which is empty at first."""

    def test_a_page_is_published_changed_and_taken_down(self, store: PageStore) -> None:
        pages = PageService(store, lambda: NOON)
        assert [text for _, text in pages.list_all()] == [None] * 5
        first = pages.publish(PageName.TERMS, "# One", over=None, by="a")
        assert store.find(PageName.TERMS) == first
        second = pages.publish(PageName.TERMS, "# Two", over=first.version, by="a")
        assert second.version != first.version
        assert dict(pages.list_all())[PageName.TERMS] == second
        pages.take_down(PageName.TERMS, over=second.version, by="a")
        for version in (second.version, None):
            pages.take_down(PageName.TERMS, over=version, by="a")
        assert store.find(PageName.TERMS) is None
        assert pages.publish(PageName.TERMS, "# Three", over=None, by="a").markdown == "# Three"

    def test_a_change_of_another_window_is_not_overwritten(self, store: PageStore) -> None:
        pages = PageService(store, lambda: NOON)
        first = pages.publish(PageName.HELP, "one", over=None, by="a")
        pages.publish(PageName.HELP, "two", over=first.version, by="b")
        for version in (first.version, None):
            with pytest.raises(Conflict):
                pages.publish(PageName.HELP, "three", over=version, by="a")
        current = store.find(PageName.HELP)
        assert current
        pages.take_down(PageName.HELP, over=current.version, by="b")
        with pytest.raises(Conflict):
            pages.publish(PageName.HELP, "three", over=first.version, by="a")
        assert store.find(PageName.HELP) is None

    def test_a_text_of_another_window_is_not_taken_down(self, store: PageStore) -> None:
        pages = PageService(store, lambda: NOON)
        first = pages.publish(PageName.HELP, "one", over=None, by="a")
        second = pages.publish(PageName.HELP, "two", over=first.version, by="b")
        for version in (first.version, None):
            with pytest.raises(Conflict):
                pages.take_down(PageName.HELP, over=version, by="a")
        assert store.find(PageName.HELP) == second
        pages.take_down(PageName.HELP, over=second.version, by="b")
        third = pages.publish(PageName.HELP, "two", over=None, by="b")
        with pytest.raises(Conflict):
            pages.take_down(PageName.HELP, over=second.version, by="a")
        assert store.find(PageName.HELP) == third

    def test_a_repeated_call_changes_nothing(self, store: PageStore) -> None:
        pages = PageService(store, lambda: NOON)
        first = pages.publish(PageName.HELP, "one", over=None, by="a")
        assert pages.publish(PageName.HELP, "one", over=None, by="a") == first

    def test_an_empty_text_is_refused(self, store: PageStore) -> None:
        with pytest.raises(Malformed):
            PageService(store, lambda: NOON).publish(PageName.HELP, " \n", over=None, by="a")
