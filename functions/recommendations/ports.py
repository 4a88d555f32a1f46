"""The interfaces that recommendations need from other slices and from stores."""

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
    """The queries for shelves; each raises StoreUnavailable while the graph is unavailable."""

    def history(self, user_id: str) -> list[Watched]:
        """Return the titles that a viewer watched, latest first."""

    def next_for(self, history: Sequence[Watched], *, limit: int) -> list[Candidate]:
        """Return watchable titles outside `history` that others watched after the latest titles in it, best first."""

    def similar(self, title_id: str, *, without: Collection[str], watchable: bool, limit: int) -> list[Candidate]:
        """Return listed titles similar to a title, best first, except those in `without`.

        If `watchable` is true, only watchable titles are returned.
        """

    def popular(self, *, limit: int) -> list[Candidate]:
        """Return the watchable titles that are watched most at present; empty if nobody has watched anything."""

    def count_titles(self) -> int:
        """Return the number of titles in the graph."""


class Graph(Protocol):
    """Writes the graph; every method raises StoreUnavailable while the graph is unavailable."""

    def write_titles(self, titles: Sequence[GraphTitle], *, force: bool = False) -> list[str]:
        """Write titles; return the ids of titles that were skipped because the graph has a later revision.

        `force` overwrites later revisions too.
        """

    def title_ids(self, *, after: str, until: str | None) -> list[str]:
        """Return the sorted ids of the graph's titles that are greater than `after`.

        If `until` is not None, only ids up to `until` are returned.
        """

    def user_ids(self, *, after: str, until: str | None) -> list[str]:
        """Return the sorted ids of the graph's viewers that are greater than `after`.

        If `until` is not None, only ids up to `until` are returned.
        """

    def viewed_titles(self, user_id: str) -> list[str]:
        """Return the sorted ids of the titles that a viewer watched according to the graph."""

    def record_viewing(self, user_id: str, viewing: Viewing) -> None:
        """Record that a viewer watched a title, unless the graph has the same or a later viewing."""

    def record_opinion(self, user_id: str, opinion: Opinion) -> None:
        """Set a rating; 0 removes it."""

    def remove_viewings(self, user_id: str, title_id: str | None) -> None:
        """Remove a viewer's viewing of a title, or all of their viewings."""

    def remove_viewer(self, user_id: str) -> None:
        """Remove a viewer."""

    def write_viewers(self, viewers: Sequence[ViewerHistory]) -> None:
        """Replace the histories and ratings of viewers; steps and popularity are not updated."""

    def histories(self) -> Iterator[tuple[str, list[tuple[str, datetime]]]]:
        """Yield each viewer with titles and times watched, earliest first; simultaneous viewings are sorted by id."""

    def write_steps(self, rows: Iterable[tuple[str, Mapping[str, int]]]) -> None:
        """Replace the steps that start at each title in `rows`."""

    def write_popularity(self, counts: Mapping[str, tuple[int, float]]) -> None:
        """Overwrite every title's view count and heat; titles not in `counts` get 0."""

    def tidy(self) -> None:
        """Remove people and genres without titles, and recount the titles of each genre."""


class ShelfTitles(Protocol):
    """The part of the catalogue that shelves use."""

    def get(self, title_id: str) -> Title:
        """Return a title. Raises NotFound."""

    def known(self, title_ids: Iterable[str]) -> dict[str, Title]:
        """Return the titles with these ids, keyed by id; unknown and withdrawn titles are omitted."""

    def best_titles(self, *, genre: str = "", limit: int) -> list[Title]:
        """Return watchable titles, highest rated first, then newest; of any genre if `genre` is empty."""


class TitleSource(Protocol):
    """The part of the catalogue that updates of the graph need."""

    def find_title(self, title_id: str) -> Title | None:
        """Return a title, withdrawn or not; None if it never existed."""


class StateSource(Protocol):
    """The part of usage that updates of the graph need."""

    def title_state(self, user_id: str, title_id: str) -> ViewerTitleState:
        """Return everything that is stored about a viewer and a title."""


class RebuildSources(Protocol):
    """The sources from which the graph is rebuilt."""

    def titles(self, after: str, limit: int) -> list[Title]:
        """Return titles sorted by id, starting after the id `after`; withdrawn titles are included."""

    def count_titles(self) -> int:
        """Return the approximate number of titles."""

    def find_title(self, title_id: str) -> Title | None:
        """Return a title, withdrawn or not; None if it never existed."""

    def viewers(self, after: str) -> Iterator[ViewerHistory]:
        """Yield the viewers who belong in the graph, sorted by id, starting after the id `after`."""

    def find_viewer(self, user_id: str) -> ViewerHistory | None:
        """Return a viewer; None for one who does not belong in the graph."""


class ChangeJournal(Protocol):
    """Counts the changes of viewers during a rebuild."""

    def progress(self) -> RebuildProgress | None:
        """Return the latest rebuild, or None."""

    def record_change(self, rebuild_id: str, user_id: str) -> None:
        """Count a change of a viewer during a rebuild."""


class RebuildStore(ChangeJournal, Protocol):
    """Stores the latest rebuild with its journal of changes, and whether messages to the graph were lost."""

    def save_progress(self, progress: RebuildProgress, *, over: RebuildProgress | None) -> bool:
        """Store the progress, unless the stored rebuild is no longer where `over` was; return whether it was stored.

        A rebuild is where `over` was if id, phase and cursor are the same; None stands for no rebuild at all.
        """

    def changes(self, rebuild_id: str, *, after: str, until: str | None) -> dict[str, int]:
        """Return how often each viewer has changed during a rebuild; those who have not are omitted.

        The ids are greater than `after` and, if `until` is not None, not greater than `until`.
        """

    def clear_changes(self, rebuild_id: str) -> None:
        """Delete the journal of a rebuild."""

    def lost_at(self) -> datetime | None:
        """Return when a message was last lost, or None if a rebuild has repaired every loss."""

    def record_loss(self, at: datetime) -> None:
        """Record that a message was lost."""

    def clear_loss(self, before: datetime) -> None:
        """Delete the record of losses before a time."""
