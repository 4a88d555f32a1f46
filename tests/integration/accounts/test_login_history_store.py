"""The store of login history: the fake of the unit tests and the store in MySQL satisfy the same contract."""

from __future__ import annotations

import uuid
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from functions.accounts.model import LoginOutcome
from functions.platform.pagination import TimePosition
from tests.support.account_logins import FakeLoginHistoryStore
from tests.support.accounts import LATER, make_entry
from tests.support.clock import NOON

if TYPE_CHECKING:
    from functions.accounts.model import LoginHistoryEntry
    from functions.accounts.ports import LoginHistoryStore


@pytest.fixture(params=["fake", "real", "unanswered"])
def history(request: pytest.FixtureRequest) -> LoginHistoryStore:
    """Return a store of login history."""
    if request.param == "fake":
        return FakeLoginHistoryStore()
    store: LoginHistoryStore = request.getfixturevalue(f"{request.param}_history")
    return store


def position_of(entry: LoginHistoryEntry) -> TimePosition:
    return TimePosition(entry.at, entry.entry_id)


def test_entries_are_returned_newest_first_and_once(history: LoginHistoryStore) -> None:
    user_id = uuid.uuid4().hex
    entries = [
        make_entry(user_id, at=NOON + timedelta(microseconds=number), outcome=outcome, browser="Firefox on 🦊")
        for number, outcome in enumerate(LoginOutcome)
    ]
    for entry in [*entries, *entries, make_entry(uuid.uuid4().hex)]:
        history.store_entry(entry)
    assert history.entries_of(user_id, after=None, limit=10) == entries[::-1]
    assert history.entries_of(user_id, after=position_of(entries[2]), limit=1) == [entries[1]]


def test_an_unfinished_login_is_replaced_by_its_end_in_any_order(history: LoginHistoryStore) -> None:
    user_id = uuid.uuid4().hex
    begun = make_entry(user_id, outcome=LoginOutcome.UNFINISHED)
    ended = replace(begun, at=LATER, ip="198.51.100.9", browser="Chrome on Android", outcome=LoginOutcome.SUCCESS)
    abandoned = make_entry(user_id, outcome=LoginOutcome.UNFINISHED, at=NOON - timedelta(days=1))
    for entry in (abandoned, begun, ended, begun, replace(ended, outcome=LoginOutcome.LIMITED)):
        history.store_entry(entry)
    assert history.entries_of(user_id, after=None, limit=9) == [ended, abandoned]


def test_entries_of_equal_times_are_neither_lost_nor_repeated_between_pages(history: LoginHistoryStore) -> None:
    user_id = uuid.uuid4().hex
    entries = [make_entry(user_id) for _ in range(5)] + [make_entry(user_id, at=NOON + timedelta(microseconds=1))]
    for entry in entries:
        history.store_entry(entry)
    seen: list[LoginHistoryEntry] = []
    while page := history.entries_of(user_id, after=position_of(seen[-1]) if seen else None, limit=2):
        seen += page
    assert seen == sorted(entries, key=lambda entry: (entry.at, entry.entry_id), reverse=True)


def test_entries_are_deleted_by_user_and_by_age(history: LoginHistoryStore) -> None:
    leaving, staying = uuid.uuid4().hex, uuid.uuid4().hex
    for user_id in (leaving, staying):
        history.store_entry(make_entry(user_id))
        history.store_entry(make_entry(user_id, at=NOON - timedelta(days=1)))
    history.delete_entries_of(leaving)
    history.delete_entries_of(leaving)
    assert history.entries_of(leaving, after=None, limit=10) == []
    assert history.delete_entries_before(NOON) >= 1
    assert [entry.at for entry in history.entries_of(staying, after=None, limit=10)] == [NOON]
