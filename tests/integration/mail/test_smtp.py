"""Email over connections to real mail servers: which emails are accepted, and which servers are trusted."""

from __future__ import annotations

import socket
import threading
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest

from functions.mail.model import EmailKind
from functions.mail.smtp import SmtpTransport
from functions.mail.templates import email_for
from functions.platform.errors import MailRefused, MailUnavailable
from tests.support.mail import PASSWORD, USER, MailHandler, MailServer, authenticate, make_authority
from tests.support.ports import free_port

if TYPE_CHECKING:
    from collections.abc import Iterator
    from email.message import EmailMessage

    from tests.support.mail import Authority

LINK = "https://films.example/confirm.html#token=" + "x" * 64
NOW = datetime(2026, 11, 24, 12, 30, tzinfo=UTC)


def deliver(
    url: str, *, to: str = "ann@example.org", sender: str = "Films <films@example.org>", timeout_s: float = 30
) -> None:
    transport = SmtpTransport(url, sender, lambda: NOW, timeout_s=timeout_s)
    transport.deliver(email_for(EmailKind.CONFIRM, LINK), to=to, email_id="abc123")


def text_of(email: EmailMessage, kind: str = "plain") -> str:
    body = email.get_body((kind,))
    assert body is not None
    return str(body.get_content())


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return make_authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture
def trusted(authority: Authority, monkeypatch: pytest.MonkeyPatch) -> Authority:
    """Trust the certificate authority through OpenSSL's environment variable, as an owner would configure it."""
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.certificate))
    return authority


def test_an_email_arrives_complete() -> None:
    with MailServer() as server:
        deliver(f"smtp://127.0.0.1:{server.port}")
    [email] = server.handler.emails
    assert server.handler.recipients == ["ann@example.org"]
    assert (email["From"], email["To"]) == ("Films <films@example.org>", "ann@example.org")
    assert email["Subject"] == "Confirm your email address for Notflix"
    assert email["Message-ID"] == "<abc123@example.org>"
    assert email["Date"] == "Tue, 24 Nov 2026 12:30:00 +0000"
    assert email["Auto-Submitted"] == "auto-generated"
    assert email.get_content_type() == "multipart/alternative"
    assert LINK in text_of(email).splitlines()
    assert f'href="{LINK}"' in text_of(email, "html")
    assert not email.defects


def test_an_email_arrives_over_tls_with_a_login(trusted: Authority) -> None:
    with MailServer(tls=trusted.server, authenticator=authenticate, auth_require_tls=False) as server:
        deliver(f"smtps://{USER}:{quote(PASSWORD, safe='')}@127.0.0.1:{server.port}")
    assert len(server.handler.emails) == 1 and server.handler.logged_in


def test_an_email_arrives_over_starttls_with_a_login(trusted: Authority) -> None:
    options: dict[str, Any] = {"authenticator": authenticate, "auth_required": True, "require_starttls": True}
    with MailServer(tls_context=trusted.server, **options) as server:
        deliver(f"smtp+starttls://{USER}:{quote(PASSWORD, safe='')}@127.0.0.1:{server.port}")
    assert len(server.handler.emails) == 1


@pytest.mark.parametrize("scheme", ["smtps", "smtp+starttls"])
def test_a_server_with_an_untrusted_certificate_gets_nothing(authority: Authority, scheme: str) -> None:
    how: dict[str, Any] = {"tls": authority.server} if scheme == "smtps" else {"tls_context": authority.server}
    with (
        MailServer(authenticator=authenticate, auth_require_tls=False, **how) as server,
        pytest.raises(MailUnavailable, match="certificate that cannot be trusted"),
    ):
        deliver(f"{scheme}://{USER}:{quote(PASSWORD, safe='')}@127.0.0.1:{server.port}")
    assert not server.handler.emails


def test_a_certificate_of_another_host_is_refused(trusted: Authority) -> None:
    with (
        MailServer(tls=trusted.server) as server,
        pytest.raises(MailUnavailable, match="certificate that cannot be trusted"),
    ):
        deliver(f"smtps://localhost:{server.port}")
    assert not server.handler.emails


def test_nothing_is_sent_in_clear_if_the_server_does_not_offer_starttls(trusted: Authority) -> None:
    with (
        MailServer(authenticator=authenticate, auth_require_tls=False) as server,
        pytest.raises(MailUnavailable, match="STARTTLS"),
    ):
        deliver(f"smtp+starttls://{USER}:{quote(PASSWORD, safe='')}@127.0.0.1:{server.port}")
    assert not server.handler.emails


def test_a_wrong_password_is_reported_without_it_and_retried(trusted: Authority) -> None:
    options: dict[str, Any] = {"authenticator": authenticate, "auth_required": True}
    with (
        MailServer(tls_context=trusted.server, **options) as server,
        pytest.raises(MailUnavailable, match=r"refuses the user or the password of SMTP_URL \(535\)") as refused,
    ):
        deliver(f"smtp+starttls://{USER}:mistyped@127.0.0.1:{server.port}")
    assert "mistyped" not in refused.value.detail


