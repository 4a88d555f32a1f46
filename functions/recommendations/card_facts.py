"""The facts of a card as properties of a title's node, so that a shelf needs no other store.

They are plain values, and the node records their format. Facts in another format are not used: the card is read from
the catalogue instead, and a rebuild becomes due, which replaces the facts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, get_args

from functions.catalogue.model import Artwork, Status
from functions.catalogue.schemas import Card, TitleKind

if TYPE_CHECKING:
    from collections.abc import Mapping

FACTS_FORMAT = 1
"""The version of the format; increase it whenever `facts_of` or the fields of `Card` change."""

_PROPERTIES = ("name", "year", "kind", "rated", "runtime_min", "genre_names", "plot", "status")
_PICTURES = ("poster", "card", "backdrop")


def columns(node: str) -> str:
    """Return the part of a RETURN clause that reads the facts of a node."""
    names = ("id", "facts_format", *_PROPERTIES, *(f"{name}_picture" for name in _PICTURES))
    return ", ".join(f"{node}.{name} AS {name}" for name in names)


def facts_of(card: Card | None) -> dict[str, Any]:
    """Return the properties to store for a card; for None, values that clear the properties of a previous card."""
    if card is None:
        return {**dict.fromkeys(_PROPERTIES), **{f"{name}_picture": None for name in _PICTURES}, "facts_format": 0}
    values = {name: getattr(card, name) for name in _PROPERTIES if name not in ("genre_names", "status")}
    pictures = {f"{name}_picture": getattr(card.artwork, name) for name in _PICTURES}
    given = {"genre_names": list(card.genres), "status": card.status.value, "facts_format": FACTS_FORMAT}
    return {**values, **pictures, **given}


def card_of(row: Mapping[str, Any]) -> Card | None:
    """Return the card in a row that was read with `columns`, or None if its facts have another format."""
    if row["facts_format"] != FACTS_FORMAT or row["kind"] not in get_args(TitleKind):
        return None
    return Card(
        id=row["id"],
        name=row["name"],
        year=row["year"],
        kind=row["kind"],
        rated=row["rated"],
        runtime_min=row["runtime_min"],
        genres=tuple(row["genre_names"] or ()),
        plot=row["plot"],
        status=Status(row["status"]),
        artwork=Artwork(*(row[f"{name}_picture"] for name in _PICTURES)),
    )
