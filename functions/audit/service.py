"""The audit log: recording from messages, reading, and removing what must not be kept.

Messages come from `platform/audit.py`. An entry is kept for a year.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from functions.audit.model import AuditEntry
from functions.platform.pagination import TimePosition, page_of, time_position_of

if TYPE_CHECKING:
    from functions.audit.ports import AuditStore
    from functions.platform.messages import RecordAction
    from functions.platform.pagination import Page

log = logging.getLogger(__name__)


class AuditLog:
    """What owners did; every method raises StoreUnavailable."""

    def __init__(self, store: AuditStore) -> None:
        self._store = store

    def record(self, message: RecordAction) -> None:
        """Store that an action began, or how it ended; idempotent."""
        subject, outcome = message.subject or None, message.outcome or None
        self._store.record_entry(
            AuditEntry(message.entry_id, message.at, message.actor, message.action, subject, outcome)
        )

    def page_of(self, *, cursor: str, limit: int) -> Page[AuditEntry]:
        """Return a page of entries, newest first. Raises Malformed for an invalid cursor."""
        found = self._store.list_entries(time_position_of(cursor), limit=limit + 1)
        return page_of(found, limit=limit, position=lambda one: str(TimePosition(one.at, one.entry_id)))

    def forget_viewer(self, user_id: str) -> None:
        """Remove the id of a deleted account from the entries about it.

        Entries about what the account did as an owner keep its id. The id says who acted, but no longer leads to an
        address.
        """
        self._store.forget_subject(user_id)

    def tidy(self) -> None:
        """Delete expired entries."""
        log.info("%d entries of the audit log have expired.", self._store.delete_expired())
