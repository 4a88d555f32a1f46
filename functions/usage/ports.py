"""The interfaces that usage needs: its store, and the catalogue."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from functions.catalogue.model import Title
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
        """Store a mark, replacing an earlier mark of the same kind on the title."""

    def marks(self, user_id: str, kind: UsageKind) -> list[Mark]:
        """Return all marks of a kind that a viewer set, latest first; there is at most one per title."""

    def title_state(self, user_id: str, title_id: str) -> ViewerTitleState:
        """Return everything that is stored about a viewer and a title."""

    def everyone(self, *, after: str) -> Iterator[ViewerUsage]:
        """Yield every viewer with stored usage, sorted by id, starting after the id `after`."""

    def remove(self, user_id: str, kind: UsageKind, title_id: str) -> None:
        """Remove one view or mark, if it exists."""

    def remove_all(self, user_id: str, *kinds: UsageKind) -> None:
        """Remove all views and marks of these kinds of a viewer."""


class TitleLookup(Protocol):
    """The part of the catalogue that usage needs."""

    def get(self, title_id: str) -> Title:
        """Return a title. Raises NotFound."""

    def known(self, title_ids: Iterable[str]) -> dict[str, Title]:
        """Return the titles with these ids, keyed by id; unknown and withdrawn titles are omitted."""
