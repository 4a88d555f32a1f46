"""The audit log in MySQL: each method calls one stored procedure, and no procedure changes what was recorded."""

from __future__ import annotations

from typing import TYPE_CHECKING

from functions.audit.model import AuditEntry

if TYPE_CHECKING:
    from functions.platform.mysql import Database
    from functions.platform.pagination import TimePosition

ROWS_PER_DELETE = 2000


class MySqlAuditStore:
    """The audit log in MySQL."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def record_entry(self, entry: AuditEntry) -> None:
        self._database.call(
            "record_entry",
            *(entry.entry_id, entry.at, entry.actor, entry.action, entry.subject or "", entry.outcome or ""),
            idempotent=True,
        )

    def list_entries(self, after: TimePosition | None, *, limit: int) -> list[AuditEntry]:
        at, entry_id = after or (None, "")
        return [AuditEntry(**row) for row in self._database.call("list_actions", at, entry_id, limit, idempotent=True)]

    def forget_subject(self, user_id: str) -> None:
        self._database.call("forget_account", user_id, idempotent=True)

    def delete_expired(self) -> int:
        total = 0
        while True:
            count: int = self._database.call("expire_entries", ROWS_PER_DELETE)[0]["expired"]
            total += count
            if count < ROWS_PER_DELETE:
                return total
