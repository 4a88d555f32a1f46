"""The interfaces that usage needs: its store, and the catalogue."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import date

    from functions.catalogue.model import Title
    from functions.usage.days import DayViewing
    from functions.usage.model import Mark, StoredView, UsageKind, View, ViewerTitleState, ViewerUsage


class UsageStore(Protocol):
    """Stores usage. Every method raises StoreUnavailable while the store is unavailable or busy."""

    def view(self, user_id: str, title_id: str) -> StoredView | None:
        """Return a view, or None."""

    def add(self, view: View) -> bool:
        """Store a new view; if it already exists, change nothing and return False."""

    def change(self, view: View, *, over: str) -> bool:
        """Replace a view if `over` is still its current version; otherwise change nothing and return False."""

    def views(self, user_id: str, *, unfinished: bool, below: str | None, limit: int) -> list[View]:
        """Return a viewer's watched views after the position `below`, latest first.

        With `unfinished`, only unfinished views are returned.
        """

    def put(self, mark: Mark) -> None:
        """Store a mark; it replaces an earlier mark of the same kind and title."""

    def marks(self, user_id: str, kind: UsageKind) -> list[Mark]:
        """Return all marks of a kind that a viewer set, latest first; there is at most one per title."""

    def title_state(self, user_id: str, title_id: str) -> ViewerTitleState:
        """Return everything that is stored about a viewer and a title."""

    def everyone(self, *, after: str) -> Iterator[ViewerUsage]:
        """Yield every viewer with stored usage, sorted by id, starting after the id `after`."""

    def viewer(self, user_id: str) -> ViewerUsage | None:
        """Return everything that is stored about a viewer; None if there is nothing."""

    def remove(self, user_id: str, kind: UsageKind, title_id: str) -> None:
        """Remove one view or mark, if it exists."""

    def remove_all(self, user_id: str, *kinds: UsageKind) -> None:
        """Remove all of a viewer's views and marks of these kinds."""


class ViewingDays(Protocol):
    """Counts viewing by day, and minutes by title on devices that play AV1. Every method raises StoreUnavailable."""

    def count(self, day: date, viewing: DayViewing) -> None:
        """Add to the counts of a day."""

    def viewing_since(self, day: date) -> dict[date, DayViewing]:
        """Return the counts of each day from `day` on that has any."""

    def count_av1(self, title_id: str, minutes: int) -> None:
        """Add to the minutes for which devices that play AV1 have watched a title."""

    def av1_minutes(self, title_id: str) -> int:
        """Return the minutes for which devices that play AV1 have watched a title."""


class TitleLookup(Protocol):
    """The part of the catalogue that usage needs."""

    def get(self, title_id: str) -> Title:
        """Return a title. Raises NotFound."""

    def known(self, title_ids: Iterable[str]) -> dict[str, Title]:
        """Return the titles with these ids, keyed by id; unknown and withdrawn titles are omitted."""
