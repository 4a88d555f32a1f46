"""Emails go from the queue through the function to a mail server, and are retried while the server is unreachable."""

from __future__ import annotations

import json
import shutil
import signal
import socket
import subprocess
import sys
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest
from azure.core.exceptions import ResourceNotFoundError
from azure.storage.queue import QueueServiceClient

from functions.platform.messages import SendMail
from functions.platform.queues import Queues
from infra.local.cli.mail import show_mail
from infra.local.cli.product import _refusal_of_mail
from infra.local.simulators.mail.box import Box
from tests.integration.host.running import REPOSITORY, RunningHost
from tests.support.mail import MailHandler, MailServer
from tests.support.ports import free_port
from tests.support.waiting import eventually

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.integration.conftest import Stack

APP = """
import azure.functions as func
from functions.mail.triggers import app as mail

app = func.FunctionApp()
app.register_functions(mail.blueprint)
"""
SIGNING_KEY = "k" * 32


class LocalMail:
    """The local mail server as a process, and the folder in which it stores emails."""

    def __init__(self, home: Path, port: int) -> None:
        self.port = port
        self.box = Box(home / "data" / "mail")
        self._command = [sys.executable, "-m", "infra.local.simulators.mail", "--port", str(port)]
        self._command += ["--box", str(home / "data" / "mail")]
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start the server and wait until it accepts connections."""
        self._process = subprocess.Popen(self._command, cwd=REPOSITORY)
        eventually(lambda: _refusal_of_mail(self.port) is None)

    def stop(self) -> int:
        """Stop the server; return its exit code."""
        if self._process is None:
            return 0
        self._process.send_signal(signal.SIGTERM)
        code, self._process = self._process.wait(10), None
        return code


@pytest.fixture
def local_mail(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[LocalMail]:
    monkeypatch.setenv("NOTFLIX_HOME", str(tmp_path))
    mail = LocalMail(tmp_path, free_port())
    mail.start()
    yield mail
    assert mail.stop() == 0


@pytest.fixture
def queues(stack: Stack) -> Iterator[Queues]:
    """Empty the queues of mail; yield a client of all queues."""
    with QueueServiceClient.from_connection_string(stack.settings.storage) as service:
        for name in ("send-mail", "send-mail-poison"):
            with suppress(ResourceNotFoundError):
                service.get_queue_client(name).clear_messages()
        yield Queues(service)


def waiting(stack: Stack, queue: str) -> int:
    with QueueServiceClient.from_connection_string(stack.settings.storage) as service:
        return service.get_queue_client(queue).get_queue_properties().approximate_message_count or 0


def start_host(stack: Stack, folder: Path, port: int) -> RunningHost:
    """Run only the functions of mail under the host, with short retry intervals."""
    app = folder / "app"
    app.mkdir()
    shutil.copy(REPOSITORY / "host.json", app)
    (app / "mail_app.py").write_text(APP)
    settings = {
        **stack.environment,  # the life of a link begins in the store of logins when its email is sent
        "SMTP_URL": f"smtp://127.0.0.1:{port}",
        "MAIL_FROM": "Notflix <films@example.org>",
        "SIGNING_KEY": SIGNING_KEY,
        "AzureFunctionsJobHost__extensions__queues__visibilityTimeout": "00:00:01",
        "PYTHONPATH": str(REPOSITORY),
    }
    host = RunningHost(stack.settings.storage, folder / "host.log")
    return host.start(app="mail_app", root=app, **settings)


def test_an_email_goes_from_the_queue_to_the_mailbox_even_if_the_server_is_unreachable_at_first(
    stack: Stack, queues: Queues, local_mail: LocalMail, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    host = start_host(stack, tmp_path, local_mail.port)
    try:
        link = "http://127.0.0.1:7070/confirm.html#token=first-token"
        queues.send(SendMail("confirm", "jörg@bücher.example", link))
        eventually(lambda: len(local_mail.box.mails()) == 1)

        assert local_mail.stop() == 0
        later = "http://127.0.0.1:7070/reset.html#token=second-token"
        queues.send(SendMail("reset", "ann@example.org", later))
        eventually(lambda: "cannot be reached" in host.log)
        local_mail.start()
        eventually(lambda: len(local_mail.box.mails()) == 2)
        eventually(lambda: waiting(stack, "send-mail") == 0)
    finally:
        host.close()

    assert local_mail.stop() == 0  # received emails are shown even after the server has stopped
    show_mail(as_json=True)
    newest, oldest = json.loads(capsys.readouterr().out)["mails"]
    assert (newest["to"], newest["links"]) == ("ann@example.org", [later])
    assert (oldest["to"], oldest["links"]) == ("jörg@bücher.example", [link])
    assert oldest["subject"] == "Confirm your email address for Notflix" and link in oldest["text"]
    assert newest["at"] > oldest["at"]
    show_mail(as_json=False)
    shown = capsys.readouterr().out
    assert shown.index(later) < shown.index(link) and "to jörg@bücher.example" in shown

    for private in ("first-token", "second-token", "ann@example.org", "bücher", "xn--bcher"):
        assert private not in host.log
    assert "An email of kind reset to " in host.log


def test_a_refused_recipient_is_logged_by_pseudonym_and_not_retried(
    stack: Stack, queues: Queues, tmp_path: Path
) -> None:
    handler = MailHandler({"RCPT": "550 5.1.1 <nobody@example.org> is unknown here"})
    with MailServer(handler) as server:
        host = start_host(stack, tmp_path, server.port)
        try:
            queues.send(SendMail("password_changed", "nobody@example.org"))
            eventually(lambda: "permanently refuses the recipient (550 5.1.1)" in host.log)
            eventually(lambda: waiting(stack, "send-mail") == 0)
        finally:
            host.close()
    assert host.log.count("was not sent") == 1
    assert "nobody" not in host.log


def test_an_email_that_no_attempt_could_send_is_deferred(stack: Stack, queues: Queues, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    host = start_host(stack, tmp_path, port)
    try:
        link = "http://127.0.0.1:7070/reset.html#token=third-token"
        queues.send(SendMail("reset", "ann@example.org", link))
        eventually(lambda: "could not be sent and is deferred for 60 s" in host.log)
        eventually(lambda: waiting(stack, "send-mail-poison") == 0)
        assert waiting(stack, "send-mail") == 1
    finally:
        host.close()
    assert "ann@example.org" not in host.log and "third-token" not in host.log
    with QueueServiceClient.from_connection_string(stack.settings.storage) as service:
        service.get_queue_client("send-mail").clear_messages()


def test_only_the_owner_of_the_machine_can_read_the_mailbox(local_mail: LocalMail, tmp_path: Path) -> None:
    local_mail.box.keep("ann@example.org", b"Subject: x\r\n\r\nhttp://films.example/a and http://films.example/a.\r\n")
    [mail] = local_mail.box.mails()
    assert (mail.to, mail.text) == ("ann@example.org", "http://films.example/a and http://films.example/a.\n")
    assert not (tmp_path / "data" / "mail").stat().st_mode & 0o077


def test_an_empty_mailbox_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("NOTFLIX_HOME", str(tmp_path))
    show_mail(as_json=True)
    assert json.loads(capsys.readouterr().out) == {"mails": []}
    show_mail(as_json=False)
    assert "There are no emails yet" in capsys.readouterr().out
