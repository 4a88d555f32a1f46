"""The words of mail: a letter that is asked for, what it says, and the two ways in which it can fail."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

from functions.platform.errors import Malformed

if TYPE_CHECKING:
    from collections.abc import Mapping


class Kind(StrEnum):
    """What a letter is about."""

    CONFIRM = "confirm"
    RESET = "reset"
    WELCOME_ADMIN = "welcome_admin"
    PASSWORD_CHANGED = "password_changed"
    ACCOUNT_DELETED = "account_deleted"

    @property
    def has_link(self) -> bool:
        """Return whether the letter is there to bring a link."""
        return self in (Kind.CONFIRM, Kind.RESET, Kind.WELCOME_ADMIN)


@dataclass(frozen=True, slots=True)
class Request:
    """A letter that is asked for.

    `letter_id` is the same whenever the same letter is tried again: it hangs on the link, which no other letter has, or
    on the queue message's id where there is none. `deferrals` counts how often the letter was put off after a series of
    tries that all failed.
    """

    letter_id: str
    kind: Kind
    to: str = field(repr=False)
    link: str = field(default="", repr=False)
    deferrals: int = 0


@dataclass(frozen=True, slots=True)
class Letter:
    """What a letter says: as plain text, and the same as HTML."""

    subject: str
    text: str = field(repr=False)
    html: str = field(repr=False)


class Carrier(Protocol):
    """Takes a letter to the mail server."""

    def carry(self, letter: Letter, *, to: str, letter_id: str) -> None:
        """Hand the letter over; raise MailRefused if that can never be, MailUnavailable if it may be later."""


def request_of(message: Mapping[str, object], *, message_id: str) -> Request:
    """Read a queue message {"kind", "to", "link"}; raise Malformed, which repeats nothing of what stands in it.

    A letter that was put off carries its id and how often it was, as `message_of` writes them.
    """
    kind, to, link = message.get("kind"), message.get("to"), message.get("link", "")
    letter_id, deferrals = message.get("letter_id", ""), message.get("deferrals", 0)
    if kind not in list(Kind):
        raise Malformed(f"A message must have a kind, one of {', '.join(Kind)}.")
    known = Kind(str(kind))
    if not (
        isinstance(to, str) and isinstance(link, str) and isinstance(letter_id, str) and isinstance(deferrals, int)
    ):
        raise Malformed(f'A message of kind {known} must be {{"kind", "to", "link"}}, all of them text.')
    if known.has_link and not _is_web_address(link):
        raise Malformed(f"A message of kind {known} must have a web address as its link.")
    link = link if known.has_link else ""
    own_id = hashlib.sha256(f"{known} {to} {link or message_id}".encode("utf-8", "surrogatepass")).hexdigest()[:32]
    return Request(letter_id or own_id, known, to, link, deferrals)


def message_of(request: Request) -> dict[str, object]:
    """Return the queue message that asks for the same letter."""
    return {
        "kind": request.kind.value,
        "to": request.to,
        "link": request.link,
        "letter_id": request.letter_id,
        "deferrals": request.deferrals,
    }


def _is_web_address(link: str) -> bool:
    plain = link.isascii() and link.isprintable() and " " not in link
    return plain and link.startswith(("https://", "http://"))
