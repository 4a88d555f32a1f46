"""The stores of accounts in MySQL: each method is one stored procedure, and MySQL never sees a password or a token.

A call whose repetition does no harm says so, and is sent again when a connection breaks; to use a link is none.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from functions.accounts.model import HistoryEntry, Login, Outcome
from functions.platform.errors import AddressTaken, ProcedureRefused

if TYPE_CHECKING:
    from datetime import datetime

    from functions.accounts.model import Purpose
    from functions.platform.mysql import Database, Row

ADDRESS_TAKEN = 30_001
MOST_AT_ONCE = 5_000
"""Rows that one call deletes, so that none holds many locks for long."""


class MysqlLogins:
    """The database `logins_db`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def register(self, login: Login) -> None:
        """Keep a new login; raise AddressTaken."""
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
                "There is an account of that address already; log in, or ask for a new password."
            ) from None

    def find(self, address: str, dummy_hash: str) -> Login:
        """Return the login of the address; for an unknown one, a row of that shape without id, with the dummy hash."""
        return _login(self._database.call("find_login", address, dummy_hash, idempotent=True)[0])

    def get(self, user_id: str) -> Login | None:
        """Return the login of an id."""
        rows = self._database.call("get_login", user_id, idempotent=True)
        return _login(rows[0]) if rows else None

    def replace_hash(self, user_id: str, *, over: str, new: str) -> bool:
        """Set the password's hash if it still is `over`; say whether it was. A link to reset it ends with that."""
        return bool(self._database.call("replace_password_hash", user_id, over, new, idempotent=True)[0]["replaced"])

    def make_administrator(self, user_id: str) -> None:
        """Make the account an administrator's."""
        self._database.call("make_administrator", user_id, idempotent=True)

    def keep_link(self, link_hash: str, user_id: str, purpose: Purpose, expires_at: datetime) -> None:
        """Keep the hash of a link, in place of any earlier one of the same account and purpose."""
        self._database.call("keep_link", link_hash, user_id, purpose, expires_at, idempotent=True)

    def use_link(self, link_hash: str, purpose: Purpose, now: datetime) -> str | None:
        """Return whose link this is and end it; None if it is unknown, used, of another purpose or over."""
        user_id: str | None = self._database.call("use_link", link_hash, purpose, now)[0]["user_id"]
        return user_id

    def confirm(self, user_id: str, at: datetime) -> None:
        """Note that the address has been confirmed."""
        self._database.call("confirm_address", user_id, at, idempotent=True)

    def delete(self, user_id: str) -> None:
        """Delete the account and its links; doing it twice is harmless."""
        self._database.call("delete_login", user_id, idempotent=True)

    def expire_links(self, now: datetime) -> int:
        """Delete the links that are over; say how many it were."""
        return _until_none_is_left(self._database, "expire_links", now)


class MysqlLoginHistory:
    """The database `login_history_db`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def record(self, entry: HistoryEntry) -> None:
        """Keep an entry; the same entry id again changes nothing."""
        self._database.call(
            "record_login",
            entry.entry_id,
            entry.user_id,
            entry.at,
            entry.ip,
            entry.browser,
            entry.outcome,
            idempotent=True,
        )

    def page(self, user_id: str, *, before: datetime | None, limit: int) -> list[HistoryEntry]:
        """Return entries of a user, newest first, those older than `before` if it is given."""
        rows = self._database.call("list_logins", user_id, before, limit, idempotent=True)
        return [HistoryEntry(**{**row, "outcome": Outcome(row["outcome"])}) for row in rows]

    def forget(self, user_id: str) -> None:
        """Delete all entries of a user."""
        self._database.call("forget_logins", user_id, idempotent=True)

    def expire(self, before: datetime) -> int:
        """Delete the entries from before a time; say how many it were."""
        return _until_none_is_left(self._database, "expire_logins", before)


def _login(row: Row) -> Login:
    return Login(**{**row, "admin": bool(row["admin"])})


def _until_none_is_left(database: Database, procedure: str, time: datetime) -> int:
    total = 0
    while True:
        count: int = database.call(procedure, time, MOST_AT_ONCE)[0]["expired"]
        total += count
        if count < MOST_AT_ONCE:
            return total
