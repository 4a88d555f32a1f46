"""The login history: every attempt is first enqueued, so that an unreachable store loses no entry and blocks no login.

An attempt for an address without an account is also enqueued, without a user id, and dropped when the message is
handled. The request therefore takes as long as one for an existing account.
"""

from __future__ import annotations

import logging
import uuid
from datetime import timedelta
from typing import TYPE_CHECKING

from functions.accounts.model import LoginHistoryEntry, LoginOutcome
from functions.platform.errors import StoreUnavailable
from functions.platform.messages import RecordLogin
from functions.platform.pagination import TimePosition, page_of, time_position_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from functions.accounts.model import RequestOrigin
    from functions.accounts.ports import LoginHistoryStore, MessageSender
    from functions.platform.pagination import Page

log = logging.getLogger(__name__)

NOBODY = ""
KEPT_FOR = timedelta(days=180)
"""Long enough to investigate a break-in that is noticed late, but limited, because IP addresses are personal data."""

LONGEST_IP, LONGEST_BROWSER = 45, 100


class LoginHistoryService:
    """Records login attempts; `account_exists` returns whether a user id has an account."""

    def __init__(
        self,
        queues: MessageSender,
        store: LoginHistoryStore,
        account_exists: Callable[[str], bool],
        now: Callable[[], datetime],
    ) -> None:
        self._queues = queues
        self._store = store
        self._account_exists = account_exists
        self._now = now

    def record_attempt(self, user_id: str, origin: RequestOrigin, outcome: LoginOutcome, *, entry_id: str = "") -> None:
        """Enqueue an attempt; `user_id` is NOBODY for an address without an account. Does not raise StoreUnavailable.

        If the queue does not accept the entry, it is stored directly. `entry_id` is the id of the unfinished login that
        this attempt begins or finishes.
        """
        ip, browser = origin.ip[:LONGEST_IP], origin.browser[:LONGEST_BROWSER]
        entry = LoginHistoryEntry(entry_id or uuid.uuid4().hex, user_id, self._now(), ip, browser, outcome)
        try:
            self._queues.send(message_of(entry))
        except StoreUnavailable:
            if user_id == NOBODY:
                return
            try:
                self._store.store_entry(entry)
            except StoreUnavailable:
                # not raised, because the login's own result must not change; operators find the attempt in the log
                log.error("Neither queue nor store accepted a login of %s: %s at %s.", user_id, outcome, entry.at)

    def store_attempt(self, message: RecordLogin) -> None:
        """Store the entry that a message contains, unless it has no user or the account has been deleted since."""
        entry = entry_of(message)
        if entry.user_id == NOBODY:
            return
        if self._account_exists(entry.user_id):
            self._store.store_entry(entry)
            if self._account_exists(entry.user_id):
                return
        self._store.delete_entries_of(entry.user_id)  # the account may have been deleted while the entry was stored

    def page_of(self, user_id: str, *, cursor: str, limit: int) -> Page[LoginHistoryEntry]:
        """Return a page of entries, newest first. Raises Malformed for an unknown cursor."""
        found = self._store.entries_of(user_id, after=time_position_of(cursor), limit=limit + 1)
        return page_of(found, limit=limit, position=lambda entry: str(TimePosition(entry.at, entry.entry_id)))

    def forget_viewer(self, user_id: str) -> None:
        """Delete all entries of a viewer."""
        self._store.delete_entries_of(user_id)

    def delete_expired(self) -> int:
        """Delete the entries that are older than KEPT_FOR; return their number."""
        return self._store.delete_entries_before(self._now() - KEPT_FOR)


def message_of(entry: LoginHistoryEntry) -> RecordLogin:
    """Return the queue message for an entry."""
    return RecordLogin(entry.entry_id, entry.user_id, entry.at, entry.ip, entry.browser, entry.outcome.value)


def entry_of(message: RecordLogin) -> LoginHistoryEntry:
    """Return the entry that a message contains."""
    outcome = LoginOutcome(message.outcome)
    return LoginHistoryEntry(message.entry_id, message.user_id, message.at, message.ip, message.browser, outcome)
