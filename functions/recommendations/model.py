"""The terms of recommendations: the graph's data about titles and viewers, and shelves of picks with reasons.

The graph is a copy that can be rebuilt at any time: titles come from the catalogue, views and ratings from usage. For
a title it stores what queries and cards need, as plain values; for a viewer it stores only the id.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from functions.catalogue.schemas import Card

SHELF_LENGTH = 24
MORE_LENGTH = 12
RECENT = 12
"""How many recently watched titles determine the recommendations.

With DECAY, all older titles together would have only 7 % of the total weight.
"""

DECAY = 0.8
"""The weight of a title in a viewer's history, relative to the weight of the title that was watched next."""

DISLIKED = 0.6
"""The factor for a title that the viewer rated down: not 0, because the title still shows what kind of title they
watch."""


class Role(StrEnum):
    """The role of a person in a title; each role is a relationship type in the graph."""

    DIRECTED = "DIRECTED"
    WROTE = "WROTE"
    ACTED_IN = "ACTED_IN"


@dataclass(frozen=True, slots=True, order=True)
class Credit:
    """A person in a role; people are distinguished by their folded name, `key`."""

    role: Role
    key: str
    name: str


@dataclass(frozen=True, slots=True)
class GraphTitle:
    """A title as the graph stores it; a title that is not listed has no description."""

    id: str
    revision: int
    listed: bool = False
    watchable: bool = False
    card: Card | None = None
    added: str = ""
    genres: tuple[tuple[str, str], ...] = ()
    credits: tuple[Credit, ...] = ()


@dataclass(frozen=True, slots=True)
class Viewing:
    """A record that a viewer watched at least half of a title: how far they got, and when they last watched it."""

    title_id: str
    progress: float
    at: datetime


@dataclass(frozen=True, slots=True)
class Opinion:
    """A viewer's rating: 1 up, -1 down, 0 removed."""

    title_id: str
    rating: int
    at: datetime


@dataclass(frozen=True, slots=True)
class ViewerHistory:
    """Everything that the graph stores about one viewer."""

    id: str
    viewings: tuple[Viewing, ...] = ()
    opinions: tuple[Opinion, ...] = ()


@dataclass(frozen=True, slots=True)
class Watched:
    """A title in a viewer's history, with the fields that the ranking needs."""

    id: str
    name: str
    listed: bool
    rating: int = 0


class ReasonKind(StrEnum):
    """Why a title is recommended."""

    WATCHED_NEXT = "watched_next"
    DIRECTED = "directed"
    WROTE = "wrote"
    ACTED_IN = "acted_in"
    GENRE = "genre"
    POPULAR = "popular"
    RATED = "rated"
    NEW = "new"


@dataclass(frozen=True, slots=True)
class Reason:
    """The reason for which a title is recommended: the kind is for programs, the text is for people."""

    kind: ReasonKind
    words: str


@dataclass(frozen=True, slots=True)
class Candidate:
    """A title that the graph recommends, and the reason; `card` is None if its facts have an old format."""

    id: str
    reason: Reason
    card: Card | None = None


@dataclass(frozen=True, slots=True)
class Pick:
    """The card of a recommended title, and the reason."""

    card: Card
    reason: Reason

    @property
    def id(self) -> str:
        """Return the title's id."""
        return self.card.id


@dataclass(frozen=True, slots=True)
class Shelf:
    """A heading and the picks below it; `reason` is a sentence that explains why the shelf is shown."""

    id: str
    heading: str
    reason: str
    picks: tuple[Pick, ...] = field(repr=False)
