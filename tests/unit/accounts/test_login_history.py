"""The history of logins: nothing of it is lost while any store takes it, and it holds nobody up."""

from __future__ import annotations

import json
import logging
from datetime import timedelta

import pytest

from functions.accounts.login_history import KEPT_FOR, NOBODY, PAGE, entry_of, message_of
from functions.accounts.model import Outcome
from functions.platform.errors import Malformed, StoreUnavailable
from tests.support.accounts import HOME, NOON, World, make_entry


def test_a_try_becomes_a_message_and_the_message_an_entry() -> None:
    world = World()
    user_id = world.member().user_id
    world.journal.note(user_id, HOME, Outcome.WRONG_PASSWORD)
    assert not world.history.entries
    world.settle()
    (entry,) = world.history.entries.values()
    assert (entry.user_id, entry.at, entry.ip, entry.browser) == (user_id, NOON, HOME.ip, HOME.browser)
    assert entry.outcome is Outcome.WRONG_PASSWORD


def test_a_message_that_comes_twice_is_one_entry() -> None:
    world = World()
    world.journal.note(world.member().user_id, HOME, Outcome.SUCCESS)
    (message,) = world.queue.messages
    for _ in range(2):
        world.journal.record(message)
    assert len(world.history.entries) == 1


def test_a_message_survives_the_queue_as_json() -> None:
    entry = make_entry("a" * 32)
    assert entry_of(json.loads(json.dumps(message_of(entry)))) == entry


def test_a_message_about_nobody_or_about_someone_gone_is_thrown_away() -> None:
    world = World()
    for user_id in (NOBODY, "f" * 32):
        world.journal.note(user_id, HOME, Outcome.WRONG_PASSWORD)
    assert len(world.queue.messages) == 2
    world.settle()
    assert not world.history.entries


def test_a_store_that_is_away_keeps_the_message_for_another_try() -> None:
    world = World()
    world.journal.note(world.member().user_id, HOME, Outcome.SUCCESS)
    world.history.away = True
    with pytest.raises(StoreUnavailable):
        world.journal.record(world.queue.messages[0])
    world.history.away = False
    world.settle()
    assert len(world.history.entries) == 1


def test_without_a_queue_the_entry_goes_straight_to_the_store() -> None:
    world = World()
    user_id = world.member().user_id
    world.queue.away = True
    world.journal.note(user_id, HOME, Outcome.SUCCESS)
    world.journal.note(NOBODY, HOME, Outcome.WRONG_PASSWORD)
    assert [entry.user_id for entry in world.history.entries.values()] == [user_id]


def test_without_queue_and_store_the_try_stands_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.ERROR)
    world = World()
    viewer = world.member()
    world.queue.away = world.history.away = True
    world.journal.note(viewer.user_id, HOME, Outcome.SUCCESS)
    assert viewer.user_id in caplog.text and viewer.email not in caplog.text


@pytest.mark.parametrize(
    "message",
    [
        None,
        [],
        {},
        {**message_of(make_entry("a" * 32)), "at": "yesterday"},
        {**message_of(make_entry("a" * 32)), "at": "2026-11-24T12:00:00"},
        {**message_of(make_entry("a" * 32)), "outcome": "maybe"},
        {**message_of(make_entry("a" * 32)), "ip": 7},
    ],
)
def test_a_message_of_the_wrong_form_is_poison(message: object) -> None:
    with pytest.raises(Malformed):
        World().journal.record(message)


def test_a_history_is_read_page_by_page_newest_first() -> None:
    world = World()
    user_id = world.member().user_id
    for number in range(PAGE + 3):
        world.history.record(make_entry(user_id, at=NOON + timedelta(seconds=number)))
    first, cursor = world.journal.page(user_id, "")
    assert cursor and len(first) == PAGE and first[0].at == NOON + timedelta(seconds=PAGE + 2)
    rest, end = world.journal.page(user_id, cursor)
    assert [entry.at for entry in rest] == [NOON + timedelta(seconds=number) for number in (2, 1, 0)]
    assert end is None


@pytest.mark.parametrize("cursor", ["x", "1", "2026-11-24T12:00:00", "'; DROP TABLE logins", "\x00"])
def test_a_cursor_that_was_not_given_out_is_malformed(cursor: str) -> None:
    with pytest.raises(Malformed):
        World().journal.page("a" * 32, cursor)


def test_old_entries_are_deleted() -> None:
    world = World()
    world.history.record(make_entry("a" * 32, at=NOON - KEPT_FOR - timedelta(seconds=1)))
    world.history.record(make_entry("a" * 32, at=NOON - KEPT_FOR + timedelta(seconds=1)))
    assert world.journal.expire() == 1
    assert len(world.history.entries) == 1
