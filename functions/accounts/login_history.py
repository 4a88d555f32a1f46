"""The history of logins: every try is a message first, so that a store that is away costs no login and no entry.

A try of an address without an account is a message too, which names nobody and is thrown away when it is read: so the
answer to it takes as long as any other.
"""

from __future__ import annotations

import logging
import uuid
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from functions.accounts.model import HistoryEntry, Outcome
from functions.platform.errors import Malformed, StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from functions.accounts.model import LoginHistory, Origin

log = logging.getLogger(__name__)

NOBODY = ""
PAGE = 20
KEPT_FOR = timedelta(days=180)
"""Long enough to look into a break-in that is noticed late; addresses of people are not kept for longer."""

LONGEST_IP, LONGEST_BROWSER = 45, 100


class Journal:
    """Notes tries to log in. `send` enqueues a message and raises StoreUnavailable; `is_account` knows user ids."""

    def __init__(
        self,
        send: Callable[[Mapping[str, object]], None],
        store: LoginHistory,
        is_account: Callable[[str], bool],
        now: Callable[[], datetime],
    ) -> None:
        self._send = send
        self._store = store
        self._is_account = is_account
        self._now = now

    def note(self, user_id: str, origin: Origin, outcome: Outcome) -> None:
        """Note a try; `user_id` is NOBODY where there is no account. Without a queue the entry goes to the store."""
        entry = HistoryEntry(uuid.uuid4().hex, user_id, self._now(), origin.ip, origin.browser, outcome)
        try:
            self._send(message_of(entry))
        except StoreUnavailable:
            if user_id == NOBODY:
                return
            try:
                self._store.record(entry)
            except StoreUnavailable:
                # the login itself has worked or not, which this must not change; operators find the try in the log
                log.error("Neither queue nor store took a login of %s: %s at %s.", user_id, outcome, entry.at)

    def record(self, message: object) -> None:
        """Keep the entry of a message, unless it is nobody's or of an account deleted since; raise Malformed."""
        entry = entry_of(message)
        if entry.user_id != NOBODY and self._is_account(entry.user_id):
            self._store.record(entry)

    def page(self, user_id: str, cursor: str) -> tuple[list[HistoryEntry], str | None]:
        """Return a page of entries, newest first, and the cursor of the next if there is one; raise Malformed."""
        entries = self._store.page(user_id, before=_time(cursor) if cursor else None, limit=PAGE + 1)
        shown = entries[:PAGE]
        return shown, shown[-1].at.isoformat() if len(entries) > PAGE else None

    def expire(self) -> int:
        """Delete the entries that are old; say how many it were."""
        return self._store.expire(self._now() - KEPT_FOR)


def message_of(entry: HistoryEntry) -> dict[str, object]:
    """Return the message that carries an entry."""
    return {
        "entry_id": entry.entry_id,
        "user_id": entry.user_id,
        "at": entry.at.isoformat(),
        "ip": entry.ip,
        "browser": entry.browser,
        "outcome": entry.outcome.value,
    }


def entry_of(message: object) -> HistoryEntry:
    """Return the entry that a message carries; raise Malformed."""
    names = ("entry_id", "user_id", "at", "ip", "browser", "outcome")
    texts = [message.get(name) for name in names] if isinstance(message, dict) else []
    if not texts or not all(isinstance(text, str) for text in texts):
        raise Malformed(f"The message must be an object with the texts {', '.join(names)}.")
    entry_id, user_id, at, ip, browser, outcome = (str(text) for text in texts)
    if outcome not in list(Outcome):
        raise Malformed(f"The outcome must be one of {', '.join(Outcome)}.")
    return HistoryEntry(entry_id, user_id, _time(at), ip[:LONGEST_IP], browser[:LONGEST_BROWSER], Outcome(outcome))


def _time(text: str) -> datetime:
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        time = None
    if time is None or time.tzinfo is None:
        raise Malformed("The cursor, or the time of a message, must be a time with its zone, as it was given out.")
    return time
