"""Access tokens: sealed with the client's secret, so that those of before a restart are known after it."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
import time
from typing import TYPE_CHECKING

from infra.local.simulators.paypal.shapes import fine_stamp

if TYPE_CHECKING:
    from infra.local.simulators.paypal.clock import Clock
    from infra.local.simulators.paypal.shapes import Document

_START = "A21AA"
_SCOPES = " ".join(
    f"https://uri.paypal.com/services/{name}"
    for name in ("subscriptions", "payments/realtimepayment", "payments/refund", "applications/webhooks")
)


class Tokens:
    """Makes and knows the access tokens of one client; they live by the real clock, as their holder's does."""

    def __init__(self, clock: Clock, *, client_id: str, client_secret: str) -> None:
        self._clock = clock
        self._client = client_id, client_secret
        self._key = hashlib.sha256(f"{client_id}:{client_secret}".encode()).digest()
        self._refused_until = 0.0

    def knows(self, client_id: str, client_secret: str) -> bool:
        """Return whether these are the client's credentials."""
        given, own = f"{client_id}:{client_secret}", ":".join(self._client)
        return hmac.compare_digest(given.encode(), own.encode())

    def issue(self, seconds: int) -> Document:
        """Return a new token as PayPal answers it."""
        now = time.time()
        text = f"{now:.6f} {now + seconds:.6f} {secrets.token_hex(12)}".encode()
        token = _START + base64.urlsafe_b64encode(self._seal(text) + text).decode().rstrip("=")
        return {
            "scope": _SCOPES,
            "access_token": token,
            "token_type": "Bearer",
            "app_id": "APP-80W284485P519543T",
            "expires_in": seconds,
            "nonce": fine_stamp(self._clock.now()) + secrets.token_urlsafe(24),
        }

    def accepts(self, token: str) -> bool:
        """Return whether a token is one of ours and may still be used."""
        try:
            raw = base64.urlsafe_b64decode(token.removeprefix(_START) + "==")
        except ValueError:
            return False
        seal, text = raw[:32], raw[32:]
        if not token.startswith(_START) or not hmac.compare_digest(seal, self._seal(text)):
            return False
        made, ends = (float(part) for part in text.split()[:2])
        return made > self._refused_until and time.time() < ends

    def expire(self) -> None:
        """Refuse every token that was made before now."""
        self._refused_until = time.time()

    def _seal(self, text: bytes) -> bytes:
        return hmac.digest(self._key, text, "sha256")
