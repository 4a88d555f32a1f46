"""Email addresses of accounts: one key per account, regardless of the case or Unicode form that a person types.

The domain is compared in its ASCII form (IDNA 2008, UTS 46). The local part is compared after NFKC and case folding,
which is Unicode's caseless matching (The Unicode Standard, section 3.13, D146). RFC 5321 allows a host to distinguish
`Jo` from `jo`, but hosts do not do so, and two accounts with one inbox would help nobody. Dots and `+tags` are kept,
because only the host knows what they mean. The rate limit for emails, however, ignores tags. An address is verified by
sending an email to it, not by DNS.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass, field

from email_validator import EmailNotValidError, validate_email

from functions.platform.errors import Malformed

LONGEST = 254
"""The maximum length of an address in characters; the validator applies the same limit to its bytes.

The value is the limit of RFC 5321, 4.5.3.1.3, without the two angle brackets (erratum 1690).
"""


@dataclass(frozen=True, slots=True)
class EmailAddress:
    """An address to which emails are sent, and the key by which its account is found."""

    email: str = field(repr=False)
    key: str = field(repr=False)


def address_of(typed: str) -> EmailAddress:
    """Return a typed address. Raises Malformed, whose detail does not repeat the address."""
    if len(typed) > 4 * LONGEST:
        raise _too_long()
    text = unicodedata.normalize("NFKC", typed).strip(" \t\r\n")
    try:
        found = validate_email(text, check_deliverability=False, strict=True)
    except EmailNotValidError:
        # the validator's message may quote the address
        raise Malformed("Enter a valid email address, such as jo@example.org.") from None
    key = f"{_folded(found.local_part)}@{found.ascii_domain.lower()}"
    if len(key) > LONGEST or len(found.normalized) > LONGEST:
        raise _too_long()
    return EmailAddress(found.normalized, key)


def tagged_inbox_of(key: str) -> str:
    """Return an address key without its `+tag`, or "" if there is no tag.

    With most mail hosts, this is the key of the inbox.
    """
    local_part, _, domain = key.rpartition("@")
    inbox, plus, _ = local_part.partition("+")
    return f"{inbox}@{domain}" if inbox and plus else ""


def _folded(text: str) -> str:
    """Return the text after NFKC and case folding, so that case and compatible Unicode forms make no difference."""
    once = unicodedata.normalize("NFKC", unicodedata.normalize("NFD", text).casefold())
    return unicodedata.normalize("NFKC", once.casefold())


def _too_long() -> Malformed:
    return Malformed(f"The email address is too long; use one of at most {LONGEST} characters.")
