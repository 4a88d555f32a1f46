"""How the parts of mail fit together."""

from __future__ import annotations

from typing import TYPE_CHECKING

from functions.mail.service import MailService
from functions.mail.smtp import SmtpTransport

if TYPE_CHECKING:
    from functions.platform.resources import Resources


def assemble(resources: Resources) -> MailService:
    """Return the service that sends emails; it connects at its first use."""
    settings = resources.settings()
    return MailService(
        SmtpTransport(settings.smtp_url, settings.mail_from, resources.now),
        pseudonym=resources.signed_tokens().pseudonym,
        enqueue=lambda message, delay_s: resources.queues().send(message, delay_s=delay_s),
    )
