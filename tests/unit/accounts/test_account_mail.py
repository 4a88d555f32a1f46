"""The limits on emails: how many are sent in an hour, and for whom a part is reserved."""

from __future__ import annotations

import logging

import pytest

from functions.accounts.rate_limits import NOTICES_OF_ADDRESS, RESET_OF_ADDRESS, UNCONFIRMED_TAGS_OF_INBOX
from functions.platform.errors import TooManyAttempts
from functions.platform.messages import SendMail, StartReset
from tests.support.account_world import World
from tests.support.accounts import ELSEWHERE, HOME, OTHER_PASSWORD, PASSWORD, make_email


def use_up_the_open_share(world: World) -> None:
    """Register strangers until their emails are refused."""
    while True:
        before = len(world.emails)
        world.accounts.register(make_email("stranger"), PASSWORD, HOME)
        if len(world.emails) == before:
            return


def test_strangers_cannot_use_up_the_emails_of_people_who_have_proved_who_they_are(
    caplog: pytest.LogCaptureFixture,
) -> None:
    world = World(mails_per_hour=10)
    caplog.set_level(logging.ERROR)
    viewer = world.confirmed_member()
    device = world.accounts.log_in(viewer.email, PASSWORD, HOME).device
    use_up_the_open_share(world)
    assert len(world.emails) == 8 and "MAILS_PER_HOUR is 10" in caplog.text
    with pytest.raises(TooManyAttempts):
        world.accounts.request_reset(viewer.email, ELSEWHERE)
    world.accounts.request_reset(viewer.email, ELSEWHERE, device=device)
    world.settle()
    assert world.last_email("reset").to == viewer.email
    world.accounts.change_password(viewer, PASSWORD, OTHER_PASSWORD, HOME)
    assert world.last_email("password_changed").to == viewer.email
    assert len(world.emails) == 10, "the limit of all emails"
    world.accounts.change_password(viewer, OTHER_PASSWORD, PASSWORD, HOME)
    assert len(world.emails) == 10
    world.clock.forward(hours=1)
    world.accounts.request_reset(viewer.email, ELSEWHERE)


def test_the_answer_is_the_same_for_an_unknown_address_while_emails_are_limited() -> None:
    world = World(mails_per_hour=10)
    known = world.confirmed_member().email
    use_up_the_open_share(world)
    details = []
    for email in (known, make_email("nobody")):
        with pytest.raises(TooManyAttempts) as refused:
            world.accounts.request_reset(email, HOME)
        details.append(refused.value.detail)
    assert details[0] == details[1] and details[0].startswith("Many emails are being sent right now.")


def test_an_account_that_nobody_confirmed_uses_the_open_share_for_all_its_emails() -> None:
    world = World(mails_per_hour=10)
    viewer = world.member()
    passwords = [PASSWORD, OTHER_PASSWORD]
    for number in range(12):
        world.accounts.change_password(viewer, passwords[number % 2], passwords[(number + 1) % 2], HOME)
    assert len(world.emails) == 8


def test_one_account_cannot_use_up_the_emails_of_all_others() -> None:
    world = World(mails_per_hour=2 * NOTICES_OF_ADDRESS.attempts)
    viewer, other = world.confirmed_member(), world.confirmed_member()
    passwords = [PASSWORD, OTHER_PASSWORD]
    for number in range(3 * NOTICES_OF_ADDRESS.attempts):
        world.accounts.change_password(viewer, passwords[number % 2], passwords[(number + 1) % 2], HOME)
    assert len([email for email in world.emails if email.kind == "password_changed"]) == NOTICES_OF_ADDRESS.attempts
    world.accounts.request_reset(other.email, ELSEWHERE)
    world.accounts.change_password(other, PASSWORD, OTHER_PASSWORD, ELSEWHERE)
    assert world.last_email("password_changed").to == other.email


def test_changes_of_accounts_with_tags_cannot_flood_a_strangers_inbox() -> None:
    world = World()
    for number in range(UNCONFIRMED_TAGS_OF_INBOX.attempts):
        viewer = world.member(f"jo.flood+{number}@example.org")
        world.accounts.change_password(viewer, PASSWORD, OTHER_PASSWORD, HOME)
    assert len(world.emails) == UNCONFIRMED_TAGS_OF_INBOX.attempts


def test_a_person_whose_first_email_was_not_sent_can_request_it_later() -> None:
    world = World(mails_per_hour=10)
    use_up_the_open_share(world)
    viewer = world.member()
    with pytest.raises(TooManyAttempts) as refused:
        world.accounts.send_confirmation(viewer)
    assert refused.value.retry_after_s <= 3600
    world.clock.forward(hours=1)
    world.accounts.send_confirmation(viewer)
    assert world.last_email("confirm").to == viewer.email


def test_strangers_cannot_use_up_the_resets_of_a_known_device() -> None:
    world = World()
    viewer = world.confirmed_member()
    device = world.accounts.log_in(viewer.email, PASSWORD, HOME).device
    for _ in range(RESET_OF_ADDRESS.attempts):
        world.accounts.request_reset(viewer.email, ELSEWHERE)
    with pytest.raises(TooManyAttempts):
        world.accounts.request_reset(viewer.email, ELSEWHERE)
    world.accounts.request_reset(viewer.email, HOME, device=device)
    assert world.queues.of(StartReset)[-1] == StartReset(viewer.email, known=True)


def test_the_tags_of_a_strangers_inbox_are_limited_but_not_its_owner() -> None:
    world = World()
    owner = world.confirmed_member("jo.tags@example.org")
    for number in range(UNCONFIRMED_TAGS_OF_INBOX.attempts + 3):
        world.accounts.register(f"jo.tags+{number}@example.org", PASSWORD, HOME)
    tagged = [email for email in world.emails if "+" in email.to]
    assert len(tagged) == UNCONFIRMED_TAGS_OF_INBOX.attempts
    world.accounts.request_reset(owner.email, HOME)
    world.settle()
    assert isinstance(world.emails[-1], SendMail) and world.last_email("reset").to == owner.email


def test_strangers_cannot_use_up_the_email_to_a_new_administrator() -> None:
    world = World(mails_per_hour=10)
    use_up_the_open_share(world)
    viewer, created, link = world.accounts.make_administrator("owner@example.org")
    assert created
    assert world.emails[-1] == SendMail("welcome_admin", viewer.email, link or "")
