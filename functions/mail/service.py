"""Sending email: writing, delivering, deferring while the mail server is unreachable, and finally giving up.

Logs contain the kind of an email and a pseudonym of its recipient, never the address or the link.
"""

from __future__ import annotations

import hashlib
import logging
from typing import TYPE_CHECKING

from functions.mail.model import EmailKind, EmailRequest
from functions.mail.templates import email_for
from functions.platform.errors import MailRefused, Malformed
from functions.platform.messages import SendMail

if TYPE_CHECKING:
    from collections.abc import Callable

    from functions.mail.ports import MailTransport

log = logging.getLogger(__name__)

DEFERRALS_S = (60, 120, 240, 480, 900)
"""How long an email is deferred, in seconds, after each exhausted series of attempts; then it is given up.

The sum is half an hour, the lifetime of a link. A server with greylisting accepts an email after some minutes.
"""


class MailService:
    """Sends emails; `enqueue` sends a message after a delay in seconds, `pseudonym` replaces an address in logs."""

    def __init__(
        self,
        transport: MailTransport,
        *,
        pseudonym: Callable[[str], str],
        enqueue: Callable[[SendMail, int], None],
    ) -> None:
        self._transport = transport
        self._pseudonym = pseudonym
        self._enqueue = enqueue

    def send(self, message: SendMail, *, message_id: str) -> None:
        """Send the requested email. Raises MailUnavailable, which is retried, or Malformed, which is not.

        An email that the server permanently refuses is logged and dropped.
        """
        request = request_of(message, message_id=message_id)
        try:
            self._transport.deliver(email_for(request.kind, request.link), to=request.to, email_id=request.email_id)
        except MailRefused as error:
            log.error("%s was not sent: %s", self._described(request), error.detail)
            return
        log.info("%s was sent.", self._described(request))

    def defer(self, message: SendMail, *, message_id: str) -> None:
        """Defer an email that has no attempts left; give it up when its link has expired."""
        request = request_of(message, message_id=message_id)
        if request.deferrals >= len(DEFERRALS_S):
            log.error("%s is given up: no attempt could send it.", self._described(request))
            return
        delay_s = DEFERRALS_S[request.deferrals]
        kind, deferrals = request.kind.value, request.deferrals + 1
        self._enqueue(SendMail(kind, request.to, request.link, request.email_id, deferrals), delay_s)
        log.warning("%s could not be sent and is deferred for %d s.", self._described(request), delay_s)

    def _described(self, request: EmailRequest) -> str:
        # case-folded, so that an address has the same pseudonym in all logs, however it was typed
        return f"An email of kind {request.kind} to {self._pseudonym(request.to.casefold())}"


def request_of(message: SendMail, *, message_id: str) -> EmailRequest:
    """Return the request in a message. Raises Malformed, whose detail repeats no value of the message.

    If the message has no email id, the id is derived from the link, or without a link from the queue message's id.
    """
    if message.kind not in list(EmailKind):
        raise Malformed(f"The kind of an email must be one of {', '.join(EmailKind)}.")
    kind = EmailKind(message.kind)
    if kind.has_link and not _is_web_address(message.link):
        raise Malformed(f"An email of kind {kind} needs a web address as its link.")
    link = message.link if kind.has_link else ""
    identity = f"{kind} {message.to} {link or message_id}".encode("utf-8", "surrogatepass")
    return EmailRequest(
        message.email_id or hashlib.sha256(identity).hexdigest()[:32], kind, message.to, link, message.deferrals
    )


def _is_web_address(link: str) -> bool:
    plain = link.isascii() and link.isprintable() and " " not in link
    return plain and link.startswith(("https://", "http://"))
