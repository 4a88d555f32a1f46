"""Consecutive pages skip no entry, and a cursor is accepted only unchanged."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.platform.errors import Malformed
from functions.platform.pagination import TITLE_POSITION, Page, cursor_after, page_of, position_of, title_position
from tests.support.clock import NOON


def read_pages(entries: list[str], limit: int) -> list[str]:
    """Return the entries on all pages of a list of sorted texts."""
    seen: list[str] = []
    cursor = ""
    while True:
        after = position_of(cursor)
        found = [entry for entry in entries if after is None or entry > after][: limit + 1]
        page = page_of(found, limit=limit, position=str)
        seen += page.entries
        if page.cursor is None:
            return seen
        cursor = page.cursor


@given(st.sets(st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), min_size=1)), st.integers(1, 9))
def test_the_pages_together_are_the_list(entries: set[str], limit: int) -> None:
    assert read_pages(sorted(entries), limit) == sorted(entries)


def test_a_page_that_ends_with_the_list_has_no_cursor() -> None:
    assert page_of(["a", "b"], limit=2, position=str) == Page(("a", "b"), None)
    assert page_of([], limit=2, position=str) == Page((), None)


@pytest.mark.parametrize(
    "cursor", ["!", "a", "ä", "AA\n", cursor_after("a")[:-1] + "*", "gICA", "9999-12-31T23:59:59-14:00"]
)
def test_what_no_page_returned_is_refused(cursor: str) -> None:
    with pytest.raises(Malformed, match="start again without it"):
        position_of(cursor)


@given(st.text())
def test_any_text_is_a_position_or_refused(text: str) -> None:
    try:
        position = position_of(text)
    except Malformed:
        return
    assert position is None or position.isprintable()


def test_cursor_is_read_back() -> None:
    position = title_position(NOON, "film-1a2b3c")
    assert position == "2026-11-24T12:00:00.000Z~film-1a2b3c"
    assert position_of(cursor_after(position), form=TITLE_POSITION) == position


@pytest.mark.parametrize(
    "odd",
    [
        "!",
        "YQ",
        "é",
        cursor_after("2026-11-24T12:00:00.000Z~UPPER"),
        cursor_after('{"$gt":""}'),
        cursor_after("9999-12-31T23:59:59-14:00"),
        "9999-12-31T23:59:59-14:00",
    ],
)
def test_anything_else_is_malformed(odd: str) -> None:
    with pytest.raises(Malformed):
        position_of(odd, form=TITLE_POSITION)
