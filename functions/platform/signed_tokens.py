"""Signed tokens: short strings whose signature can be verified without a store.

A token is JSON, including its expiry in seconds, signed by itsdangerous (HMAC-SHA256) with a key derived for its
purpose. A token for one purpose is rejected for any other. Pseudonyms, which replace email addresses in logs and rate
limits, are derived from the same key.
"""

from __future__ import annotations

import hashlib
import hmac
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from itsdangerous import BadData, URLSafeSerializer

from functions.platform.errors import Unauthenticated

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

KEY_BYTES = 32
"""The minimum length of the key: the size of the hash (RFC 2104, section 3)."""

_EXPIRES = "exp"


class WeakKey(ValueError):
    """The signing key is missing or too short."""


class SignedTokens:
    """Signs and verifies tokens with one key."""

    def __init__(self, key: str, now: Callable[[], datetime]) -> None:
        if len(key.encode()) < KEY_BYTES:
            raise WeakKey(f"SIGNING_KEY must have at least {KEY_BYTES} bytes; `openssl rand -hex 32` makes one.")
        self._key = key.encode()
        self._now = now

    def sign(self, purpose: str, content: Mapping[str, object], *, until: datetime) -> str:
        """Return a token for a purpose that contains `content` (JSON values) and expires at `until`."""
        token: str = self._serializer(purpose).dumps({**content, _EXPIRES: int(until.timestamp())})
        return token

    def verify(self, purpose: str, token: str) -> dict[str, Any]:
        """Return the content of a token. Raises Unauthenticated if it is forged, expired or for another purpose."""
        return self.verify_with_expiry(purpose, token)[0]

    def verify_with_expiry(self, purpose: str, token: str) -> tuple[dict[str, Any], datetime]:
        """Return the content of a token and the time at which the token expires. Raises Unauthenticated."""
        serializer = self._serializer(purpose)
        try:
            content: dict[str, Any] = serializer.loads(token)
            if serializer.dumps(content) != token:  # base64 can encode the same bytes in several ways; one is valid
                content = {}
        except (BadData, ValueError):  # ValueError: characters that cannot be encoded
            content = {}
        expires = content.pop(_EXPIRES, 0)
        if expires <= self._now().timestamp():
            raise Unauthenticated("This link to the film is invalid or has expired; open the film again.")
        return content, datetime.fromtimestamp(expires, UTC)

    def pseudonym(self, text: str) -> str:
        """Return 16 hex digits that replace `text` where it must not be readable, such as an address in a log."""
        return hmac.new(self._key, b"pseudonym:" + text.encode(), hashlib.sha256).hexdigest()[:16]

    def _serializer(self, purpose: str) -> URLSafeSerializer:
        options = {"digest_method": hashlib.sha256, "key_derivation": "hmac"}
        return URLSafeSerializer(self._key, salt=f"notflix.{purpose}", signer_kwargs=options)
