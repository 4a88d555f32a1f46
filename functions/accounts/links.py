"""Mailed links: 256 random bits for the person, their SHA-256 with us, good once, for one purpose and half an hour.

The token stands in the fragment of the address, which no browser sends to a server, so it is in no server's log.
"""

from __future__ import annotations

import hashlib
import secrets
from datetime import timedelta
from typing import TYPE_CHECKING

from functions.accounts.model import Purpose
from functions.platform.errors import LinkExpired

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from functions.accounts.model import Logins

TOKEN_BYTES = 32
LIFETIME = timedelta(minutes=30)
REPRIEVE = timedelta(minutes=10)

_PAGES = {Purpose.CONFIRM: "confirm.html", Purpose.RESET: "reset.html"}


class Links:
    """The links of all accounts; every method raises StoreUnavailable while the store of logins is away."""

    def __init__(self, logins: Logins, site_origin: str, now: Callable[[], datetime]) -> None:
        self._logins = logins
        self._site_origin = site_origin
        self._now = now

    def make(self, user_id: str, purpose: Purpose) -> str:
        """Return a new link; it ends an earlier one of the same purpose."""
        token = secrets.token_urlsafe(TOKEN_BYTES)
        self._logins.keep_link(_hash(token), user_id, purpose, self._now() + LIFETIME)
        return f"{self._site_origin}/{_PAGES[purpose]}#token={token}"

    def use(self, token: str, purpose: Purpose) -> str:
        """Return whose link it is, and end it; raise LinkExpired."""
        user_id = self._logins.use_link(_hash(token), purpose, self._now())
        if user_id is None:
            raise LinkExpired("This link has been used, or is older than half an hour; ask for a new one.")
        return user_id

    def give_back(self, token: str, user_id: str, purpose: Purpose) -> None:
        """Let a link that brought nothing be used again, for ten minutes."""
        self._logins.keep_link(_hash(token), user_id, purpose, self._now() + REPRIEVE)


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()
