"""Rebuilds and their journals in Mongo and in memory satisfy the same contract."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from functions.platform.errors import StoreUnavailable
from functions.recommendations.rebuild import Phase, RebuildProgress
from functions.recommendations.rebuild_store import MongoRebuildStore
from tests.support.clock import NOON
from tests.support.graph import VIEWERS, MemoryRebuildStore

if TYPE_CHECKING:
    from functions.recommendations.ports import RebuildStore

FIRST = RebuildProgress("0123456789abcdef", NOON, NOON, titles_in_all=9)
OTHER = "0123456789abcdee"
ADA, BOB, CY, *_ = VIEWERS


@pytest.fixture(params=["memory", "mongo"])
def store(request: pytest.FixtureRequest) -> RebuildStore:
    if request.param == "memory":
        return MemoryRebuildStore()
    return MongoRebuildStore(request.getfixturevalue("mongo_database"))


def test_progress_comes_back_as_it_was_saved(store: RebuildStore) -> None:
    assert store.progress() is None
    assert store.save_progress(FIRST, over=None)
    assert store.progress() == FIRST
    later = NOON + timedelta(minutes=1)
    done = replace(FIRST, phase=Phase.DONE, updated_at=later, finished_at=later, titles=9, viewers=2, views=5, steps=4)
    assert store.save_progress(done, over=FIRST)
    assert store.progress() == done


def test_progress_is_saved_only_over_the_place_that_is_stored(store: RebuildStore) -> None:
    assert not store.save_progress(FIRST, over=FIRST)
    assert store.save_progress(FIRST, over=None)
    assert not store.save_progress(replace(FIRST, id=OTHER), over=None)
    moved = replace(FIRST, phase=Phase.VIEWERS, cursor=ADA, titles=9)
    assert store.save_progress(moved, over=FIRST)
    for behind in (FIRST, replace(moved, cursor=""), replace(moved, phase=Phase.STEPS), replace(moved, id=OTHER)):
        assert not store.save_progress(replace(moved, cursor=BOB), over=behind)
    assert store.progress() == moved
    taken_up = replace(moved, updated_at=NOON + timedelta(minutes=20))
    assert store.save_progress(taken_up, over=moved)
    assert store.save_progress(replace(taken_up, cursor=BOB), over=moved)


def test_changes_are_counted_per_viewer_and_given_by_the_bounds_of_ids(store: RebuildStore) -> None:
    for user_id in (BOB, ADA, BOB, CY):
        store.record_change(FIRST.id, user_id)
    assert store.changes(FIRST.id, after="", until=None) == {ADA: 1, BOB: 2, CY: 1}
    assert store.changes(FIRST.id, after=ADA, until=None) == {BOB: 2, CY: 1}
    assert store.changes(FIRST.id, after="", until=BOB) == {ADA: 1, BOB: 2}
    assert store.changes(FIRST.id, after=ADA, until=BOB) == {BOB: 2}
    assert store.changes(FIRST.id, after=CY, until=None) == {}


def test_each_rebuild_has_a_journal_of_its_own(store: RebuildStore) -> None:
    store.record_loss(NOON)
    assert store.save_progress(FIRST, over=None)
    store.record_change(FIRST.id, ADA)
    store.record_change(OTHER, BOB)
    assert store.changes(OTHER, after="", until=None) == {BOB: 1}
    store.clear_changes(FIRST.id)
    store.clear_changes(FIRST.id)
    assert store.changes(FIRST.id, after="", until=None) == {}
    assert store.changes(OTHER, after="", until=None) == {BOB: 1}
    assert (store.progress(), store.lost_at()) == (FIRST, NOON)


def test_a_loss_is_forgotten_if_a_rebuild_began_after_it(store: RebuildStore) -> None:
    assert store.lost_at() is None
    store.record_loss(NOON)
    store.clear_loss(NOON)
    assert store.lost_at() == NOON
    store.clear_loss(NOON + timedelta(seconds=1))
    assert store.lost_at() is None


def test_no_change_is_lost_when_many_record_at_once(store: RebuildStore) -> None:
    def record(number: int) -> bool:
        try:
            store.record_change(FIRST.id, VIEWERS[number % 3])
        except StoreUnavailable:  # a busy machine; the change may still have been recorded
            return False
        return True

    with ThreadPoolExecutor(6) as messages:
        recorded = sum(messages.map(record, range(60)))
    assert recorded <= sum(store.changes(FIRST.id, after="", until=None).values()) <= 60
