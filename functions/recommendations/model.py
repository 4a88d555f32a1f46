"""The words of recommendations: what the graph holds of a title and of a viewer, and shelves of picks with reasons.

The graph is a copy that can be made anew at any time: titles are the catalogue's, views and ratings are usage's. Of
viewers it holds ids only.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
    from datetime import datetime

SHELF_LENGTH = 24
MORE_LENGTH = 12
RECENT = 12
"""How many of the titles that a viewer watched last say what comes next: with a decay of 0.8 the rest weighs 7 %."""

DECAY = 0.8
"""What each step back in a viewer's history takes from a title's say."""

DISLIKED = 0.6
"""A title that the viewer rated down says less about what they like, but still something about what they are at."""


class Role(StrEnum):
    """How a person belongs to a title; the types of relationship in the graph."""

    DIRECTED = "DIRECTED"
    WROTE = "WROTE"
    ACTED_IN = "ACTED_IN"


@dataclass(frozen=True, slots=True, order=True)
class Credit:
    """A person in a role; people are told apart by their folded name, `key`."""

    role: Role
    key: str
    name: str


@dataclass(frozen=True, slots=True)
class GraphTitle:
    """A title as the graph holds it; `card` is its public card as JSON. Unlisted ones keep no description."""

    id: str
    revision: int
    listed: bool = False
    watchable: bool = False
    name: str = ""
    card: str = ""
    added: str = ""
    genres: tuple[tuple[str, str], ...] = ()
    credits: tuple[Credit, ...] = ()


@dataclass(frozen=True, slots=True)
class Viewing:
    """That a viewer watched half of a title or more: how far, and when last."""

    title_id: str
    progress: float
    at: datetime


@dataclass(frozen=True, slots=True)
class Opinion:
    """A viewer's thumb: 1 up, -1 down, 0 taken back."""

    title_id: str
    rating: int
    at: datetime


@dataclass(frozen=True, slots=True)
class Viewer:
    """All that is told of one viewer."""

    id: str
    viewings: tuple[Viewing, ...] = ()
    opinions: tuple[Opinion, ...] = ()


@dataclass(frozen=True, slots=True)
class Watched:
    """A title in a viewer's history as the ranking needs it."""

    id: str
    name: str
    listed: bool
    rating: int = 0


class Kind(StrEnum):
    """Why a title is shown."""

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
    """Why a title is shown: the kind for programs, the words for people."""

    kind: Kind
    words: str


@dataclass(frozen=True, slots=True)
class Pick:
    """A title that is recommended: its public card, and the reason."""

    card: Mapping[str, Any]
    reason: Reason

    @property
    def id(self) -> str:
        """Return the title's id."""
        return str(self.card["id"])


@dataclass(frozen=True, slots=True)
class Shelf:
    """A heading and what stands under it; `reason` says in a sentence why it is there."""

    id: str
    heading: str
    reason: str
    picks: tuple[Pick, ...] = field(repr=False)


class Ranking(Protocol):
    """The questions that shelves ask of the graph; each raises StoreUnavailable while the graph is away."""

    def history(self, user_id: str) -> list[Watched]:
        """Return what a viewer watched, the latest first."""

    def next_for(self, history: Sequence[Watched], *, limit: int) -> list[Pick]:
        """Return watchable titles that others watched after the latest of these, best first, without these."""

    def similar(self, title_id: str, *, without: Collection[str], watchable: bool, limit: int) -> list[Pick]:
        """Return listed titles like one, best first, without some; only `watchable` ones if asked."""

    def popular(self, *, limit: int) -> list[Pick]:
        """Return watchable titles that are watched most these days; none if nobody watches."""


class Graph(Protocol):
    """What writes the graph; each raises StoreUnavailable while the graph is away."""

    def write_titles(self, titles: Sequence[GraphTitle], *, force: bool = False) -> list[str]:
        """Write titles; return the ids of those of which the graph has a later revision, unless forced over it."""

    def title_ids(self, *, after: str, until: str | None) -> list[str]:
        """Return the ids of titles in the graph above `after`, up to and with `until`, in order."""

    def user_ids(self, *, after: str, until: str | None) -> list[str]:
        """Return the ids of viewers in the graph above `after`, up to and with `until`, in order."""

    def record_viewing(self, user_id: str, viewing: Viewing) -> None:
        """Note that a viewer watched a title; nothing changes unless it is later than what the graph has."""

    def record_opinion(self, user_id: str, opinion: Opinion) -> None:
        """Make a rating what it is given as; 0 removes it."""

    def remove_viewings(self, user_id: str, title_id: str | None) -> None:
        """Forget that a viewer watched a title, or anything at all."""

    def remove_viewer(self, user_id: str) -> None:
        """Forget a viewer."""

    def write_viewers(self, viewers: Sequence[Viewer]) -> None:
        """Make the histories and ratings of viewers what they are given as; steps and popularity stay as they are."""

    def histories(self) -> Iterator[tuple[str, list[tuple[str, datetime]]]]:
        """Yield each viewer with what they watched and when, earliest first; of those at once the lower id first."""

    def write_steps(self, rows: Iterable[tuple[str, Mapping[str, int]]]) -> None:
        """Make the steps that lead away from titles what they are given as."""

    def write_popularity(self, figures: Mapping[str, tuple[int, float]]) -> None:
        """Make views and heat of every title what they are given as, 0 for all others."""

    def tidy(self) -> None:
        """Remove what nothing refers to, and count the titles of each genre."""
