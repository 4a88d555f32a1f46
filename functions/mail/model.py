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
    SECOND_FACTOR_ADDED = "second_factor_added"
    SECOND_FACTOR_REMOVED = "second_factor_removed"
    RECOVERY_CODES_RENEWED = "recovery_codes_renewed"
    ACCOUNT_DELETED = "account_deleted"
    PAYMENT_RECEIVED = "payment_received"
    PAYMENT_FAILED = "payment_failed"
    ENCODING_PAUSED = "encoding_paused"
    ACCOUNT_ERASED = "account_erased"
    TEST = "test"

    @property
    def has_link(self) -> bool:
        """Return whether the purpose of the email is to deliver a link."""
        return self in (EmailKind.CONFIRM, EmailKind.RESET, EmailKind.WELCOME_ADMIN)


@dataclass(frozen=True, slots=True)
class EmailRequest:
    """An email to send.

    `email_id` stays the same when the same email is sent again. `deferrals` is the number of times that the email was
    deferred after the queue had used up its attempts. `language` is a code, or empty for the first language.
    """

    email_id: str
    kind: EmailKind
    to: str = field(repr=False)
    link: str = field(default="", repr=False)
    deferrals: int = 0
    language: str = ""


@dataclass(frozen=True, slots=True)
class Email:
    """Subject and body; the body is available as plain text and as HTML with the same content."""

    subject: str
    text: str = field(repr=False)
    html: str = field(repr=False)
