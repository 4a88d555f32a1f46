"""Mail by SMTP: one connection per email, timeouts on every step, certificates always verified.

Azure Communication Services is used in the same way: `smtp+starttls://…@smtp.azurecomm.net:587`.
"""

from __future__ import annotations

import re
import smtplib
import ssl
from contextlib import suppress
from dataclasses import dataclass, field
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP, SMTPUTF8
from email.utils import format_datetime, parseaddr
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from functions.mail.addresses import Mailbox, mailbox_of
from functions.mail.texts import PRODUCT
from functions.platform.errors import MailRefused, MailUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from functions.mail.model import Email

TIMEOUT_S = 30.0
"""Time limit per step. RFC 5321, section 4.5.3.2, recommends minutes, but the queue retries anyway."""

PORTS = {"smtp": 25, "smtp+starttls": 587, "smtps": 465}
_ENHANCED = re.compile(rb"([245]\.\d{1,3}\.\d{1,3})(?:\s|$)")


@dataclass(frozen=True, slots=True)
class SmtpServer:
    """The server in SMTP_URL; if `user` is empty, there is no authentication."""

    scheme: str
    host: str
    port: int
    user: str = field(repr=False)
    password: str = field(repr=False)


def server_of(url: str) -> SmtpServer:
    """Return the server in SMTP_URL. Raises MailRefused, whose detail does not repeat the URL or its password."""
    if not url:
        raise MailRefused("The setting SMTP_URL is not set, so there is no mail server to send through.")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        parts, port = urlsplit(""), None
    if parts.scheme not in PORTS or not parts.hostname:
        raise MailRefused(f"The setting SMTP_URL must be {' or '.join(f'{name}://host:port' for name in PORTS)}.")
    user, password = unquote(parts.username or ""), unquote(parts.password or "")
    if not (user + password).isascii():
        raise MailRefused("User and password in the setting SMTP_URL must be plain ASCII.")
    return SmtpServer(parts.scheme, parts.hostname, port or PORTS[parts.scheme], user, password)


def sender_of(text: str) -> tuple[str, Mailbox]:
    """Return the name and address in MAIL_FROM, which is an address or `Name <address>`. Raises MailRefused."""
    name, address = parseaddr(text)
    try:
        return name or PRODUCT, mailbox_of(address)
    except MailRefused as error:
        what = "is not set" if not text else f"is not an address: {error.detail}"
        raise MailRefused(f"The setting MAIL_FROM {what}") from None


class SmtpTransport:
    """Transports emails by SMTP; missing or invalid settings are reported when an email is delivered."""

    def __init__(self, url: str, sender: str, now: Callable[[], datetime], *, timeout_s: float = TIMEOUT_S) -> None:
        self._url = url
        self._sender = sender
        self._now = now
        self._timeout_s = timeout_s

    def deliver(self, email: Email, *, to: str, email_id: str) -> None:
        """Deliver an email. Raises MailRefused or MailUnavailable, neither of which contains an address."""
        server, (name, sender), recipient = server_of(self._url), sender_of(self._sender), mailbox_of(to)
        try:
            smtp = _connected(server, called=sender.domain, timeout_s=self._timeout_s)
            try:
                utf8 = _utf8_needed(smtp, sender, recipient)
                message = self._message(email, name, sender, recipient, email_id, utf8=utf8)
                options = ("SMTPUTF8", "BODY=8BITMIME") if utf8 else ()
                smtp.sendmail(str(sender), [str(recipient)], message, mail_options=options)
                with suppress(smtplib.SMTPException, OSError):  # the email was accepted, even if QUIT fails
                    smtp.quit()
            finally:
                smtp.close()
        except smtplib.SMTPRecipientsRefused as error:
            raise _refusal("the recipient", *error.recipients[str(recipient)]) from None
        except smtplib.SMTPSenderRefused as error:
            raise _refusal("the sender in MAIL_FROM", error.smtp_code, error.smtp_error) from None
        except smtplib.SMTPDataError as error:
            raise _refusal("the email", error.smtp_code, error.smtp_error) from None
        except (smtplib.SMTPException, OSError) as error:
            raise MailUnavailable(f"The mail server {server.host}:{server.port} {_trouble(error)}.") from None

    def _message(
        self, email: Email, name: str, sender: Mailbox, recipient: Mailbox, email_id: str, *, utf8: bool
    ) -> bytes:
        message = EmailMessage(SMTPUTF8 if utf8 else SMTP)
        message["From"] = Address(name, sender.local, sender.domain)
        message["To"] = Address("", recipient.local, recipient.domain)
        message["Subject"] = email.subject
        message["Date"] = format_datetime(self._now())
        message["Message-ID"] = f"<{email_id}@{sender.domain}>"
        message["Auto-Submitted"] = "auto-generated"  # so that automatic responders do not reply (RFC 3834)
        message.set_content(email.text)
        message.add_alternative(email.html, subtype="html")
        return message.as_bytes()


def _connected(server: SmtpServer, *, called: str, timeout_s: float) -> smtplib.SMTP:
    """Return a connection that is ready to send; `called` is our host name in EHLO."""
    trust = ssl.create_default_context()
    smtp: smtplib.SMTP
    if server.scheme == "smtps":
        smtp = smtplib.SMTP_SSL(server.host, server.port, called, timeout=timeout_s, context=trust)
    else:
        smtp = smtplib.SMTP(server.host, server.port, called, timeout=timeout_s)
    try:
        if server.scheme == "smtp+starttls":
            smtp.starttls(context=trust)  # raises if the server has no STARTTLS, so nothing is sent in clear
        smtp.ehlo_or_helo_if_needed()
        if server.user:
            smtp.login(server.user, server.password)
    except BaseException:
        smtp.close()
        raise
    return smtp


def _utf8_needed(smtp: smtplib.SMTP, *addresses: Mailbox) -> bool:
    needed = any(address.needs_utf8 for address in addresses)
    if needed and not smtp.has_extn("smtputf8"):
        raise MailRefused("The mail server does not support non-ASCII characters before the @ (no SMTPUTF8).")
    return needed


def _refusal(what: str, code: int, answer: bytes | str) -> MailRefused | MailUnavailable:
    """Return the error for a reply; 5xx is permanent. The reply's text is omitted because it may contain addresses."""
    enhanced = _ENHANCED.match(answer.encode() if isinstance(answer, str) else answer)
    shown = f"{code} {enhanced[1].decode()}" if enhanced else str(code)
    if code >= 500:
        return MailRefused(f"The mail server permanently refuses {what} ({shown}).")
    return MailUnavailable(f"The mail server temporarily refuses {what} ({shown}).")


def _trouble(error: Exception) -> str:
    """Describe a failure as the end of a sentence that begins with the mail server's name."""
    match error:
        case smtplib.SMTPAuthenticationError():
            return f"refuses the user or the password of SMTP_URL ({error.smtp_code})"
        case smtplib.SMTPNotSupportedError():
            return "does not offer what SMTP_URL requires, STARTTLS or a login"
        case smtplib.SMTPResponseException():
            return f"is not ready ({error.smtp_code})"
        case ssl.SSLCertVerificationError():
            return f"has a certificate that cannot be trusted: {error.verify_message}"
        case smtplib.SMTPServerDisconnected() | TimeoutError():
            return "closed the connection or did not answer in time"
        case smtplib.SMTPException():
            return f"violates the SMTP protocol ({type(error).__name__})"
        case _:
            return f"cannot be reached ({getattr(error, 'strerror', None) or type(error).__name__})"
