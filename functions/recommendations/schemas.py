"""The JSON of recommendations and rebuilds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from msgspec import Meta, Struct

from functions.catalogue.schemas import Card
from functions.platform.decoding import convert
from functions.platform.field_types import Time
from functions.recommendations.model import ReasonKind
from functions.recommendations.rebuild import Phase

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Self

    from functions.recommendations.model import Pick, Shelf
    from functions.recommendations.rebuild import RebuildProgress


class PickReason(Struct, frozen=True):
    """Why a title is recommended."""

    kind: ReasonKind
    words: Annotated[str, Meta(description="What a page shows, such as 'Also directed by …'.")]


class RecommendedCard(Card, frozen=True):
    """A card with the reason why it is recommended."""

    reason: PickReason

    @classmethod
    def of_pick(cls, pick: Pick) -> Self:
        """Return the card of a pick."""
        card = pick.card
        values = {name: getattr(card, name) for name in card.__struct_fields__}
        return cls(**values, reason=PickReason(pick.reason.kind, pick.reason.words))


class RecommendedShelf(Struct, frozen=True):
    """A shelf of the home page."""

    id: str
    heading: str
    reason: Annotated[str, Meta(description="A sentence that says why the shelf is shown.")]
    titles: list[RecommendedCard]


class RecommendedHome(Struct, frozen=True):
    """The shelves of a viewer's home page in display order; none of them is empty.

    While the graph is unavailable, they come from the catalogue alone.
    """

    shelves: list[RecommendedShelf]

    @classmethod
    def of(cls, shelves: Iterable[Shelf]) -> Self:
        """Return the public form of shelves."""
        return cls(
            [
                RecommendedShelf(shelf.id, shelf.heading, shelf.reason, list(map(RecommendedCard.of_pick, shelf.picks)))
                for shelf in shelves
            ]
        )


class SimilarTitles(Struct, frozen=True):
    """The titles most similar to a title, at most twelve, most similar first."""

    titles: list[RecommendedCard]


class RebuildStatus(Struct, frozen=True):
    """The progress of a rebuild of the graph."""

    id: str
    phase: Phase
    titles: int
    titles_in_all: int
    viewers: int
    views: int
    steps: int
    started_at: Time
    updated_at: Time
    finished_at: Time | None
    reason: Annotated[str | None, Meta(description="Why it failed.")]

    @classmethod
    def of(cls, progress: RebuildProgress) -> Self:
        """Return the public form of a rebuild."""
        return convert(progress, cls, from_attributes=True)