@pytest.mark.parametrize(
    ("step", "reply", "error", "detail"),
    [
        ("RCPT", "550 5.1.1 <ann@example.org> is unknown", MailRefused, r"refuses the recipient \(550 5.1.1\)"),
        ("RCPT", "450 4.2.0 <ann@example.org> greylisted", MailUnavailable, r"refuses the recipient \(450 4.2.0\)"),
        ("RCPT", "421 go away", MailUnavailable, r"\(421\)"),
        ("MAIL", "553 films@example.org is not yours", MailRefused, r"refuses the sender in MAIL_FROM \(553\)"),
        ("DATA", "554 5.7.1 ann@example.org wants no spam", MailRefused, r"refuses the email \(554 5.7.1\)"),
        ("DATA", "452 4.3.1 full", MailUnavailable, r"refuses the email \(452 4.3.1\)"),
    ],
)
def test_permanent_and_temporary_refusals_are_distinguished_and_name_nobody(
    step: str, reply: str, error: type[Exception], detail: str
) -> None:
    with MailServer(MailHandler({step: reply})) as server, pytest.raises(error, match=detail) as refused:
        deliver(f"smtp://127.0.0.1:{server.port}")
    assert "@" not in str(refused.value)
    assert refused.value.__suppress_context__, "a traceback would show the server's words, which name the address"


def test_a_non_ascii_domain_works_with_every_server() -> None:
    for offers_utf8 in (True, False):
        with MailServer(enable_SMTPUTF8=offers_utf8) as server:
            deliver(f"smtp://127.0.0.1:{server.port}", to="ann@straße.example")
        assert server.handler.recipients == ["ann@xn--strae-oqa.example"]
        assert server.handler.emails[0]["To"] == "ann@xn--strae-oqa.example"


def test_a_non_ascii_local_part_works_with_servers_that_offer_smtputf8() -> None:
    with MailServer() as server:
        deliver(f"smtp://127.0.0.1:{server.port}", to="jörg@bücher.example", sender="Kinó <kinó@example.org>")
    assert server.handler.recipients == ["jörg@xn--bcher-kva.example"]
    assert server.handler.emails[0]["To"] == "jörg@xn--bcher-kva.example"
    assert server.handler.emails[0]["From"] == "Kinó <kinó@example.org>"
    with MailServer(enable_SMTPUTF8=False) as server, pytest.raises(MailRefused, match="SMTPUTF8"):
        deliver(f"smtp://127.0.0.1:{server.port}", to="jörg@bücher.example")
    assert not server.handler.emails


@pytest.mark.parametrize(
    "to",
    [
        "ann@example.org\r\nBcc: eve@example.org",
        "ann@example.org\nRCPT TO:<eve@example.org>",
        "ann@example.org>\r\nDATA\r\n\r\nspam\r\n.\r\n",
        "ann@example.org, eve@example.org",
        "ann@example.org> SIZE=1 <eve@example.org",
        "ann\u2028Bcc: eve@example.org",
    ],
)
def test_an_address_cannot_inject_headers_commands_or_recipients(to: str) -> None:
    with MailServer() as server, pytest.raises(MailRefused):
        deliver(f"smtp://127.0.0.1:{server.port}", to=to)
    assert not server.handler.emails and not server.handler.recipients


@pytest.mark.parametrize(
    ("url", "sender", "setting"),
    [
        ("", "films@example.org", "SMTP_URL is not set"),
        ("http://mail.test", "films@example.org", "SMTP_URL must be smtp://"),
        ("smtp://", "films@example.org", "SMTP_URL must be smtp://"),
        ("smtp://mail.test:many", "films@example.org", "SMTP_URL must be smtp://"),
        ("smtp://user:p%C3%A4ss@mail.test", "films@example.org", "SMTP_URL must be plain ASCII"),
        ("smtp://mail.test", "", "MAIL_FROM is not set"),
        ("smtp://mail.test", "the films", "MAIL_FROM is not an address"),
    ],
)
def test_a_missing_or_wrong_setting_is_named_and_its_value_not_repeated(url: str, sender: str, setting: str) -> None:
    with pytest.raises(MailRefused, match=setting) as refused:
        deliver(url, sender=sender)
    assert "mail.test" not in refused.value.detail and "p%C3" not in refused.value.detail


@contextmanager
def silent_server() -> Iterator[int]:
    """Run a server that accepts connections and never sends anything."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield listening.getsockname()[1]


def test_a_silent_server_times_out() -> None:
    with silent_server() as port, pytest.raises(MailUnavailable, match="not answer in time"):
        deliver(f"smtp://127.0.0.1:{port}", timeout_s=2)


def test_an_unreachable_server_is_reported_and_used_again_when_it_is_back() -> None:
    port = free_port()  # no other test takes it in the meantime
    with MailServer(port=port):
        pass
    with pytest.raises(MailUnavailable, match="cannot be reached"):
        deliver(f"smtp://127.0.0.1:{port}")
    with MailServer(port=port) as server:
        deliver(f"smtp://127.0.0.1:{port}")
    assert len(server.handler.emails) == 1


def test_an_accepted_email_counts_as_sent_even_if_quit_is_not_answered() -> None:
    received: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def answer() -> None:
            connection, _ = listening.accept()
            with connection, connection.makefile("rwb", buffering=0) as stream:
                stream.write(b"220 ready\r\n")
                in_data = False
                for line in stream:
                    received.append(line)
                    if in_data:
                        if line != b".\r\n":
                            continue
                        in_data = False
                        stream.write(b"250 accepted\r\n")
                    elif line.upper().startswith(b"QUIT"):
                        return
                    else:
                        in_data = line.upper().startswith(b"DATA")
                        stream.write(b"354 go on\r\n" if in_data else b"250 OK\r\n")

        thread = threading.Thread(target=answer)
        thread.start()
        deliver(f"smtp://127.0.0.1:{listening.getsockname()[1]}")
        thread.join(5)
    assert received[0] == b"ehlo example.org\r\n" and received[-1].upper() == b"QUIT\r\n"
