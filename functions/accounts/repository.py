"""The stores of accounts in MySQL: each method calls one stored procedure; MySQL never receives a password or a token.

Idempotent calls are repeated if a connection breaks; using a link is not idempotent.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from functions.accounts.model import EmailChoices, Login, LoginHistoryEntry, LoginOutcome
from functions.platform.errors import AddressTaken, ProcedureRefused
from functions.platform.viewer import Viewer

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from functions.accounts.model import LinkPurpose
    from functions.platform.mysql import Database, Row
    from functions.platform.pagination import TimePosition

ADDRESS_TAKEN = 30_001
ROWS_PER_DELETE = 5_000
"""The maximum number of rows deleted by one call, so that no call holds many locks for long."""


class MySqlLoginStore:
    """The login store in the database `logins_db`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add_login(self, login: Login) -> None:
        try:
            self._database.call(
                "register_login",
                login.user_id,
                login.address,
                login.email,
                login.password_hash,
                login.admin,
                login.confirmed_at,
                login.created_at,
                idempotent=True,
            )
        except ProcedureRefused as refusal:
            if refusal.number != ADDRESS_TAKEN:
                raise
            raise AddressTaken(
                "This email address already has an account. Log in, or reset your password if you forgot it."
            ) from None

    def find_login(self, address: str, dummy_hash: str) -> Login:
        return _login(self._database.call("find_account", address, dummy_hash, idempotent=True)[0])

    def get_login(self, user_id: str) -> Login | None:
        rows = self._database.call("get_account", user_id, idempotent=True)
        return _login(rows[0]) if rows else None

    def replace_hash(self, user_id: str, *, over: str, new: str) -> bool:
        return bool(self._database.call("replace_password_hash", user_id, over, new, idempotent=True)[0]["replaced"])

    def make_administrator(self, user_id: str) -> None:
        self._database.call("make_administrator", user_id, idempotent=True)

    def list_administrators(self) -> list[Viewer]:
        rows = self._database.call("list_administrators", idempotent=True)
        return [Viewer(row["user_id"], row["email"], admin=True, confirmed=bool(row["confirmed"])) for row in rows]

    def emails_of(self, user_ids: Sequence[str]) -> dict[str, str]:
        rows = self._database.call("list_emails", "".join(user_ids), idempotent=True) if user_ids else []
        return {row["user_id"]: row["email"] for row in rows}

    def get_email_choices(self, user_id: str) -> EmailChoices:
        rows = self._database.call("get_email_choices", user_id, idempotent=True)
        return EmailChoices(payments=bool(rows[0]["payment_emails"])) if rows else EmailChoices()

    def set_email_choices(self, user_id: str, choices: EmailChoices) -> None:
        self._database.call("set_email_choices", user_id, choices.payments, idempotent=True)

    def get_language(self, user_id: str) -> str:
        rows = self._database.call("get_language", user_id, idempotent=True)
        return str(rows[0]["language"]) if rows else ""

    def set_language(self, user_id: str, language: str) -> None:
        self._database.call("set_language", user_id, language, idempotent=True)

    def revoke_administrator(self, user_id: str) -> bool:
        return bool(self._database.call("revoke_administrator", user_id, idempotent=True)[0]["revoked"])

    def store_link(self, link_hash: str, user_id: str, purpose: LinkPurpose, expires_at: datetime) -> None:
        self._database.call("keep_link", link_hash, user_id, purpose, expires_at, idempotent=True)

    def renew_link(self, link_hash: str, expires_at: datetime) -> None:
        self._database.call("renew_link", link_hash, expires_at, idempotent=True)

    def use_link(self, link_hash: str, purpose: LinkPurpose, now: datetime) -> str | None:
        user_id: str | None = self._database.call("use_link", link_hash, purpose, now)[0]["user_id"]
        return user_id

    def confirm_address(self, user_id: str, at: datetime) -> None:
        self._database.call("confirm_address", user_id, at, idempotent=True)

    def delete_login(self, user_id: str) -> None:
        self._database.call("delete_login", user_id, idempotent=True)

    def delete_expired_links(self, now: datetime) -> int:
        return _delete_in_batches(self._database, "expire_links", now)


class MySqlLoginHistoryStore:
    """The login history store in the database `login_history_db`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def store_entry(self, entry: LoginHistoryEntry) -> None:
        self._database.call(
            "record_attempt",
            entry.entry_id,
            entry.user_id,
            entry.at,
            entry.ip,
            entry.browser,
            entry.outcome,
            idempotent=True,
        )

    def entries_of(self, user_id: str, *, after: TimePosition | None, limit: int) -> list[LoginHistoryEntry]:
        at, entry_id = (after.at, after.entry_id) if after else (None, "")
        rows = self._database.call("list_login_page", user_id, at, entry_id, limit, idempotent=True)
        return [LoginHistoryEntry(**{**row, "outcome": LoginOutcome(row["outcome"])}) for row in rows]

    def delete_entries_of(self, user_id: str) -> None:
        self._database.call("forget_logins", user_id, idempotent=True)

    def delete_entries_before(self, before: datetime) -> int:
        return _delete_in_batches(self._database, "expire_logins", before)


def _login(row: Row) -> Login:
    flags = {name: bool(row[name]) for name in ("admin", "has_second_factor")}
    return Login(**{**row, **flags})


def _delete_in_batches(database: Database, procedure: str, time: datetime) -> int:
    """Call a procedure that deletes a limited number of rows until none is left; return the total."""
    total = 0
    while True:
        count: int = database.call(procedure, time, ROWS_PER_DELETE)[0]["expired"]
        total += count
        if count < ROWS_PER_DELETE:
            return total
