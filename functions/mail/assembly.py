"""Creates the services of the mail slice with their dependencies."""

from __future__ import annotations

from typing import TYPE_CHECKING

from functions.mail.service import MailService
from functions.mail.smtp import TIMEOUT_S, SmtpTransport

if TYPE_CHECKING:
    from collections.abc import Callable

    from functions.platform.resources import Resources


def assemble(resources: Resources, renew_link: Callable[[str], None], *, timeout_s: float = TIMEOUT_S) -> MailService:
    """Return the service that sends emails; it connects at its first use, and waits `timeout_s` in each step.

    `renew_link` begins the life of a mailed link.
    """
    settings = resources.settings()
    return MailService(
        SmtpTransport(settings.smtp_url, settings.mail_from, resources.now, timeout_s=timeout_s),
        pseudonym=resources.signed_tokens().pseudonym,
        renew_link=renew_link,
        enqueue=lambda message, delay_s: resources.queues().send(message, delay_s=delay_s),
    )
