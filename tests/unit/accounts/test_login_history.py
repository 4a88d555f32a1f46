"""The login history: no entry is lost as long as a queue or a store accepts it, and no login is delayed."""

from __future__ import annotations

import logging
from datetime import timedelta

import pytest

from functions.accounts.login_history import KEPT_FOR, LONGEST_BROWSER, NOBODY, entry_of, message_of
from functions.accounts.model import LoginHistoryEntry, LoginOutcome, RequestOrigin
from functions.platform.errors import Malformed, StoreUnavailable
from functions.platform.messages import RecordLogin, decode, encode
from functions.platform.pagination import cursor_after
from tests.support.account_world import World
from tests.support.accounts import HOME, make_entry
from tests.support.clock import NOON

PAGE = 20


def test_an_attempt_becomes_a_message_and_the_message_an_entry() -> None:
    world = World()
    user_id = world.member().user_id
    world.history.record_attempt(user_id, HOME, LoginOutcome.WRONG_PASSWORD)
    assert not world.history_store.entries
    world.settle()
    (entry,) = world.history_store.entries.values()
    assert (entry.user_id, entry.at, entry.ip, entry.browser) == (user_id, NOON, HOME.ip, HOME.browser)
    assert entry.outcome is LoginOutcome.WRONG_PASSWORD


def test_a_message_that_is_delivered_twice_is_one_entry() -> None:
    world = World()
    world.history.record_attempt(world.member().user_id, HOME, LoginOutcome.SUCCESS)
    (message,) = world.queues.of(RecordLogin)
    for _ in range(2):
        world.history.store_attempt(message)
    assert len(world.history_store.entries) == 1


def test_an_entry_passes_through_the_queue_unchanged() -> None:
    entry = make_entry("a" * 32, at=NOON + timedelta(microseconds=654_321))
    assert entry_of(decode(encode(message_of(entry)), RecordLogin)) == entry


def test_a_long_browser_name_fits_into_the_message() -> None:
    world = World()
    world.history.record_attempt("a" * 32, RequestOrigin(HOME.ip, "x" * 1000), LoginOutcome.SUCCESS)
    (message,) = world.queues.of(RecordLogin)
    assert decode(encode(message), RecordLogin).browser == "x" * LONGEST_BROWSER


def test_a_message_without_an_account_is_dropped() -> None:
    world = World()
    for user_id in (NOBODY, "f" * 32):
        world.history.record_attempt(user_id, HOME, LoginOutcome.WRONG_PASSWORD)
    assert len(world.queues.of(RecordLogin)) == 2
    world.settle()
    assert not world.history_store.entries


def test_an_entry_that_is_stored_while_its_account_is_deleted_is_deleted_too(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World()
    viewer = world.member()
    world.history.record_attempt(viewer.user_id, HOME, LoginOutcome.SUCCESS)
    (message,) = world.queues.of(RecordLogin)
    store_entry = world.history_store.store_entry

    def store_late(entry: LoginHistoryEntry) -> None:
        world.logins.delete_login(viewer.user_id)
        world.accounts.forget_viewer(viewer.user_id)
        store_entry(entry)

    monkeypatch.setattr(world.history_store, "store_entry", store_late)
    world.history.store_attempt(message)
    assert not world.history_store.entries


def test_an_unreachable_store_keeps_the_message_for_a_retry() -> None:
    world = World()
    world.history.record_attempt(world.member().user_id, HOME, LoginOutcome.SUCCESS)
    world.history_store.away = True
    with pytest.raises(StoreUnavailable):
        world.history.store_attempt(world.queues.of(RecordLogin)[0])
    world.history_store.away = False
    world.settle()
    assert len(world.history_store.entries) == 1


def test_without_a_queue_the_entry_is_stored_directly() -> None:
    world = World()
    user_id = world.member().user_id
    world.queues.refused = (RecordLogin,)
    world.history.record_attempt(user_id, HOME, LoginOutcome.SUCCESS)
    world.history.record_attempt(NOBODY, HOME, LoginOutcome.WRONG_PASSWORD)
    assert [entry.user_id for entry in world.history_store.entries.values()] == [user_id]


def test_without_queue_and_store_the_attempt_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.ERROR)
    world = World()
    viewer = world.member()
    world.queues.refused, world.history_store.away = (RecordLogin,), True
    world.history.record_attempt(viewer.user_id, HOME, LoginOutcome.SUCCESS)
    assert viewer.user_id in caplog.text and viewer.email not in caplog.text


def test_a_history_is_paged_newest_first() -> None:
    world = World()
    user_id = world.member().user_id
    for number in range(PAGE + 3):
        world.history_store.store_entry(make_entry(user_id, at=NOON + timedelta(seconds=number)))
    first = world.history.page_of(user_id, cursor="", limit=PAGE)
    assert first.cursor and len(first.entries) == PAGE and first.entries[0].at == NOON + timedelta(seconds=PAGE + 2)
    rest = world.history.page_of(user_id, cursor=first.cursor, limit=PAGE)
    assert [entry.at for entry in rest.entries] == [NOON + timedelta(seconds=number) for number in (2, 1, 0)]
    assert rest.cursor is None


def test_entries_of_equal_times_are_neither_lost_nor_repeated_between_pages() -> None:
    world = World()
    user_id = world.member().user_id
    entries = [make_entry(user_id) for _ in range(7)]
    for entry in entries:
        world.history_store.store_entry(entry)
    seen, cursor = [], ""
    while True:
        page = world.history.page_of(user_id, cursor=cursor, limit=2)
        seen += [entry.entry_id for entry in page.entries]
        if page.cursor is None:
            break
        cursor = page.cursor
    assert sorted(seen) == sorted(entry.entry_id for entry in entries)


@pytest.mark.parametrize(
    "cursor",
    [
        "x",
        "1",
        "2026-11-24T12:00:00+00:00",
        "'; DROP TABLE logins",
        "\x00",
        cursor_after("2026-11-24T12:00:00+00:00"),
        cursor_after("yesterday|abc"),
        cursor_after("9999-12-31T23:59:59-14:00|abc"),
        cursor_after("2026-11-24T12:00:00+00:00|a|b"),
    ],
)
def test_an_unknown_cursor_is_malformed(cursor: str) -> None:
    with pytest.raises(Malformed, match="cursor"):
        World().history.page_of("a" * 32, cursor=cursor, limit=PAGE)


def test_old_entries_are_deleted() -> None:
    world = World()
    world.history_store.store_entry(make_entry("a" * 32, at=NOON - KEPT_FOR - timedelta(seconds=1)))
    world.history_store.store_entry(make_entry("a" * 32, at=NOON - KEPT_FOR + timedelta(seconds=1)))
    assert world.history.delete_expired() == 1
    assert len(world.history_store.entries) == 1
