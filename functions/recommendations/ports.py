"""What recommendations need of the outside."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
    from datetime import datetime

    from functions.catalogue.model import Title
    from functions.recommendations.model import Candidate, GraphTitle, Opinion, ViewerHistory, Viewing, Watched
    from functions.recommendations.rebuild import RebuildProgress
    from functions.usage.model import ViewerTitleState


class Ranking(Protocol):
    """The queries of shelves; each raises StoreUnavailable while the graph is unavailable."""

    def history(self, user_id: str) -> list[Watched]:
        """Return what a viewer watched, latest first."""

    def next_for(self, history: Sequence[Watched], *, limit: int) -> list[Candidate]:
        """Return watchable titles that others watched after the latest of these, best first, without these."""

    def similar(self, title_id: str, *, without: Collection[str], watchable: bool, limit: int) -> list[Candidate]:
        """Return listed titles similar to one, best first, without some; with `watchable` only watchable ones."""

    def popular(self, *, limit: int) -> list[Candidate]:
        """Return the watchable titles that are watched most at present, none if nobody watches."""


class Graph(Protocol):
    """Writes the graph; every method raises StoreUnavailable while the graph is unavailable."""

    def write_titles(self, titles: Sequence[GraphTitle], *, force: bool = False) -> list[str]:
        """Write titles; return the ids of those that the graph has in a later revision, which only `force` replaces."""

    def title_ids(self, *, after: str, until: str | None) -> list[str]:
        """Return the ids of the graph's titles above `after`, up to and including `until`, in order."""

    def user_ids(self, *, after: str, until: str | None) -> list[str]:
        """Return the ids of the graph's viewers above `after`, up to and including `until`, in order."""

    def record_viewing(self, user_id: str, viewing: Viewing) -> None:
        """Record that a viewer watched a title; nothing changes unless it is later than what the graph has."""

    def record_opinion(self, user_id: str, opinion: Opinion) -> None:
        """Set a rating; 0 removes it."""

    def remove_viewings(self, user_id: str, title_id: str | None) -> None:
        """Remove a viewer's viewing of a title, or all of their viewings."""

    def remove_viewer(self, user_id: str) -> None:
        """Remove a viewer."""

    def write_viewers(self, viewers: Sequence[ViewerHistory]) -> None:
        """Replace the histories and ratings of viewers; steps and popularity are not updated."""

    def histories(self) -> Iterator[tuple[str, list[tuple[str, datetime]]]]:
        """Yield each viewer with what they watched and when, earliest first, and by id among simultaneous ones."""

    def write_steps(self, rows: Iterable[tuple[str, Mapping[str, int]]]) -> None:
        """Replace the steps that lead away from each of the given titles."""

    def write_popularity(self, counts: Mapping[str, tuple[int, float]]) -> None:
        """Overwrite every title's view count and heat; titles that are not given get 0."""

    def tidy(self) -> None:
        """Remove people and genres without titles, and recount the titles of each genre."""


class ShelfTitles(Protocol):
    """What shelves ask of the catalogue."""

    def get(self, title_id: str) -> Title:
        """Return a title; raise NotFound."""

    def known(self, title_ids: Iterable[str]) -> dict[str, Title]:
        """Return the titles with these ids by id, without those that are unknown or withdrawn."""

    def best_titles(self, *, genre: str = "", limit: int) -> list[Title]:
        """Return watchable titles, highest rated first, then newest; of one genre if it is given."""


class TitleSource(Protocol):
    """What updates of the graph ask of the catalogue."""

    def find_title(self, title_id: str) -> Title | None:
        """Return a title, withdrawn or not; None if it never existed."""


class StateSource(Protocol):
    """What updates of the graph ask of usage."""

    def title_state(self, user_id: str, title_id: str) -> ViewerTitleState:
        """Return everything that is stored about a viewer and a title."""


class RebuildSources(Protocol):
    """What the graph is rebuilt from."""

    def titles(self, after: str, limit: int) -> list[Title]:
        """Return titles in the order of ids, beginning after an id; withdrawn titles are included."""

    def count_titles(self) -> int:
        """Return the approximate number of titles."""

    def find_title(self, title_id: str) -> Title | None:
        """Return a title, withdrawn or not; None if it never existed."""

    def viewers(self, after: str) -> Iterator[ViewerHistory]:
        """Yield viewers in the order of ids, beginning after an id."""


class RebuildStore(Protocol):
    """Stores the progress of the latest rebuild, and whether messages to the graph were lost."""

    def progress(self) -> RebuildProgress | None:
        """Return the latest rebuild, or None."""

    def save_progress(self, progress: RebuildProgress) -> None:
        """Store the progress."""

    def lost_at(self) -> datetime | None:
        """Return when a message was lost last that no rebuild has made up for."""

    def record_loss(self, at: datetime) -> None:
        """Record that a message was lost."""

    def clear_loss(self, before: datetime) -> None:
        """Forget losses before a time."""
