"""Mail addresses: one spelling to find an account by, whatever case or Unicode form a person types it in.

The domain is compared in its ASCII form (IDNA 2008, UTS 46), the local part by NFKC and case folding, as Unicode's
caseless matching does (The Unicode Standard, section 3.13, D146). RFC 5321 lets a host tell `Jo` from `jo`, but hosts
do not, and two accounts of which each gets the other's mail serve nobody. Dots and `+tags` are left as they are: what
they mean is the host's own affair. Whether the address exists is found out by writing to it, not by asking DNS.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass, field

from email_validator import EmailNotValidError, validate_email

from functions.platform.errors import Malformed

LONGEST = 254
"""Characters and, by the validator, bytes: RFC 5321, section 4.5.3.1.3, less the angle brackets (erratum 1690)."""


@dataclass(frozen=True, slots=True)
class Address:
    """An address as mail goes to it, and the key by which its account is found."""

    email: str = field(repr=False)
    key: str = field(repr=False)


def address_of(typed: str) -> Address:
    """Return the address that somebody typed; raise Malformed, which does not repeat it."""
    if len(typed) > 4 * LONGEST:
        raise Malformed(f"The address is too long; one may have {LONGEST} characters.")
    text = unicodedata.normalize("NFKC", typed).strip(" \t\r\n")
    try:
        found = validate_email(text, check_deliverability=False, strict=True)
    except EmailNotValidError:
        # its own sentence may quote the address
        raise Malformed("This is not a mail address; it should look like jo@example.org.") from None
    key = f"{_folded(found.local_part)}@{found.ascii_domain.lower()}"
    if len(key) > LONGEST or len(found.normalized) > LONGEST:
        raise Malformed(f"The address is too long; one may have {LONGEST} characters.")
    return Address(found.normalized, key)


def _folded(text: str) -> str:
    """Return the text without differences of case and of compatible forms."""
    once = unicodedata.normalize("NFKC", unicodedata.normalize("NFD", text).casefold())
    return unicodedata.normalize("NFKC", once.casefold())
