"""The interface that mail needs: a transport."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from functions.mail.model import Email


class MailTransport(Protocol):
    """Delivers emails to a mail server."""

    def deliver(self, email: Email, *, to: str, email_id: str) -> None:
        """Deliver an email. Raises MailRefused if it can never be delivered, MailUnavailable if a retry may help."""
