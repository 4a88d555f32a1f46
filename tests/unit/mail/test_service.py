from __future__ import annotations

import json
import logging
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import azure.functions as func
import pytest

from functions import bootstrap
from functions.mail import triggers
from functions.mail.service import DEFERRALS_S, MailService
from functions.platform.errors import MailRefused, MailUnavailable
from functions.platform.messages import SendMail, encode
from tests.support.queues import MemoryQueues

if TYPE_CHECKING:
    from functions.mail.model import Email

TO, LINK = "ann@example.org", "https://films.example/confirm.html#token=secret-token"


@dataclass
class Post:
    """Carries every letter unless it is told to fail."""

    error: Exception | None = None
    carried: list[tuple[str, str, Email]] = field(default_factory=list)

    def deliver(self, email: Email, *, to: str, email_id: str) -> None:
        if self.error is not None:
            raise self.error
        self.carried.append((to, email_id, email))


@dataclass
class World:
    """The service over a post office that a test can see."""

    post: Post = field(default_factory=Post)
    enqueued: list[tuple[SendMail, int]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.mail = MailService(
            self.post, pseudonym=lambda text: f"p{len(text)}", enqueue=lambda *given: self.enqueued.append(given)
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


def test_a_letter_that_is_asked_for_is_carried(world: World) -> None:
    run(triggers.send_mail, make_message())
    [(to, _, letter)] = world.post.carried
    assert to == TO and LINK in letter.text


def test_a_letter_with_a_link_keeps_its_id_in_every_message_that_asks_for_it(world: World) -> None:
    run(triggers.send_mail, make_message("m1"))
    run(triggers.send_mail, make_message("m2"))
    run(triggers.send_mail, make_message("m3", link=f"{LINK}2"))
    first, again, other = (email_id for _, email_id, _ in world.post.carried)
    assert first == again != other and "secret" not in first


def test_letters_without_a_link_are_told_apart_by_their_messages(world: World) -> None:
    for message_id in ("m1", "m2", "m1"):
        run(triggers.send_mail, make_message(message_id, kind="password_changed"))
    first, second, again = (email_id for _, email_id, _ in world.post.carried)
    assert first == again != second


def test_a_letter_without_a_link_shows_none_that_is_handed_in(world: World) -> None:
    run(triggers.send_mail, make_message(kind="password_changed"))
    assert LINK not in world.post.carried[0][2].text


def test_what_is_refused_for_good_is_not_tried_again(world: World, caplog: pytest.LogCaptureFixture) -> None:
    world.post.error = MailRefused("The mail server refuses the recipient for good (550).")
    run(triggers.send_mail, make_message())
    assert "confirm to p15 was not sent: The mail server refuses the recipient" in caplog.text


def test_a_server_that_is_away_is_asked_again(world: World) -> None:
    world.post.error = MailUnavailable("The mail server mail.test:25 did not answer in time.")
    with pytest.raises(MailUnavailable):
        run(triggers.send_mail, make_message())


def test_after_a_series_of_tries_a_letter_is_put_off_longer_each_time_then_given_up(
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
    (_, before, _), (_, after, _) = world.post.carried
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
    assert not world.post.carried and not world.enqueued
    assert [(queue, kept) for queue, kept, _ in queues.parked][-1] == ("send-mail", body)
    for told in (*(reason for _, _, reason in queues.parked), caplog.text):
        assert TO not in told and "secret-token" not in told


@pytest.mark.parametrize("error", [None, MailRefused("No."), MailUnavailable("Later.")])
def test_neither_address_nor_link_is_logged(
    world: World, caplog: pytest.LogCaptureFixture, error: Exception | None
) -> None:
    caplog.set_level(logging.DEBUG)
    world.post.error = error
    try:
        run(triggers.send_mail, make_message())
    except MailUnavailable:
        run(triggers.send_mail_poison, make_message())
    assert "email of kind confirm" in caplog.text
    assert TO not in caplog.text and "secret-token" not in caplog.text
