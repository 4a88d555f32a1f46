"""Accounts with in-memory stores: links in emails that confirm an address or reset a password."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from functions.accounts.links import LIFETIME
from functions.accounts.rate_limits import (
    CONFIRMATION,
    LINK,
    RESET_OF_ADDRESS,
    RESET_OF_NETWORK,
    UNCONFIRMED_TAGS_OF_INBOX,
)
from functions.platform.errors import (
    Busy,
    Conflict,
    LinkExpired,
    Malformed,
    TooManyAttempts,
    Unauthenticated,
    WrongCredentials,
)
from functions.platform.messages import SendMail, StartReset
from tests.support.account_world import World
from tests.support.accounts import ELSEWHERE, HOME, OTHER_PASSWORD, PASSWORD, SITE, make_email, token_of

if TYPE_CHECKING:
    from functions.accounts.hash_queue import Line
    from functions.accounts.model import RequestOrigin


def test_a_mailed_link_confirms_the_address_once_and_updates_sessions() -> None:
    world = World()
    viewer = world.member()
    token = world.accounts.log_in(viewer.email, PASSWORD, HOME).token
    email = world.last_email("confirm")
    assert email.to == viewer.email and email.link.startswith(f"{SITE}/confirm.html#token=")
    assert world.accounts.confirm_address(token_of(email.link), HOME) == viewer.email
    assert world.accounts.viewer(token).confirmed
    with pytest.raises(LinkExpired):
        world.accounts.confirm_address(token_of(email.link), HOME)


def test_a_link_is_valid_for_30_minutes_whatever_is_mailed_after_it() -> None:
    world = World()
    viewer = world.member()
    first = world.last_token("confirm")
    world.clock.forward(minutes=15)
    world.accounts.send_confirmation(viewer)
    second = world.last_token("confirm")
    world.accounts.send_confirmation(viewer)
    assert world.accounts.confirm_address(second, HOME) == viewer.email
    world.clock.forward(minutes=15)
    with pytest.raises(LinkExpired) as over:
        world.accounts.confirm_address(first, HOME)
    assert over.value.status == 410
    third = world.last_token("confirm")
    world.clock.forward(minutes=14, seconds=59)
    assert world.accounts.confirm_address(third, HOME) == viewer.email


def test_the_life_of_a_link_begins_when_its_email_is_sent() -> None:
    """An outage of the mail server delays emails by half an hour, and a stopped host by hours."""
    world = World()
    viewer = world.member()
    email = world.last_email("confirm")
    world.clock.forward(hours=9)
    world.accounts.tidy()
    world.accounts.renew_link(email.link)
    world.clock.forward(minutes=29, seconds=59)
    assert world.accounts.confirm_address(token_of(email.link), HOME) == viewer.email


def test_a_used_link_stays_invalid_when_its_email_is_sent_again() -> None:
    world = World()
    world.member()
    email = world.last_email("confirm")
    world.accounts.confirm_address(token_of(email.link), HOME)
    world.accounts.renew_link(email.link)
    with pytest.raises(LinkExpired):
        world.accounts.confirm_address(token_of(email.link), HOME)


def test_links_are_deleted_a_day_after_they_expired() -> None:
    world = World()
    world.member()
    world.clock.forward(hours=24, minutes=29)
    world.accounts.tidy()
    assert world.logins.links
    world.clock.forward(minutes=1)
    world.accounts.tidy()
    assert not world.logins.links


def test_a_link_is_valid_for_its_purpose_only() -> None:
    world = World()
    viewer = world.member()
    world.accounts.request_reset(viewer.email, HOME)
    world.settle()
    with pytest.raises(LinkExpired):
        world.accounts.reset_password(world.last_token("confirm"), OTHER_PASSWORD, HOME)
    with pytest.raises(LinkExpired):
        world.accounts.confirm_address(world.last_token("reset"), HOME)
    world.accounts.reset_password(world.last_token("reset"), OTHER_PASSWORD, HOME)


@pytest.mark.parametrize("token", ["", "x", "'; DELETE FROM links", "\ud800\x00", "a" * 100_000])
def test_an_unknown_link_is_refused_without_a_hash(token: str) -> None:
    world = World()
    with pytest.raises(LinkExpired):
        world.accounts.confirm_address(token, HOME)
    with pytest.raises(LinkExpired):
        world.accounts.reset_password(token, PASSWORD, HOME)
    assert not world.hasher.hashed


def test_the_store_does_not_contain_the_token_of_a_link() -> None:
    world = World()
    world.member()
    token = world.last_token("confirm")
    assert len(token) >= 43 and token not in repr(world.logins.links)


def test_no_confirmation_is_sent_to_a_confirmed_address() -> None:
    world = World()
    viewer = replace(world.member(), confirmed=True)
    with pytest.raises(Conflict):
        world.accounts.send_confirmation(viewer)


def test_emails_are_limited_by_account_address_and_network() -> None:
    world = World()
    viewer = world.member()
    for _ in range(CONFIRMATION.attempts):
        world.accounts.send_confirmation(viewer)
    with pytest.raises(TooManyAttempts):
        world.accounts.send_confirmation(viewer)
    for email in (viewer.email, make_email("nobody")):
        for origin in (HOME, ELSEWHERE, HOME):
            world.accounts.request_reset(email, origin)
        with pytest.raises(TooManyAttempts):
            world.accounts.request_reset(email, ELSEWHERE)
    for _ in range(RESET_OF_NETWORK.attempts):
        world.accounts.request_reset(make_email(), replace(HOME, ip="192.0.2.1"))
    with pytest.raises(TooManyAttempts):
        world.accounts.request_reset(make_email(), replace(HOME, ip="192.0.2.1"))
    assert RESET_OF_ADDRESS.attempts == 3


def test_a_mailed_link_replaces_a_forgotten_password_and_ends_all_sessions() -> None:
    world = World()
    viewer = world.member()
    token = world.accounts.log_in(viewer.email, PASSWORD, HOME).token
    world.accounts.request_reset(viewer.email.upper(), ELSEWHERE)
    world.settle()
    email = world.last_email("reset")
    assert email.to == viewer.email
    world.accounts.reset_password(token_of(email.link), OTHER_PASSWORD, ELSEWHERE)
    with pytest.raises(Unauthenticated):
        world.accounts.viewer(token)
    opened = world.accounts.log_in(viewer.email, OTHER_PASSWORD, HOME)
    assert world.accounts.viewer(opened.token).confirmed
    with pytest.raises(WrongCredentials):
        world.accounts.log_in(viewer.email, PASSWORD, HOME)
    with pytest.raises(LinkExpired):
        world.accounts.reset_password(token_of(email.link), PASSWORD, HOME)


def test_a_reset_is_announced_and_makes_the_device_known() -> None:
    world = World()
    viewer = world.confirmed_member()
    world.accounts.request_reset(viewer.email, ELSEWHERE)
    world.settle()
    device = world.accounts.reset_password(world.last_token("reset"), OTHER_PASSWORD, ELSEWHERE)
    assert world.emails[-1] == SendMail("password_changed", viewer.email, "")
    world.hasher.lines.clear()
    world.accounts.log_in(viewer.email, OTHER_PASSWORD, ELSEWHERE, device=device)
    assert [line.known for line in world.hasher.lines] == [True]


@pytest.mark.parametrize("kind", ["confirm", "reset"])
def test_the_use_of_links_is_limited_for_each_network(kind: str) -> None:
    world = World()
    viewer = world.member()
    world.accounts.request_reset(viewer.email, HOME)
    world.settle()

    def use_link(token: str, origin: RequestOrigin) -> None:
        if kind == "confirm":
            world.accounts.confirm_address(token, origin)
        else:
            world.accounts.reset_password(token, OTHER_PASSWORD, origin)

    for _ in range(LINK.attempts):
        with pytest.raises(LinkExpired):
            use_link("unknown", HOME)
    with pytest.raises(TooManyAttempts) as refused:
        use_link(world.last_token(kind), HOME)
    assert refused.value.retry_after_s == LINK.window_s
    use_link(world.last_token(kind), ELSEWHERE)


def test_strangers_who_request_resets_do_not_keep_a_person_from_resetting() -> None:
    world = World()
    viewer = world.member()
    world.settle()
    # strangers request links all the time; a request is refused only while an earlier link is still valid
    for minute in range(120):
        for stranger in (HOME, ELSEWHERE):
            with suppress(TooManyAttempts):
                world.accounts.request_reset(viewer.email, replace(stranger, ip=f"198.51.100.{minute}"))
        world.settle()
        if minute >= 40 and minute % 20 == 0:
            world.accounts.reset_password(world.last_token("reset"), f"{OTHER_PASSWORD} {minute}", ELSEWHERE)
            world.clock.forward(seconds=RESET_OF_ADDRESS.window_s)
        world.clock.forward(minutes=1)
    assert timedelta(seconds=RESET_OF_ADDRESS.window_s) <= LIFETIME


def test_a_new_password_ends_every_reset_link() -> None:
    world = World()
    viewer = world.member()
    tokens = []
    for _ in range(2):
        world.accounts.request_reset(viewer.email, HOME)
        world.settle()
        tokens.append(world.last_token("reset"))
    world.accounts.reset_password(tokens[0], OTHER_PASSWORD, HOME)
    with pytest.raises(LinkExpired):
        world.accounts.reset_password(tokens[1], PASSWORD, HOME)


def test_the_tagged_addresses_of_an_inbox_share_a_limit_that_does_not_concern_its_owner() -> None:
    world = World()
    owner, tagged = world.member("jo@example.org"), world.member("jo+films@example.org")
    world.accounts.confirm_address(world.last_token("confirm"), HOME)
    world.settle()
    world.queues.sent.clear()
    strangers = [world.member(f"jo+{number}@example.org") for number in range(20)]
    assert len(world.emails) == UNCONFIRMED_TAGS_OF_INBOX.attempts - 1
    with pytest.raises(TooManyAttempts):
        world.accounts.send_confirmation(strangers[0])
    world.accounts.request_reset(strangers[0].email, HOME)
    world.settle()
    assert len(world.emails) == UNCONFIRMED_TAGS_OF_INBOX.attempts - 1
    for viewer in (owner, tagged):
        world.accounts.request_reset(viewer.email, HOME)
        world.settle()
        assert world.last_email("reset").to == viewer.email
    world.clock.forward(seconds=UNCONFIRMED_TAGS_OF_INBOX.window_s)
    world.accounts.send_confirmation(strangers[0])
    assert world.last_email("confirm").to == strangers[0].email


def test_a_reset_for_an_address_without_an_account_sends_no_email() -> None:
    world = World()
    world.accounts.request_reset(make_email("nobody"), HOME)
    assert len(world.queues.of(StartReset)) == 1
    world.settle()
    assert not world.emails


def test_an_email_goes_to_the_address_of_the_account_not_to_the_typed_one() -> None:
    world = World()
    world.member("strasse@example.org")
    world.accounts.request_reset("straße@example.org", ELSEWHERE)
    world.settle()
    assert world.last_email("reset").to == "strasse@example.org"


def test_a_link_whose_use_failed_stays_valid(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World()
    viewer = world.member()
    world.accounts.request_reset(viewer.email, HOME)
    world.settle()
    token = world.last_token("reset")
    for weak in ("password1", viewer.email, "x" * 10_000, "nul\x00" * 4):
        with pytest.raises(Malformed):
            world.accounts.reset_password(token, weak, HOME)

    def busy(password: str, line: Line) -> str:
        raise Busy("Many people are logging in right now.")

    with monkeypatch.context() as busy_hasher:
        busy_hasher.setattr(world.hasher, "hash", busy)
        with pytest.raises(Busy):
            world.accounts.reset_password(token, OTHER_PASSWORD, HOME)
    world.accounts.reset_password(token, OTHER_PASSWORD, HOME)
    assert world.accounts.log_in(viewer.email, OTHER_PASSWORD, HOME)
