"""Email addresses for a mail server: exactly one address, which cannot inject another line or recipient."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass, field

import idna

from functions.platform.errors import MailRefused

LONGEST_ADDRESS = 254
"""Maximum octets of an address; a path is limited to 256 including angle brackets (RFC 5321, section 4.5.3.1.3)."""

LONGEST_LOCAL_PART = 64
"""Maximum octets before the @ (RFC 5321, section 4.5.3.1.1)."""

SPECIALS = frozenset('()<>[]:;@\\,"')
"""Characters that an unquoted local part must not contain (RFC 5322, section 3.2.3); quoted local parts are refused."""


@dataclass(frozen=True, slots=True)
class Mailbox:
    """A parsed address, with its domain in the ASCII form that every server accepts."""

    local: str = field(repr=False)
    domain: str = field(repr=False)

    @property
    def needs_utf8(self) -> bool:
        """Return whether the address requires a server with SMTPUTF8 (RFC 6531)."""
        return not self.local.isascii()

    def __str__(self) -> str:
        return f"{self.local}@{self.domain}"


def mailbox_of(text: str) -> Mailbox:
    """Return the one address in `text`. Raises MailRefused, whose detail does not repeat the text.

    The domain is encoded by IDNA 2008 (RFC 5891) after the mapping of UTS 46. The older rules turn ß into ss, and would
    therefore deliver mail for one domain to the owner of another. The local part is left unchanged, because only the
    receiving server can interpret it.
    """
    local, at, domain = text.rpartition("@")
    if not (at and local and domain):
        raise MailRefused("The address is not of the form name@domain.")
    if any(unicodedata.category(character)[0] in "CZ" or character in SPECIALS for character in local):
        raise MailRefused("The name before the @ contains a character that is not allowed there.")
    if local.startswith(".") or local.endswith(".") or ".." in local:
        raise MailRefused("The name before the @ has a misplaced dot.")
    try:
        ascii_domain = idna.encode(domain.removesuffix("."), uts46=True, std3_rules=True).decode()
    except UnicodeError:  # includes the errors of idna
        raise MailRefused("The part after the @ is not a domain.") from None
    address = Mailbox(local, ascii_domain)
    if len(local.encode()) > LONGEST_LOCAL_PART or len(str(address).encode()) > LONGEST_ADDRESS:
        raise MailRefused("The address is too long.")
    return address
