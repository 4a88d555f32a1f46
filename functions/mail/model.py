"""The request to send an email, and the email itself."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum


class EmailKind(StrEnum):
    """The kind of an email, by its occasion."""

    CONFIRM = "confirm"
    RESET = "reset"
    WELCOME_ADMIN = "welcome_admin"
    PASSWORD_CHANGED = "password_changed"
    ACCOUNT_DELETED = "account_deleted"

    @property
    def has_link(self) -> bool:
        """Return whether the purpose of the email is to deliver a link."""
        return self in (EmailKind.CONFIRM, EmailKind.RESET, EmailKind.WELCOME_ADMIN)


@dataclass(frozen=True, slots=True)
class EmailRequest:
    """An email to send.

    `email_id` stays the same when the same email is sent again. `deferrals` counts how often the email was deferred
    after the queue had used up its attempts.
    """

    email_id: str
    kind: EmailKind
    to: str = field(repr=False)
    link: str = field(default="", repr=False)
    deferrals: int = 0


@dataclass(frozen=True, slots=True)
class Email:
    """Subject and body; the body is available as plain text and as HTML with the same content."""

    subject: str
    text: str = field(repr=False)
    html: str = field(repr=False)
