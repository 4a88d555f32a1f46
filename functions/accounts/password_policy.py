"""The password policy: which form a password has, and which new passwords are too easy to guess.

The form is that of OpaqueString (RFC 8265, section 4.2): other Unicode spaces become plain ones, then NFC, so that a
password is the same from every keyboard; case is kept. Control characters are refused. Code points that this version of
Python does not know are accepted: they may be newer emoji.
"""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING

from functions.platform.errors import Malformed, WeakPassword

if TYPE_CHECKING:
    from functions.accounts.addresses import EmailAddress

SHORTEST = 8
LONGEST = 128
LEAST_GUESSES = 1e6
"""With 5 attempts a minute one network needs months for this many, with the 50 of the wider limit two weeks."""

LONGEST_ESTIMATED = 72
"""The time of the estimate grows with the square of the length; the first 72 characters decide."""

_CONTROL_OR_SURROGATE = ("Cc", "Cs")


def normalize_password(typed: str) -> str:
    """Return a password in its one form; raise Malformed if no account can have it."""
    if not typed:
        raise Malformed("Enter a password.")
    if len(typed) > 4 * LONGEST:
        raise _too_long()
    spaced = "".join(" " if unicodedata.category(character) == "Zs" else character for character in typed)
    if any(unicodedata.category(character) in _CONTROL_OR_SURROGATE for character in spaced):
        raise Malformed("The password contains a character that cannot be typed; remove it.")
    password = unicodedata.normalize("NFC", spaced)
    if len(password) > LONGEST:
        raise _too_long()
    return password


def validate_new_password(typed: str, address: EmailAddress) -> str:
    """Return a new password in its one form; raise Malformed, or WeakPassword with advice."""
    password = normalize_password(typed)
    if len(password) < SHORTEST:
        raise WeakPassword(f"The password is too short; use at least {SHORTEST} characters.")
    _refuse_guessable(password, address)
    return password


def _refuse_guessable(password: str, address: EmailAddress) -> None:
    from zxcvbn import zxcvbn  # 15 MB of words, which a login does not need

    local, _, domain = address.email.partition("@")
    known = [address.email, address.key, local, domain, domain.partition(".")[0], "notflix"]
    estimate = zxcvbn(password[:LONGEST_ESTIMATED], user_inputs=known, max_length=LONGEST_ESTIMATED)
    if estimate["guesses"] < LEAST_GUESSES:
        warning = estimate["feedback"]["warning"]
        raise WeakPassword(
            f"This password is too easy to guess. {warning}{' ' if warning else ''}"
            "Use a few unrelated words, or let your browser suggest one."
        )


def _too_long() -> Malformed:
    return Malformed(f"The password is too long; use at most {LONGEST} characters.")
