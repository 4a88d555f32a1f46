"""Recovery codes: 80 random bits each, usable once, for a person who has lost the device with the second factor."""

from __future__ import annotations

import base64
import hashlib
import secrets

CODES = 10
CODE_BYTES = 10
_CHARACTERS = CODE_BYTES * 8 // 5


def make_codes() -> tuple[str, ...]:
    """Return new codes, such as `k3vq-7xpa-mn2r-w5ds`."""
    return tuple(_grouped(base64.b32encode(secrets.token_bytes(CODE_BYTES)).decode().lower()) for _ in range(CODES))


def normalized_code(typed: str) -> str | None:
    """Return a typed code without separators, or None if it cannot be a recovery code."""
    text = "".join(character for character in typed.lower() if character.isalnum())
    return text if len(text) == _CHARACTERS and text.isascii() else None


def code_hash(code: str) -> str:
    """Return the hash under which a code is stored; 80 random bits need no salt and no slow hash."""
    return hashlib.sha256((normalized_code(code) or "").encode()).hexdigest()


def _grouped(text: str) -> str:
    return "-".join(text[at : at + 4] for at in range(0, len(text), 4))
