"""Tickets: small signed texts that carry their own proof, so that nothing need be looked up to believe them.

A ticket is `<payload>.<mac>` in URL-safe base64: JSON with its purpose and the second it dies, and HMAC-SHA256 over it.
A ticket of one purpose is none for another. The same key gives pseudonyms: names under which logs and limiters know
addresses.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
from typing import TYPE_CHECKING, Any

from functions.errors import Unauthenticated

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

KEY_BYTES = 32
"""The least a key may have: the size of the hash (RFC 2104, section 3)."""


class WeakKey(ValueError):
    """The signing key is missing or too short."""


class Tickets:
    """Seals and opens tickets with one key."""

    def __init__(self, key: str, now: Callable[[], datetime]) -> None:
        if len(key.encode()) < KEY_BYTES:
            raise WeakKey(f"SIGNING_KEY must have at least {KEY_BYTES} bytes; `openssl rand -hex 32` makes one.")
        self._key = key.encode()
        self._now = now

    def seal(self, purpose: str, content: Mapping[str, object], *, until: datetime) -> str:
        """Return a ticket of the purpose that carries `content` (JSON values) and dies at `until`."""
        body = json.dumps({"for": purpose, "until": int(until.timestamp()), **content}, separators=(",", ":"))
        payload = _text(body.encode())
        return f"{payload}.{_text(self._mac(payload))}"

    def open(self, purpose: str, ticket: str) -> dict[str, Any]:
        """Return what the ticket carries; raise Unauthenticated if it is not ours, of another purpose, or dead."""
        payload, _, mac = ticket.partition(".")
        try:
            genuine = hmac.compare_digest(mac.encode(), _text(self._mac(payload)).encode())
            content: dict[str, Any] = json.loads(_bytes(payload)) if genuine else {}
        except (ValueError, binascii.Error):
            content = {}
        if content.pop("for", None) != purpose or content.pop("until", 0) <= self._now().timestamp():
            raise Unauthenticated("The ticket is not valid, or no longer; open the title again.")
        return content

    def pseudonym(self, text: str) -> str:
        """Return 16 hex digits that stand for `text` where it must not be read, such as an address in a log."""
        return hmac.new(self._key, b"pseudonym:" + text.encode(), hashlib.sha256).hexdigest()[:16]

    def _mac(self, payload: str) -> bytes:
        return hmac.new(self._key, b"ticket:" + payload.encode(), hashlib.sha256).digest()


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _bytes(text: str) -> bytes:
    return base64.urlsafe_b64decode(text.encode() + b"=" * (-len(text) % 4))
