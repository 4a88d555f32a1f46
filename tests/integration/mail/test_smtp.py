"""Letters over real connections to real mail servers: what arrives, what is refused, whom we trust."""

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
from tests.support.mail import PASSWORD, USER, Desk, MailServer, knows_the_user, make_authority

if TYPE_CHECKING:
    from collections.abc import Iterator
    from email.message import EmailMessage

    from tests.support.mail import Authority

LINK = "https://films.example/confirm.html#token=" + "x" * 64
NOW = datetime(2026, 11, 24, 12, 30, tzinfo=UTC)


def carry(url: str, *, to: str = "ann@example.org", sender: str = "Films <films@example.org>") -> None:
    carrier = SmtpTransport(url, sender, lambda: NOW, timeout_s=2)
    carrier.deliver(email_for(EmailKind.CONFIRM, LINK), to=to, email_id="abc123")


def text_of(letter: EmailMessage, kind: str = "plain") -> str:
    body = letter.get_body((kind,))
    assert body is not None
    return str(body.get_content())


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return make_authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture
def trusted(authority: Authority, monkeypatch: pytest.MonkeyPatch) -> Authority:
    """The authority, trusted as an owner makes the functions trust one: by OpenSSL's own variable."""
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.certificate))
    return authority


def test_a_letter_arrives_whole() -> None:
    with MailServer() as server:
        carry(f"smtp://127.0.0.1:{server.port}")
    [letter] = server.desk.letters
    assert server.desk.recipients == ["ann@example.org"]
    assert (letter["From"], letter["To"]) == ("Films <films@example.org>", "ann@example.org")
    assert letter["Subject"] == "Confirm your address for Notflix"
    assert letter["Message-ID"] == "<abc123@example.org>"
    assert letter["Date"] == "Tue, 24 Nov 2026 12:30:00 +0000"
    assert letter["Auto-Submitted"] == "auto-generated"
    assert letter.get_content_type() == "multipart/alternative"
    assert LINK in text_of(letter).splitlines()
    assert f'href="{LINK}"' in text_of(letter, "html")
    assert not letter.defects


def test_a_letter_arrives_over_tls_with_a_login(trusted: Authority) -> None:
    with MailServer(tls=trusted.server, authenticator=knows_the_user, auth_require_tls=False) as server:
        carry(f"smtps://{USER}:{quote(PASSWORD, safe='')}@127.0.0.1:{server.port}")
    assert len(server.desk.letters) == 1 and server.desk.logged_in


def test_a_letter_arrives_over_starttls_with_a_login(trusted: Authority) -> None:
    options: dict[str, Any] = {"authenticator": knows_the_user, "auth_required": True, "require_starttls": True}
    with MailServer(tls_context=trusted.server, **options) as server:
        carry(f"smtp+starttls://{USER}:{quote(PASSWORD, safe='')}@127.0.0.1:{server.port}")
    assert len(server.desk.letters) == 1


@pytest.mark.parametrize("scheme", ["smtps", "smtp+starttls"])
def test_a_server_with_an_unknown_certificate_gets_nothing(authority: Authority, scheme: str) -> None:
    how: dict[str, Any] = {"tls": authority.server} if scheme == "smtps" else {"tls_context": authority.server}
    with (
        MailServer(authenticator=knows_the_user, auth_require_tls=False, **how) as server,
        pytest.raises(MailUnavailable, match="certificate that is not to be trusted"),
    ):
        carry(f"{scheme}://{USER}:{quote(PASSWORD, safe='')}@127.0.0.1:{server.port}")
    assert not server.desk.letters


def test_a_certificate_of_another_host_is_refused(trusted: Authority) -> None:
    with (
        MailServer(tls=trusted.server) as server,
        pytest.raises(MailUnavailable, match="certificate that is not to be trusted"),
    ):
        carry(f"smtps://localhost:{server.port}")
    assert not server.desk.letters


def test_where_tls_is_asked_for_and_not_offered_nothing_goes_in_clear(trusted: Authority) -> None:
    with (
        MailServer(authenticator=knows_the_user, auth_require_tls=False) as server,
        pytest.raises(MailUnavailable, match="STARTTLS"),
    ):
        carry(f"smtp+starttls://{USER}:{quote(PASSWORD, safe='')}@127.0.0.1:{server.port}")
    assert not server.desk.letters


def test_a_wrong_password_is_told_without_it_and_tried_again(trusted: Authority) -> None:
    options: dict[str, Any] = {"authenticator": knows_the_user, "auth_required": True}
    with (
        MailServer(tls_context=trusted.server, **options) as server,
        pytest.raises(MailUnavailable, match=r"refuses the user or the password of SMTP_URL \(535\)") as refused,
    ):
        carry(f"smtp+starttls://{USER}:mistyped@127.0.0.1:{server.port}")
    assert "mistyped" not in refused.value.detail


