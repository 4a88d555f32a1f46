"""Codes of authenticator apps: TOTP (RFC 6238) with SHA-1, six digits and 30 s, which every app supports."""

from __future__ import annotations

import base64
import hmac
import secrets
from typing import TYPE_CHECKING

import segno
from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.totp import TOTP

if TYPE_CHECKING:
    from datetime import datetime

DIGITS = 6
STEP_S = 30
TOLERANCE = 1
"""How many steps a code may be early or late (RFC 6238, section 5.2, recommends at most one)."""

SECRET_BYTES = 20
"""The length of the hash (RFC 4226, section 4, requirement R6)."""

ISSUER = "Notflix"


def make_secret() -> bytes:
    """Return a new random secret."""
    return secrets.token_bytes(SECRET_BYTES)


def code_at(secret: bytes, step: int) -> str:
    """Return the code of a time step."""
    # RFC 4226 and RFC 6238 define the code with SHA-1; its weaknesses do not affect HMAC
    return TOTP(secret, DIGITS, SHA1(), STEP_S).generate(step * STEP_S).decode()


def step_at(moment: datetime) -> int:
    """Return the number of the time step at a moment."""
    return int(moment.timestamp()) // STEP_S


def matching_step(secret: bytes, code: str, moment: datetime) -> int | None:
    """Return the time step whose code this is, at most TOLERANCE steps from `moment`; None if there is none."""
    now = step_at(moment)
    found = None
    for step in range(now - TOLERANCE, now + TOLERANCE + 1):
        if hmac.compare_digest(code_at(secret, step).encode(), code.encode("utf-8", "replace")):
            found = step
    return found


def setup_uri(secret: bytes, email: str) -> str:
    """Return the `otpauth` URI that adds the secret to an app, labelled with the email address."""
    return TOTP(secret, DIGITS, SHA1(), STEP_S).get_provisioning_uri(email, ISSUER)


def setup_key(secret: bytes) -> str:
    """Return the secret in base32, in groups of four, for typing it into an app."""
    text = base64.b32encode(secret).decode()
    return " ".join(text[at : at + 4] for at in range(0, len(text), 4))


def qr_rows(text: str) -> tuple[str, ...]:
    """Return a QR code as rows of `1` (dark) and `0`, without a border."""
    return tuple("".join("1" if dark else "0" for dark in row) for row in segno.make(text, micro=False).matrix)
