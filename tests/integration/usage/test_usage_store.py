"""The usage stores in Mongo and Cosmos DB and the fake of the unit tests satisfy the same contract."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from pymongo import MongoClient

from functions.platform.errors import StoreUnavailable
from functions.usage.cosmos import CosmosUsage
from functions.usage.model import Heartbeat, Mark, Milestone, Quality, UsageKind, View, ViewerTitleState
from functions.usage.mongo import MongoUsage
from tests.support.clock import NOON
from tests.support.cosmos import cosmos_emulator
from tests.support.usage import ADA, BOB, MemoryUsage, make_session, make_view

if TYPE_CHECKING:
    from collections.abc import Iterator

    from azure.cosmos import ContainerProxy
    from pymongo.database import Database

    from functions.usage.ports import UsageStore
    from tests.integration.conftest import Stack


@pytest.fixture(scope="module")
def container(stack: Stack) -> Iterator[ContainerProxy]:
    with cosmos_emulator(stack.home) as container:
        yield container


@pytest.fixture(params=["memory", "mongo", "cosmos"])
def store(request: pytest.FixtureRequest) -> Iterator[UsageStore]:
    if request.param == "memory":
        yield MemoryUsage()
    elif request.param == "mongo":
        yield MongoUsage(request.getfixturevalue("mongo_database"))
    else:
        cosmos = CosmosUsage(request.getfixturevalue("container"))
        yield cosmos
        for user_id in (ADA, BOB):
            cosmos.remove_all(user_id, *UsageKind)


def watched_to(view: View, position_s: float, *, sequence: int) -> View:
    return view.after(Heartbeat(sequence, position_s), view.session, NOON + timedelta(seconds=sequence))


def test_a_view_comes_back_as_it_was_kept(store: UsageStore) -> None:
    quality = Quality(startup_ms=812, rebuffers=2, rebuffer_ms=1400, bitrate_kbps=2800, dropped_frames=7)
    session = make_session("film-1a2b3c", opened_s=0.123)
    view = View(session, earlier_s=3.5, finished_before=True).after(Heartbeat(4, 71.25, 60.5, quality), session, NOON)
    view = view.with_reported(Milestone.HALF)
    assert store.add(view)
    kept = store.view(ADA, "film-1a2b3c")
    assert kept and kept.view == view
    assert store.view(ADA, "other") is None and store.view(BOB, "film-1a2b3c") is None


def test_a_view_is_added_once(store: UsageStore) -> None:
    assert store.add(make_view())
    assert not store.add(make_view(position_s=50))
    kept = store.view(ADA, "film")
    assert kept and kept.view.position_s == 0


def test_a_view_is_changed_only_over_the_version_that_was_read(store: UsageStore) -> None:
    store.add(View(make_session()))
    first = store.view(ADA, "film")
    assert first and first.view.watched_at is None
    assert store.change(watched_to(first.view, 15, sequence=0), over=first.version)
    assert not store.change(watched_to(first.view, 30, sequence=1), over=first.version)
    second = store.view(ADA, "film")
    assert second and second.view == watched_to(first.view, 15, sequence=0)
    assert store.change(watched_to(second.view, 45, sequence=2), over=second.version)


def test_a_view_that_is_gone_is_not_changed_back(store: UsageStore) -> None:
    store.add(make_view())
    kept = store.view(ADA, "film")
    assert kept
    store.remove(ADA, UsageKind.VIEW, "film")
    store.remove(ADA, UsageKind.VIEW, "film")
    assert not store.change(watched_to(kept.view, 15, sequence=1), over=kept.version)
    assert store.view(ADA, "film") is None


def test_of_many_changes_at_once_each_is_made_over_the_last(store: UsageStore) -> None:
    store.add(View(make_session()))

    def count(number: int) -> int:
        for attempt in range(100):
            kept = store.view(ADA, "film")
            assert kept
            played_s = (kept.view.played_s or 0.0) + 1.0
            if store.change(replace(kept.view, played_s=played_s), over=kept.version):
                return attempt
        raise AssertionError(f"{number} never had its turn")

    with ThreadPoolExecutor(4) as pool:  # a store has six places for calls
        list(pool.map(count, range(24)))
    kept = store.view(ADA, "film")
    assert kept and kept.view.played_s == 24.0


def test_history_goes_backwards_in_pages_without_what_was_never_watched(store: UsageStore) -> None:
    for number in range(5):
        store.add(make_view(f"film-{number}", watched_s=number, position_s=30))
    store.add(View(make_session("opened-only")))
    store.add(make_view("anothers", user_id=BOB))
    first = store.views(ADA, unfinished=False, below=None, limit=3)
    assert [view.title_id for view in first] == ["film-4", "film-3", "film-2"]
    rest = store.views(ADA, unfinished=False, below=first[-1].place, limit=3)
    assert [view.title_id for view in rest] == ["film-1", "film-0"]
    assert store.views(ADA, unfinished=False, below=rest[-1].place, limit=3) == []


def test_titles_watched_in_the_same_moment_are_not_lost_between_pages(store: UsageStore) -> None:
    for number in range(4):
        store.add(make_view(f"film-{number}"))
    seen, below = [], None
    while page := store.views(ADA, unfinished=False, below=below, limit=1):
        seen.append(page[0].title_id)
        below = page[0].place
    assert seen == ["film-3", "film-2", "film-1", "film-0"]


def test_only_unfinished_titles_are_found_to_go_on_with(store: UsageStore) -> None:
    for title_id, position_s in (("begun", 30.0), ("finished", 119.0), ("glanced-at", 2.0)):
        store.add(make_view(title_id, position_s=position_s))
    assert [view.title_id for view in store.views(ADA, unfinished=True, below=None, limit=9)] == ["begun"]
    kept = store.view(ADA, "begun")
    assert kept and store.change(watched_to(kept.view, 118, sequence=5), over=kept.version)
    assert store.views(ADA, unfinished=True, below=None, limit=9) == []


def test_marks_of_a_kind_come_the_latest_first_and_replace_each_other(store: UsageStore) -> None:
    for number, title_id in enumerate(("one", "two", "one")):
        store.put(Mark(UsageKind.LISTED, ADA, title_id, NOON + timedelta(seconds=number)))
    store.put(Mark(UsageKind.RATED, ADA, "one", NOON, 1))
    store.put(Mark(UsageKind.RATED, ADA, "one", NOON, -1))
    store.put(Mark(UsageKind.LISTED, BOB, "three", NOON))
    assert [mark.title_id for mark in store.marks(ADA, UsageKind.LISTED)] == ["one", "two"]
    assert store.marks(ADA, UsageKind.RATED) == [Mark(UsageKind.RATED, ADA, "one", NOON, -1)]


def test_the_traces_of_a_title_are_all_that_is_kept_of_it(store: UsageStore) -> None:
    assert store.title_state(ADA, "film") == ViewerTitleState()
    view = make_view(position_s=30)
    store.add(view)
    store.put(Mark(UsageKind.LISTED, ADA, "film", NOON))
    store.put(Mark(UsageKind.RATED, ADA, "film", NOON, -1))
    store.put(Mark(UsageKind.RATED, ADA, "other", NOON, 1))
    assert store.title_state(ADA, "film") == ViewerTitleState(view, NOON, -1)
    assert store.title_state(BOB, "film") == ViewerTitleState()


def test_things_are_removed_by_kind_and_only_those_of_one_viewer(store: UsageStore) -> None:
    for user_id in (ADA, BOB):
        for number in range(3):
            store.add(make_view(f"film-{number}", user_id=user_id))
            store.put(Mark(UsageKind.LISTED, user_id, f"film-{number}", NOON))
    store.remove(ADA, UsageKind.LISTED, "film-0")
    assert len(store.marks(ADA, UsageKind.LISTED)) == 2
    store.remove_all(ADA, UsageKind.VIEW)
    assert store.views(ADA, unfinished=False, below=None, limit=9) == []
    assert len(store.marks(ADA, UsageKind.LISTED)) == 2
    for _ in range(2):
        store.remove_all(ADA, *UsageKind)
    assert store.marks(ADA, UsageKind.LISTED) == []
    assert len(store.views(BOB, unfinished=False, below=None, limit=9)) == len(store.marks(BOB, UsageKind.LISTED)) == 3


def test_views_say_how_long_they_live_and_marks_live_for_ever(
    container: ContainerProxy, mongo_database: Database[dict[str, Any]]
) -> None:
    two_days, two_years = 2 * 86_400, 730 * 86_400
    for store in (CosmosUsage(container), MongoUsage(mongo_database)):
        store.add(View(make_session("opened")))
        store.add(View(make_session("watched")))
        kept = store.view(ADA, "watched")
        assert kept and store.change(watched_to(kept.view, 20, sequence=0), over=kept.version)
        store.put(Mark(UsageKind.LISTED, ADA, "film", NOON))
    items = {item["id"]: item.get("ttl") for item in container.read_all_items()}
    assert items == {"view~opened": two_days, "view~watched": two_years, "listed~film": None}
    documents = {document["title_id"]: document.get("expires_at") for document in mongo_database["usage"].find()}
    assert documents == {
        "opened": NOON + timedelta(seconds=two_days, hours=12),  # rounded up to the end of the day
        "watched": NOON + timedelta(seconds=two_years, hours=12),
        "film": None,
    }
    assert {"expireAfterSeconds": 0}.items() <= mongo_database["usage"].index_information()["expires_at_1"].items()
    CosmosUsage(container).remove_all(ADA, *UsageKind)


def test_a_store_that_is_away_is_told_as_such(stack: Stack, refused_port: int) -> None:
    client: MongoClient[dict[str, Any]] = MongoClient(
        f"mongodb://127.0.0.1:{refused_port}", serverSelectionTimeoutMS=200, directConnection=True
    )
    with cosmos_emulator(stack.home) as container:
        gone = CosmosUsage(container)
        gone.put(Mark(UsageKind.LISTED, ADA, "film", NOON))
    with client:
        for store in (MongoUsage(client["usage"]), gone):
            with pytest.raises(StoreUnavailable):
                store.view(ADA, "film")
            with pytest.raises(StoreUnavailable):
                store.put(Mark(UsageKind.RATED, ADA, "film", NOON, 1))


def test_everything_is_given_viewer_by_viewer_from_any_of_them_on(store: UsageStore) -> None:
    third = "c" * 32
    for user_id in (BOB, third, ADA):
        store.add(make_view(user_id=user_id))
        store.add(make_view("other", user_id=user_id))
    store.put(Mark(UsageKind.RATED, BOB, "film", NOON, 1))
    store.put(Mark(UsageKind.LISTED, BOB, "third", NOON))
    everyone = [one for one in store.everyone(after="") if one.user_id in (ADA, BOB, third)]
    assert [one.user_id for one in everyone] == [ADA, BOB, third]
    assert {view.title_id for view in everyone[1].views} == {"film", "other"}
    assert {(mark.kind, mark.title_id, mark.rating) for mark in everyone[1].marks} == {
        (UsageKind.RATED, "film", 1),
        (UsageKind.LISTED, "third", 0),
    }
    assert [one.user_id for one in store.everyone(after=ADA)][:2] == [BOB, third]
    of_bob = store.viewer(BOB)
    assert of_bob and (of_bob.user_id, set(of_bob.views)) == (BOB, set(everyone[1].views))
    assert set(of_bob.marks) == set(everyone[1].marks)
    store.remove_all(third, *UsageKind)
    assert not list(store.everyone(after=BOB))
    assert store.viewer(third) is None


def test_documents_of_the_first_release_are_read(mongo_database: Database[dict[str, Any]]) -> None:
    view = make_view(position_s=70, watched_s=9).with_reported(Milestone.HALF)
    MongoUsage(mongo_database).add(view)
    mongo_database["usage"].update_many({}, {"$rename": {"session": "sitting", "reported": "told"}})
    stored = MongoUsage(mongo_database).view(ADA, "film")
    assert stored and stored.view == view
    later = view.after(Heartbeat(1, 90.0), view.session, NOON + timedelta(seconds=30))
    assert MongoUsage(mongo_database).change(later, over=stored.version)
    changed = MongoUsage(mongo_database).view(ADA, "film")
    assert changed and changed.view == later
