"""The facts of a card are read from a node exactly as they were written."""

from __future__ import annotations

import pytest

from functions.catalogue.model import Artwork, Status
from functions.catalogue.schemas import Card
from functions.recommendations.card_facts import FACTS_FORMAT, card_of, columns, facts_of
from tests.support.catalogue import make_title

BARE = Card.of(make_title("bare", status=Status.ANNOUNCED))
FULL = Card.of(
    make_title(
        "full",
        name="The Ångström",
        year=1999,
        kind="episode",
        rated="12",
        runtime_min=90,
        genres=("War", "Sci-Fi"),
        plot="Somebody goes.",
        artwork=Artwork("art/p.jpg?v=1", "art/c.jpg?v=2", "art/b.jpg?v=3"),
    )
)


@pytest.mark.parametrize("card", [BARE, FULL])
def test_card_is_read_back(card: Card) -> None:
    assert card_of({"id": card.id, **facts_of(card)}) == card


def test_facts_of_another_format_or_none_give_no_card() -> None:
    facts = {"id": "full", **facts_of(FULL)}
    assert card_of({**facts, "facts_format": FACTS_FORMAT - 1}) is None
    assert card_of({**facts, "facts_format": None}) is None
    assert card_of({"id": "full", **facts_of(None)}) is None


def test_columns_read_every_fact() -> None:
    read = {part.partition(" AS ")[2] for part in columns("t").split(", ")}
    assert read == {"id", *facts_of(FULL)} == {"id", *facts_of(None)}


def test_changed_card_needs_a_higher_format() -> None:
    """If this test fails, adapt `card_facts`, increase FACTS_FORMAT, then enter both new values here."""
    fields = "id name year kind rated runtime_min genres plot status artwork"
    assert (FACTS_FORMAT, Card.__struct_fields__) == (1, tuple(fields.split()))
