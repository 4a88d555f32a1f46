"""Known devices: a browser in which somebody has logged in before has priority when many people log in at once.

The token of a device is signed and contains a pseudonym of the account. It grants no access: the password is verified
as always, and all rate limits apply.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from functions.platform.errors import Unauthenticated

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from functions.platform.signed_tokens import SignedTokens

LIFETIME = timedelta(days=180)
_PURPOSE = "device"
_ACCOUNT = "account"


class KnownDevices:
    """Issues and recognises the tokens of devices; the parameter `address` is the key of an email address."""

    def __init__(self, tokens: SignedTokens, now: Callable[[], datetime]) -> None:
        self._tokens = tokens
        self._now = now

    def issue_token(self, address: str) -> str:
        """Return a token for a device on which the account of an address has logged in."""
        content = {_ACCOUNT: self._tokens.pseudonym(address)}
        return self._tokens.sign(_PURPOSE, content, until=self._now() + LIFETIME)

    def device_id(self, address: str, token: str) -> str:
        """Return an id of the device if its token was issued for the account of this address and has not expired.

        Otherwise, return an empty string. The id is a pseudonym of the token, and grants nothing.
        """
        if not token:
            return ""
        try:
            content = self._tokens.verify(_PURPOSE, token)
        except Unauthenticated:
            return ""
        own = content.get(_ACCOUNT) == self._tokens.pseudonym(address)
        return self._tokens.pseudonym(token) if own else ""

    def is_known(self, address: str, token: str) -> bool:
        """Return whether the device is known to the account of this address."""
        return bool(self.device_id(address, token))
