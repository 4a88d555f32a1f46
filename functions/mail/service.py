"""Sending email: writing, delivering, deferring while the mail server is unreachable, and finally giving up.

Logs contain the kind of an email and a pseudonym of its recipient, never the address or the link.
"""

from __future__ import annotations

import hashlib
import logging
import secrets
from typing import TYPE_CHECKING

from functions.mail.model import EmailKind, EmailRequest
from functions.mail.templates import email_for
from functions.platform.deferrals import next_deferral_s
from functions.platform.errors import MailRefused, Malformed
from functions.platform.finding import Finding
from functions.platform.messages import SendMail

if TYPE_CHECKING:
    from collections.abc import Callable

    from functions.mail.ports import MailTransport
    from functions.platform.viewer import Recipient

log = logging.getLogger(__name__)


class MailService:
    """Sends emails; `enqueue` sends a message after a delay in seconds, `pseudonym` replaces an address in logs.

    `renew_link` begins the life of a link; it may raise StoreUnavailable.
    """

    def __init__(
        self,
        transport: MailTransport,
        *,
        pseudonym: Callable[[str], str],
        renew_link: Callable[[str], None],
        enqueue: Callable[[SendMail, int], None],
    ) -> None:
        self._transport = transport
        self._pseudonym = pseudonym
        self._renew_link = renew_link
        self._enqueue = enqueue

    def send(self, message: SendMail, *, message_id: str) -> None:
        """Send the requested email; one that the server permanently refuses is logged and dropped.

        Raises MailUnavailable or StoreUnavailable, which are retried, or Malformed, which is not.
        """
        request = request_of(message, message_id=message_id)
        if request.link:
            self._renew_link(request.link)
        try:
            email = email_for(request.kind, request.link, request.language)
            self._transport.deliver(email, to=request.to, email_id=request.email_id)
        except MailRefused as error:
            log.error("%s was not sent: %s", self._described(request), error.detail)
            return
        log.info("%s was sent.", self._described(request))

    def send_test(self, to: Recipient) -> Finding:
        """Send a test email at once. Raises MailUnavailable and MailRefused, whose details say why it was not sent."""
        email_id = secrets.token_hex(16)
        self._transport.deliver(email_for(EmailKind.TEST, "", to.language), to=to.email, email_id=email_id)
        return Finding(True, f"The mail server accepted an email to {to.email}. Check your inbox, and the spam folder.")

    def defer(self, message: SendMail, *, message_id: str) -> None:
        """Defer an email that has no attempts left, or drop it after its last deferral."""
        request = request_of(message, message_id=message_id)
        delay_s = next_deferral_s(request.deferrals)
        if delay_s is None:
            log.error("%s is given up, because all attempts to send it failed.", self._described(request))
            return
        kind, deferrals = request.kind.value, request.deferrals + 1
        again = SendMail(kind, request.to, request.link, request.email_id, deferrals, request.language)
        self._enqueue(again, delay_s)
        log.warning("%s could not be sent and is deferred for %d s.", self._described(request), delay_s)

    def _described(self, request: EmailRequest) -> str:
        # case-folded, so that an address has the same pseudonym in all logs, however it was typed
        return f"An email of kind {request.kind} to {self._pseudonym(request.to.casefold())}"


def request_of(message: SendMail, *, message_id: str) -> EmailRequest:
    """Return the request in a message. Raises Malformed; its detail contains no value of the message.

    If the message has no email id, the id is derived from the link or, if there is none, from the queue message's id.
    """
    if message.kind not in list(EmailKind):
        raise Malformed(f"The kind of an email must be one of {', '.join(EmailKind)}.")
    kind = EmailKind(message.kind)
    if kind.has_link and not _is_web_address(message.link):
        raise Malformed(f"An email of kind {kind} needs a web address as its link.")
    link = message.link if kind.has_link else ""
    identity = f"{kind} {message.to} {link or message_id}".encode("utf-8", "surrogatepass")
    email_id = message.email_id or hashlib.sha256(identity).hexdigest()[:32]
    return EmailRequest(email_id, kind, message.to, link, message.deferrals, message.language)


def _is_web_address(link: str) -> bool:
    plain = link.isascii() and link.isprintable() and " " not in link
    return plain and link.startswith(("https://", "http://"))
