"""What mail needs of the outside."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from functions.mail.model import Email


class MailTransport(Protocol):
    """Hands emails to a mail server."""

    def deliver(self, email: Email, *, to: str, email_id: str) -> None:
        """Deliver an email; raise MailRefused if it can never be delivered, MailUnavailable if a retry may help."""
