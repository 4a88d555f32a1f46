"""The interface that the audit log needs: its store."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from functions.audit.model import AuditEntry
    from functions.platform.pagination import TimePosition


class AuditStore(Protocol):
    """Stores entries; they can only be added. Every method raises StoreUnavailable."""

    def record_entry(self, entry: AuditEntry) -> None:
        """Add an entry, or the outcome of an entry that has none; a repeated call changes nothing.

        The order of the two calls for an action does not matter.
        """

    def list_entries(self, after: TimePosition | None, *, limit: int) -> list[AuditEntry]:
        """Return the entries after a position, newest first."""

    def forget_subject(self, user_id: str) -> None:
        """Remove the id of a deleted account from the entries about it."""

    def delete_expired(self) -> int:
        """Delete the entries that are older than a year; return their number."""
