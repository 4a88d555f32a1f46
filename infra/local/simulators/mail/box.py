"""The Maildir in which the local mail server stores emails, and the emails in it in readable form."""

from __future__ import annotations

import mailbox
import re
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import SMTPUTF8
from typing import TYPE_CHECKING

import idna

if TYPE_CHECKING:
    from pathlib import Path

RECIPIENT = "Delivered-To"
_LINK = re.compile(r"https?://[^\s<>\"]+")


@dataclass(frozen=True, slots=True)
class Mail:
    """A received email; `links` are the web addresses in its text, in order and without duplicates."""

    at: datetime
    to: str
    subject: str
    text: str
    links: tuple[str, ...]


class Box:
    """The Maildir `folder`, which is created when the first email arrives."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def keep(self, recipient: str, content: bytes) -> None:
        """Store an email for one recipient atomically."""
        head = f"{RECIPIENT}: {recipient}\r\n".encode()
        self._folder.parent.mkdir(parents=True, exist_ok=True)
        maildir = mailbox.Maildir(self._folder)
        maildir.add(head + content)
        maildir.close()

    def mails(self, *, to: str = "") -> list[Mail]:
        """Return the received emails, newest first; with `to`, only those for this address."""
        found: list[tuple[int, str, Mail]] = []
        for path in (path for name in ("new", "cur") for path in self._folder.glob(f"{name}/*")):
            with suppress(FileNotFoundError):  # another mail program has just moved it
                at_ns, content = path.stat().st_mtime_ns, path.read_bytes()
                if not to or _recipient(content) == to:
                    found.append((at_ns, path.name, _read(at_ns, content)))
        return [mail for _, _, mail in sorted(found, key=lambda each: each[:2], reverse=True)]


def _recipient(content: bytes) -> str:
    """Return the address in the first line, which `keep` writes; reading the whole email takes 2 ms."""
    name, _, recipient = content.partition(b"\n")[0].decode("utf-8", "replace").partition(": ")
    return _as_typed(recipient.strip()) if name == RECIPIENT else ""


def _read(at_ns: int, content: bytes) -> Mail:
    message = message_from_bytes(content, _class=EmailMessage, policy=SMTPUTF8)
    body = message.get_body(("plain",))
    text = body.get_content() if body is not None else ""
    return Mail(
        datetime.fromtimestamp(at_ns / 1e9, UTC),
        _as_typed(str(message[RECIPIENT] or message["To"] or "")),
        str(message["Subject"] or ""),
        text.replace("\r\n", "\n"),
        tuple(dict.fromkeys(_LINK.findall(text))),
    )


def _as_typed(address: str) -> str:
    """Return the address with its domain in Unicode instead of the ASCII form that SMTP uses."""
    local, at, domain = address.rpartition("@")
    with suppress(UnicodeError):  # an invalid domain is left unchanged
        domain = idna.decode(domain)
    return f"{local}{at}{domain}"
