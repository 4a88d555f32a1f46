"""Cursors wrap the positions of their list and nothing else."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.platform.errors import Malformed
from functions.platform.pagination import TITLE_POSITION, Page, cursor_after, page_of, position_of, title_position

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)


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


@given(st.text(max_size=80))
def test_no_text_breaks_the_reading(cursor: str) -> None:
    try:
        position_of(cursor)
    except Malformed:
        return


def test_first_page_has_the_empty_cursor_and_the_last_has_none() -> None:
    assert position_of("") is None
    assert page_of(["a", "b"], limit=2, position=str) == Page(("a", "b"), None)
    assert page_of(["a", "b", "c"], limit=2, position=str) == Page(("a", "b"), cursor_after("b"))
    assert page_of([], limit=2, position=str) == Page((), None)