@pytest.mark.parametrize(
    ("step", "reply", "error", "told"),
    [
        ("RCPT", "550 5.1.1 <ann@example.org> is unknown", MailRefused, r"the recipient for good \(550 5.1.1\)"),
        ("RCPT", "450 4.2.0 <ann@example.org> greylisted", MailUnavailable, r"the recipient for now \(450 4.2.0\)"),
        ("RCPT", "421 go away", MailUnavailable, r"\(421\)"),
        ("MAIL", "553 films@example.org is not yours", MailRefused, r"MAIL_FROM, for good \(553\)"),
        ("DATA", "554 5.7.1 ann@example.org wants no spam", MailRefused, r"the letter for good \(554 5.7.1\)"),
        ("DATA", "452 4.3.1 full", MailUnavailable, r"the letter for now \(452 4.3.1\)"),
    ],
)
def test_refusals_are_told_apart_and_name_nobody(step: str, reply: str, error: type[Exception], told: str) -> None:
    with MailServer(Desk({step: reply})) as server, pytest.raises(error, match=told) as refused:
        carry(f"smtp://127.0.0.1:{server.port}")
    assert "@" not in str(refused.value)
    assert refused.value.__suppress_context__, "a traceback would show the server's words, which name the address"


def test_a_domain_beyond_ascii_is_written_to_whatever_the_server_knows() -> None:
    for knows_utf8 in (True, False):
        with MailServer(enable_SMTPUTF8=knows_utf8) as server:
            carry(f"smtp://127.0.0.1:{server.port}", to="ann@straße.example")
        assert server.desk.recipients == ["ann@xn--strae-oqa.example"]
        assert server.desk.letters[0]["To"] == "ann@xn--strae-oqa.example"


def test_a_name_beyond_ascii_is_written_to_where_the_server_knows_smtputf8() -> None:
    with MailServer() as server:
        carry(f"smtp://127.0.0.1:{server.port}", to="jörg@bücher.example", sender="Kinó <kinó@example.org>")
    assert server.desk.recipients == ["jörg@xn--bcher-kva.example"]
    assert server.desk.letters[0]["To"] == "jörg@xn--bcher-kva.example"
    assert server.desk.letters[0]["From"] == "Kinó <kinó@example.org>"
    with MailServer(enable_SMTPUTF8=False) as server, pytest.raises(MailRefused, match="SMTPUTF8"):
        carry(f"smtp://127.0.0.1:{server.port}", to="jörg@bücher.example")
    assert not server.desk.letters


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
def test_an_address_cannot_bring_headers_commands_or_other_recipients_with_it(to: str) -> None:
    with MailServer() as server, pytest.raises(MailRefused):
        carry(f"smtp://127.0.0.1:{server.port}", to=to)
    assert not server.desk.letters and not server.desk.recipients


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
def test_a_setting_that_is_missing_or_wrong_is_named_and_not_repeated(url: str, sender: str, setting: str) -> None:
    with pytest.raises(MailRefused, match=setting) as refused:
        carry(url, sender=sender)
    assert "mail.test" not in refused.value.detail and "p%C3" not in refused.value.detail


@contextmanager
def silent_server() -> Iterator[int]:
    """A server that takes connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield listening.getsockname()[1]


def test_a_server_that_says_nothing_is_given_up() -> None:
    with silent_server() as port, pytest.raises(MailUnavailable, match="not answer in time"):
        carry(f"smtp://127.0.0.1:{port}")


def test_a_server_that_is_away_is_told_and_found_again_when_it_is_back() -> None:
    with MailServer() as server:
        port = server.port
    with pytest.raises(MailUnavailable, match="cannot be reached"):
        carry(f"smtp://127.0.0.1:{port}")
    with MailServer(port=port) as server:
        carry(f"smtp://127.0.0.1:{port}")
    assert len(server.desk.letters) == 1


def test_a_letter_that_was_taken_is_sent_though_the_server_takes_no_leave() -> None:
    said: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def answer() -> None:
            connection, _ = listening.accept()
            with connection, connection.makefile("rwb", buffering=0) as stream:
                stream.write(b"220 ready\r\n")
                in_letter = False
                for line in stream:
                    said.append(line)
                    if in_letter:
                        if line != b".\r\n":
                            continue
                        in_letter = False
                        stream.write(b"250 taken\r\n")
                    elif line.upper().startswith(b"QUIT"):
                        return
                    else:
                        in_letter = line.upper().startswith(b"DATA")
                        stream.write(b"354 go on\r\n" if in_letter else b"250 OK\r\n")

        thread = threading.Thread(target=answer)
        thread.start()
        carry(f"smtp://127.0.0.1:{listening.getsockname()[1]}")
        thread.join(5)
    assert said[0] == b"ehlo example.org\r\n" and said[-1].upper() == b"QUIT\r\n"
