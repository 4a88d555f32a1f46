"""What may be a password: its form, and that it is not among the first to be guessed.

The form is that of OpaqueString (RFC 8265, section 4.2): Unicode's other spaces become plain ones, then NFC, so that a
password is the same from every keyboard; case stays. Control characters are refused, code points that this Python does
not know yet are not: they may be tomorrow's emoji.
"""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING

from functions.platform.errors import Malformed, WeakPassword

if TYPE_CHECKING:
    from functions.accounts.addresses import Address

SHORTEST = 8
LONGEST = 128
LEAST_GUESSES = 1e6
"""At 5 tries a minute one network needs months for so many, at the 50 of the wider limit two weeks."""

LONGEST_ESTIMATED = 72
"""The estimate takes time that grows with the square of the length; a guessable beginning of this length decides."""

_CONTROL_OR_SURROGATE = ("Cc", "Cs")


def given_password(typed: str) -> str:
    """Return a password that somebody gives as theirs, in its one form; raise Malformed if it cannot be anyone's."""
    if not typed:
        raise Malformed("The password is missing.")
    if len(typed) > 4 * LONGEST:
        raise _too_long()
    spaced = "".join(" " if unicodedata.category(character) == "Zs" else character for character in typed)
    if any(unicodedata.category(character) in _CONTROL_OR_SURROGATE for character in spaced):
        raise Malformed("The password has a character that cannot be typed; leave it out.")
    password = unicodedata.normalize("NFC", spaced)
    if len(password) > LONGEST:
        raise _too_long()
    return password


def chosen_password(typed: str, address: Address) -> str:
    """Return a new password in its one form; raise Malformed, or WeakPassword with what would make it better."""
    password = given_password(typed)
    if len(password) < SHORTEST:
        raise WeakPassword(f"The password is too short; it needs at least {SHORTEST} characters.")
    _refuse_guessable(password, address)
    return password


def _refuse_guessable(password: str, address: Address) -> None:
    from zxcvbn import zxcvbn  # 15 MB of words, which a log-in does not need

    local, _, domain = address.email.partition("@")
    known = [address.email, address.key, local, domain, domain.partition(".")[0], "notflix"]
    estimate = zxcvbn(password[:LONGEST_ESTIMATED], user_inputs=known, max_length=LONGEST_ESTIMATED)
    if estimate["guesses"] < LEAST_GUESSES:
        warning = estimate["feedback"]["warning"]
        raise WeakPassword(
            f"This password would soon be guessed. {warning}{' ' if warning else ''}"
            "Take a few words that do not go together, or let your browser make one."
        )


def _too_long() -> Malformed:
    return Malformed(f"The password is too long; it may have {LONGEST} characters.")
