"""The password policy: the normal form of passwords, and the check that a new password is hard to guess.

The normal form is OpaqueString (RFC 8265, section 4.2), so that a password is the same from every keyboard: other
Unicode spaces become plain spaces, then NFC is applied. Case is kept. Control characters are refused. Code points
unknown to this version of Python are accepted, because they may be newer emoji.
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
"""A new password that could be found with fewer guesses is refused.

From one network, a million guesses take months at 5 per minute (the limit for one address) and two weeks at 50 per
minute (the limit for all addresses).
"""

LONGEST_ESTIMATED = 72
"""Only this many characters are estimated, because the time of the estimate grows with the square of the length."""

_CONTROL_OR_SURROGATE = ("Cc", "Cs")


def normalize_password(typed: str) -> str:
    """Return a password in its normal form. Raises Malformed if no account can have it."""
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
    """Return a new password in its normal form. Raises Malformed, or WeakPassword with advice."""
    password = normalize_password(typed)
    if len(password) < SHORTEST:
        raise WeakPassword(f"The password is too short; use at least {SHORTEST} characters.")
    _refuse_guessable(password, address)
    return password


def _refuse_guessable(password: str, address: EmailAddress) -> None:
    from zxcvbn import zxcvbn  # loads 15 MB of words, which a login does not need

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
