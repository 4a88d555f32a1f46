"""Sending email from a queue: which emails are delivered, retried, deferred, dropped and parked."""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import azure.functions as func
import pytest

from functions import bootstrap
from functions.mail import triggers
from functions.mail.service import MailService
from functions.platform.deferrals import DEFERRALS_S
from functions.platform.errors import MailRefused, MailUnavailable, StoreUnavailable
from functions.platform.messages import SendMail, encode
from tests.support.queues import MemoryQueues

if TYPE_CHECKING:
    from functions.mail.model import Email

TO, LINK = "ann@example.org", "https://films.example/confirm.html#token=secret-token"


@dataclass
class FakeTransport:
    """Delivers every email, or raises `error`."""

    error: Exception | None = None
    delivered: list[tuple[str, str, Email]] = field(default_factory=list)

    def deliver(self, email: Email, *, to: str, email_id: str) -> None:
        if self.error is not None:
            raise self.error
        self.delivered.append((to, email_id, email))


@dataclass
class World:
    """The service with an in-memory transport; `renewed` has the links whose life began."""

    transport: FakeTransport = field(default_factory=FakeTransport)
    enqueued: list[tuple[SendMail, int]] = field(default_factory=list)
    renewed: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.mail = MailService(
            self.transport,
            pseudonym=lambda text: f"p{len(text)}",
            renew_link=self.renewed.append,
            enqueue=lambda *given: self.enqueued.append(given),
        )


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    made = World()
    monkeypatch.setattr(bootstrap, "mail", lambda: made.mail)
    return made


def make_message(message_id: str = "m1", **changes: object) -> func.QueueMessage:
    body = {"kind": "confirm", "to": TO, "link": LINK, **changes}
    return func.QueueMessage(id=message_id, body=json.dumps(body).encode())


def run(function: Any, message: func.QueueMessage) -> None:
    function._function.get_user_function()(message)


def test_a_requested_email_is_delivered(world: World) -> None:
    run(triggers.send_mail, make_message())
    [(to, _, email)] = world.transport.delivered
    assert to == TO and LINK in email.text


def test_an_email_with_a_link_has_one_id_in_every_message_for_it(world: World) -> None:
    run(triggers.send_mail, make_message("m1"))
    run(triggers.send_mail, make_message("m2"))
    run(triggers.send_mail, make_message("m3", link=f"{LINK}2"))
    first, again, other = (email_id for _, email_id, _ in world.transport.delivered)
    assert first == again != other and "secret" not in first


def test_emails_without_a_link_take_their_id_from_the_queue_message(world: World) -> None:
    for message_id in ("m1", "m2", "m1"):
        run(triggers.send_mail, make_message(message_id, kind="password_changed"))
    first, second, again = (email_id for _, email_id, _ in world.transport.delivered)
    assert first == again != second


def test_an_email_without_a_link_ignores_a_given_one(world: World) -> None:
    run(triggers.send_mail, make_message(kind="password_changed"))
    assert LINK not in world.transport.delivered[0][2].text


def test_the_life_of_a_link_begins_at_each_try_to_send_its_email(world: World) -> None:
    world.transport.error = MailUnavailable("The mail server mail.test:25 did not answer in time.")
    with pytest.raises(MailUnavailable):
        run(triggers.send_mail, make_message())
    world.transport.error = None
    run(triggers.send_mail, make_message())
    run(triggers.send_mail, make_message(kind="password_changed"))
    assert world.renewed == [LINK, LINK]


def test_an_email_is_not_sent_if_the_life_of_its_link_cannot_begin(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(link: str) -> None:
        raise StoreUnavailable("MySQL did not answer in time.")

    monkeypatch.setattr(world.mail, "_renew_link", refuse)
    with pytest.raises(StoreUnavailable):
        run(triggers.send_mail, make_message())
    assert not world.transport.delivered


def test_a_permanently_refused_email_is_not_retried(world: World, caplog: pytest.LogCaptureFixture) -> None:
    world.transport.error = MailRefused("The mail server permanently refuses the recipient (550).")
    run(triggers.send_mail, make_message())
    assert "confirm to p15 was not sent: The mail server permanently refuses the recipient" in caplog.text


def test_an_unreachable_server_is_retried(world: World) -> None:
    world.transport.error = MailUnavailable("The mail server mail.test:25 did not answer in time.")
    with pytest.raises(MailUnavailable):
        run(triggers.send_mail, make_message())


def test_an_email_is_deferred_longer_each_time_and_then_given_up(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    run(triggers.send_mail, make_message("m1", kind="password_changed"))
    message = make_message("m1", kind="password_changed")
    for _ in range(len(DEFERRALS_S) + 1):
        run(triggers.send_mail_poison, message)
        message = func.QueueMessage(id="another", body=encode(world.enqueued[-1][0]))
    assert tuple(pause_s for _, pause_s in world.enqueued) == DEFERRALS_S
    assert sum(DEFERRALS_S) >= 30 * 60
    assert "An email of kind password_changed to p15 is given up" in caplog.text

    run(triggers.send_mail, message)
    (_, before, _), (_, after, _) = world.transport.delivered
    assert before == after


@pytest.mark.parametrize(
    "body",
    [
        *(b"{", b"[]", b"{}", b'"x"'),
        json.dumps({"kind": "spam", "to": TO, "link": LINK}).encode(),
        json.dumps({"kind": ["confirm"], "to": TO, "link": LINK}).encode(),
        json.dumps({"kind": "confirm", "to": [TO], "link": LINK}).encode(),
        json.dumps({"kind": "confirm", "to": TO}).encode(),
        json.dumps({"kind": "confirm", "to": TO, "link": f"javascript:{LINK}"}).encode(),
        json.dumps({"kind": "confirm", "to": TO, "link": f"{LINK}\r\nBcc: eve@example.org"}).encode(),
        json.dumps({"kind": "confirm", "to": TO, "link": f"{LINK} x"}).encode(),
    ],
)
def test_a_malformed_message_is_parked_and_its_contents_are_not_logged(
    world: World, body: bytes, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    queues = MemoryQueues()
    monkeypatch.setattr(bootstrap.resources, "queues", lambda: queues)
    run(triggers.send_mail, func.QueueMessage(id="m1", body=body))
    run(triggers.send_mail_poison, func.QueueMessage(id="m1", body=body))
    assert not world.transport.delivered and not world.enqueued
    assert [(queue, kept) for queue, kept, _ in queues.parked][-1] == ("send-mail", body)
    for text in (*(reason for _, _, reason in queues.parked), caplog.text):
        assert TO not in text and "secret-token" not in text


@pytest.mark.parametrize("error", [None, MailRefused("No."), MailUnavailable("Later.")])
def test_neither_address_nor_link_is_logged(
    world: World, caplog: pytest.LogCaptureFixture, error: Exception | None
) -> None:
    caplog.set_level(logging.DEBUG)
    world.transport.error = error
    try:
        run(triggers.send_mail, make_message())
    except MailUnavailable:
        run(triggers.send_mail_poison, make_message())
    assert "email of kind confirm" in caplog.text
    assert TO not in caplog.text and "secret-token" not in caplog.text
