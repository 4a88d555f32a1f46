"""Search normalizes the viewer's input, and removes everything that a store could interpret as an operator."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.catalogue.model import Details
from functions.catalogue.search import (
    fold,
    genre_key,
    read_search,
    tokens_of,
    words,
)
from functions.platform.errors import Malformed
from tests.support.catalogue import World, make_title


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("Amélie", "amelie"),
        ("STRASSE Straße", "strasse strasse"),
        ("Łódź", "lodz"),
        ("Æon Flux", "aeon flux"),
        ("İstanbul", "istanbul"),
    ],
)
def test_case_and_diacritics_do_not_matter(text: str, folded: str) -> None:
    assert fold(text) == folded


def test_an_apostrophe_joins_and_other_signs_part() -> None:
    assert words("Schindler's Spider-Man: No_Way (2021)") == ["schindlers", "spider", "man", "no", "way", "2021"]
    assert words("七人の侍") == ["七人の侍"]


def test_a_title_is_found_by_name_people_and_genres() -> None:
    details = Details("Sintel", genres=("Sci-Fi",), actors=("Halina Reijn",), directors=("Colin Levy",))
    assert tokens_of(details) == ("colin", "fi", "halina", "levy", "reijn", "sci", "sintel")


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", {"a", "b"}),
        ("big", {"a"}),
        ("BIG bu", {"a"}),
        ("bu", {"a", "b"}),
        ("bunny big", {"a"}),
        ("bu big", set()),
        ("butter fly", set()),
        ("ann ash", {"b"}),
    ],
)
def test_every_word_must_be_there_and_the_last_may_be_unfinished(query: str, found: set[str]) -> None:
    world = World().with_titles(
        [make_title("a", name="Big Buck Bunny"), make_title("b", name="Butterflies", actors=("Ann Ash",))]
    )
    assert {title.id for title in world.catalogue.list_titles(query).entries} == found


def test_genres_are_the_same_however_they_are_written() -> None:
    assert genre_key("Sci-Fi") == genre_key(" sci fi ")


@pytest.mark.parametrize("text", ['{"$ne": 1}', "$where", "[$gt]=", ".*", "^b", "a|b", "\x00b", "{$regex: /b/}"])
def test_an_operator_is_plain_text(text: str) -> None:
    search = read_search(text, "") if words(text) else None
    if search:
        assert all(word.isalnum() for word in (*search.whole, search.beginning))


@pytest.mark.parametrize(("query", "genre"), [("$", ""), ("", "{}"), ("x" * 201, ""), ("", "x" * 201), ("...", "")])
def test_what_holds_no_word_or_is_too_long_is_malformed(query: str, genre: str) -> None:
    with pytest.raises(Malformed):
        read_search(query, genre)


@given(st.text(max_size=200))
def test_no_typed_text_breaks_the_search(text: str) -> None:
    try:
        search = read_search(text, text)
    except Malformed:
        return
    assert all(word.isalnum() for word in (*search.whole, *search.beginning))


@pytest.mark.parametrize(
    "cursor",
    [
        "x",
        "{}",
        '{"$gt":""}',
        "eyIkZ3QiOiAiIn0",
        "=",
        "é",
        "A" * 5000,
        "MjAyNg",
        "\n",
        "9999-12-31T23:59:59-14:00",
        "0001-01-01T00:00:00+14:00",
    ],
)
def test_a_cursor_that_no_page_returned_is_malformed(cursor: str) -> None:
    with pytest.raises(Malformed):
        World().catalogue.list_titles(cursor=cursor)


@given(st.text(max_size=80))
def test_no_cursor_breaks_the_list(cursor: str) -> None:
    try:
        World().catalogue.list_titles(cursor=cursor)
    except Malformed:
        return
    assert cursor == ""
