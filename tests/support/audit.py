"""The audit log in memory; tests/integration/audit/test_audit_store.py runs one contract against it and MySQL."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from functions.platform.errors import StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable

    from functions.audit.model import AuditEntry
    from functions.platform.pagination import TimePosition

KEPT_FOR = timedelta(days=365)


class MemoryAudit:
    """Entries in memory; unavailable on request."""

    def __init__(self, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self.unavailable = False
        self._now = now
        self._entries: dict[str, AuditEntry] = {}
        self._forgotten: set[str] = set()

    def record_entry(self, entry: AuditEntry) -> None:
        self._answer()
        if entry.subject in self._forgotten:
            entry = replace(entry, subject=None)
        there = self._entries.get(entry.entry_id)
        if there is None:
            self._entries[entry.entry_id] = entry
        elif there.outcome is None and entry.outcome is not None:
            subject = entry.subject or there.subject
            self._entries[entry.entry_id] = replace(there, outcome=entry.outcome, subject=subject)

    def list_entries(self, after: TimePosition | None, *, limit: int) -> list[AuditEntry]:
        self._answer()
        newest_first = sorted(self._entries.values(), key=lambda one: (one.at, one.entry_id), reverse=True)
        return [one for one in newest_first if after is None or (one.at, one.entry_id) < tuple(after)][:limit]

    def forget_subject(self, user_id: str) -> None:
        self._answer()
        self._forgotten.add(user_id)
        for entry_id, entry in self._entries.items():
            if entry.subject == user_id:
                self._entries[entry_id] = replace(entry, subject=None)

    def delete_expired(self) -> int:
        self._answer()
        before = len(self._entries)
        self._entries = {name: one for name, one in self._entries.items() if one.at >= self._now() - KEPT_FOR}
        return before - len(self._entries)

    def _answer(self) -> None:
        if self.unavailable:
            raise StoreUnavailable("The database audit_db does not answer; try again in a few seconds.")
