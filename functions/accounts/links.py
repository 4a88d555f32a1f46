"""Mailed links: 256 random bits, stored as SHA-256; each link is valid once, for one purpose, for 30 minutes.

The 30 minutes begin when the email is sent, because an outage of the mail server can delay it for longer than that.

The token is in the fragment of the URL, which browsers do not send to servers, so it never appears in a server log.
"""

from __future__ import annotations

import hashlib
import secrets
from datetime import timedelta
from typing import TYPE_CHECKING

from functions.accounts.model import LinkPurpose
from functions.platform.errors import LinkExpired

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from functions.accounts.ports import LoginStore

TOKEN_BYTES = 32
LIFETIME = timedelta(minutes=30)
RESTORED_LIFETIME = timedelta(minutes=10)
KEPT_EXPIRED = timedelta(days=1)
"""How long an expired link is kept, so that it can be renewed if its email is sent late."""

_MARK = "#token="

_PAGES = {LinkPurpose.CONFIRM: "confirm.html", LinkPurpose.RESET: "reset.html"}


class MailedLinks:
    """The links of all accounts; every method raises StoreUnavailable."""

    def __init__(self, logins: LoginStore, site_origin: str, now: Callable[[], datetime]) -> None:
        self._logins = logins
        self._site_origin = site_origin
        self._now = now

    def make_link(self, user_id: str, purpose: LinkPurpose) -> str:
        """Return a new link; earlier links stay valid, so that a stranger cannot end them by requesting another."""
        token = secrets.token_urlsafe(TOKEN_BYTES)
        self._logins.store_link(_hash(token), user_id, purpose, self._now() + LIFETIME)
        return f"{self._site_origin}/{_PAGES[purpose]}{_MARK}{token}"

    def renew_link(self, link: str) -> None:
        """Begin the life of a link again, because its email is being sent; a used or deleted link stays invalid."""
        self._logins.renew_link(_hash(link.partition(_MARK)[2]), self._now() + LIFETIME)

    def use_link(self, token: str, purpose: LinkPurpose) -> str:
        """Return the user id of a link and invalidate the link. Raises LinkExpired."""
        user_id = self._logins.use_link(_hash(token), purpose, self._now())
        if user_id is None:
            raise LinkExpired("This link has expired or was used already. Request a new one.")
        return user_id

    def restore_link(self, token: str, user_id: str, purpose: LinkPurpose) -> None:
        """Make a link valid again for ten minutes, because the operation that used it failed."""
        self._logins.store_link(_hash(token), user_id, purpose, self._now() + RESTORED_LIFETIME)

    def delete_expired(self) -> int:
        """Delete the links that expired long ago; return their number."""
        return self._logins.delete_expired_links(self._now() - KEPT_EXPIRED)


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()
