"""The graph reflects all changes even if their messages arrive repeatedly, late or out of order."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from functions.catalogue.model import Status
from functions.catalogue.schemas import TitleEdit
from functions.platform.errors import Malformed
from functions.platform.messages import UpdateGraph
from functions.recommendations.graph_sync import GraphSync
from functions.usage.model import UsageKind
from tests.support.clock import NOON
from tests.support.graph import (
    VIEWERS,
    forgotten,
    rated,
    title_changed,
    unwatched,
    watched,
)

if TYPE_CHECKING:
    from tests.support.graph import Theatre


def test_a_title_is_in_the_graph_with_its_people_in_their_roles_and_its_genres(theatre: Theatre) -> None:
    theatre.shows("tide", directors=("Ada Lindt",), writers=("Ada Lindt", "Bo Ek"), actors=("Cy Roe",), genres=("War",))
    content = theatre.content
    assert content.relations == {
        ("DIRECTED", "ada lindt", "tide"),
        ("WROTE", "ada lindt", "tide"),
        ("WROTE", "bo ek", "tide"),
        ("ACTED_IN", "cy roe", "tide"),
        ("IN_GENRE", "war", "tide"),
    }
    assert content.titles == {"tide": (1, True, "tide")}


def test_what_a_title_is_no_longer_vanishes(theatre: Theatre) -> None:
    theatre.shows("tide", directors=("Ada Lindt",), actors=("Cy Roe", "Di Oz"), genres=("War", "Drama"))
    theatre.shows("other", directors=("Ada Lindt",), genres=("Drama",))
    edit = TitleEdit(directors=["Bo Ek"], actors=["Di Oz"], genres=["Drama"])
    theatre.world.catalogue.edit_title("tide", edit)
    theatre.sync.update(title_changed("tide"))
    assert theatre.content.relations == {
        ("DIRECTED", "bo ek", "tide"),
        ("ACTED_IN", "di oz", "tide"),
        ("IN_GENRE", "drama", "tide"),
        ("DIRECTED", "ada lindt", "other"),
        ("IN_GENRE", "drama", "other"),
    }


def test_a_withdrawn_title_is_nowhere_and_comes_back_with_its_views(theatre: Theatre) -> None:
    theatre.shows("tide", "dawn", "dusk", genres=("War",))
    theatre.watches(0, "tide", "dawn")
    theatre.watches(1, "dusk")
    theatre.world.catalogue.withdraw_title("dawn")
    theatre.sync.update(title_changed("dawn"))
    assert set(theatre.content.titles) == {"tide", "dusk"}
    assert [pick.id for pick in theatre.recommendations.similar("tide")] == ["dusk"]
    assert not theatre.graph.next_for(theatre.graph.history(VIEWERS[1]), limit=9)
    assert {pick.id for pick in theatre.graph.popular(limit=9)} == {"tide", "dusk"}
    theatre.world.catalogue.open_title("dawn", stem="dawn", status=Status.READY)
    theatre.sync.update(title_changed("dawn"))
    content = theatre.content
    assert set(content.titles) == {"tide", "dawn", "dusk"}
    assert content.views["dawn"] == 1


def test_a_message_of_a_title_that_comes_late_brings_nothing_old_back(theatre: Theatre) -> None:
    theatre.shows("tide", genres=("War",))
    old = theatre.world.catalogue.get("tide")
    theatre.world.catalogue.withdraw_title("tide")

    class Late:
        def find_title(self, title_id: str) -> object:
            """Return the title as it was read before it was withdrawn."""
            return old

    late = GraphSync(
        theatre.graph,
        Late(),  # type: ignore[arg-type]
        theatre.usage,
        theatre.records,
        send=lambda message: None,
    )
    theatre.sync.update(title_changed("tide"))
    late.update(title_changed("tide"))
    assert not theatre.content.titles


def test_a_view_of_a_title_that_the_graph_does_not_know_yet_is_kept_for_it(theatre: Theatre) -> None:
    theatre.watches(0, "tide")
    assert not theatre.content.titles
    theatre.shows("tide")
    assert theatre.content.views == {"tide": 1}


def test_the_same_message_twice_or_late_changes_nothing(theatre: Theatre) -> None:
    theatre.shows("tide", "dawn", "dusk")
    theatre.watches(0, "tide", "dawn", "dusk")
    before = theatre.content
    for name, hours in (("tide", 0), ("dusk", 2), ("dawn", 1)):
        theatre.sync.update(watched(0, name, NOON + timedelta(hours=hours)))
        theatre.sync.update(watched(0, name, NOON + timedelta(hours=hours), progress=0.5))
    theatre.sync.update(title_changed("tide"))
    assert theatre.content == before


def test_messages_in_any_order_give_the_same_steps(theatre: Theatre) -> None:
    theatre.shows("a", "b", "c")
    for name, hours in (("c", 3), ("a", 1), ("b", 2)):
        at = NOON + timedelta(hours=hours)
        theatre.views(0, name, at)
        theatre.sync.update(watched(0, name, at))
    assert theatre.content.steps == theatre.expected.steps


def test_who_watches_again_goes_on_from_what_they_watched_last(theatre: Theatre) -> None:
    theatre.shows("a", "b", "c")
    theatre.watches(0, "a", "b")
    theatre.watches(0, "a", "c", from_s=86_400)
    content = theatre.content
    assert content.steps == theatre.expected.steps
    assert content.views == {"a": 1, "b": 1, "c": 1}


def test_cleared_history_leaves_no_trace(theatre: Theatre) -> None:
    theatre.shows("a", "b", "c")
    theatre.watches(0, "a", "b", "c")
    theatre.watches(1, "b", "c")
    theatre.store.remove(VIEWERS[0], UsageKind.VIEW, "b")
    theatre.sync.update(unwatched(0, "b"))
    assert theatre.content.steps == {("a", "c"): 667, ("b", "c"): 667}
    theatre.store.remove_all(VIEWERS[0], UsageKind.VIEW)
    theatre.sync.update(unwatched(0, None))
    content = theatre.content
    assert content == theatre.expected
    assert {user for user, _ in content.viewings} == {VIEWERS[1]}


def test_a_view_that_was_cleared_before_its_message_came_is_not_written(theatre: Theatre) -> None:
    theatre.shows("a")
    theatre.views(0, "a", NOON)
    theatre.store.remove_all(VIEWERS[0], *UsageKind)
    theatre.sync.update(forgotten(0))
    theatre.sync.update(watched(0, "a", NOON))
    theatre.sync.update(rated(0, "a", NOON))
    assert not theatre.content.viewings and not theatre.content.opinions
    assert not theatre.graph.user_ids(after="", until=None)


def test_a_message_of_what_was_cleared_does_not_take_what_was_watched_since(theatre: Theatre) -> None:
    theatre.shows("a")
    theatre.watches(0, "a")
    theatre.watches(0, "a", from_s=7200)
    theatre.sync.update(unwatched(0, "a"))
    assert set(theatre.content.viewings) == {(VIEWERS[0], "a")}


def test_of_ratings_the_one_that_stands_is_written(theatre: Theatre) -> None:
    theatre.shows("a", "b")
    theatre.rates(0, "a", 1)
    theatre.rates(0, "a", -1, minute=1)
    theatre.rates(0, "b", 1, minute=2)
    theatre.sync.update(rated(0, "a", NOON))
    assert theatre.content.opinions == {(VIEWERS[0], "a"): -1, (VIEWERS[0], "b"): 1}
    theatre.rates(0, "a", 0, minute=3)
    assert theatre.content.opinions == {(VIEWERS[0], "b"): 1}


def test_who_leaves_is_forgotten(theatre: Theatre) -> None:
    theatre.shows("a", "b")
    theatre.watches(0, "a", "b")
    theatre.watches(1, "a", "b")
    theatre.rates(0, "a", 1)
    for _ in range(2):
        theatre.store.remove_all(VIEWERS[0], *UsageKind)
        theatre.sync.update(forgotten(0))
    assert theatre.graph.user_ids(after="", until=None) == [VIEWERS[1]]
    assert theatre.content == theatre.expected


def test_many_messages_at_once_lose_nothing(theatre: Theatre) -> None:
    names = ("a", "b", "c", "d")
    theatre.shows(*names, directors=("Ada Lindt",), genres=("War",))
    faults: list[BaseException] = []

    def work(viewer: int) -> None:
        try:
            for number, name in enumerate(names):
                at = NOON + timedelta(hours=number)
                theatre.views(viewer, name, at)
                theatre.sync.update(watched(viewer, name, at))
                theatre.sync.update(title_changed(name))
        except BaseException as fault:  # noqa: BLE001 - the thread that started this one reports it
            faults.append(fault)

    workers = [threading.Thread(target=work, args=(viewer,)) for viewer in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert not faults
    content, expected = theatre.content, theatre.expected
    assert (content.titles, content.relations) == (expected.titles, expected.relations)
    assert (content.viewings, content.views) == (expected.viewings, expected.views)
    assert {step: content.steps[step] for step in (("a", "b"), ("b", "c"), ("c", "d"))} == dict.fromkeys(
        (("a", "b"), ("b", "c"), ("c", "d")), 4 * 667
    )


@pytest.mark.parametrize(
    "message",
    [
        UpdateGraph("title"),
        UpdateGraph("forgotten"),
        UpdateGraph("unwatched"),
        UpdateGraph("unwatched", title_id="a"),
        UpdateGraph("watched", title_id="a", user_id=VIEWERS[0], at=NOON),
        UpdateGraph("watched", title_id="a", user_id=VIEWERS[0], progress=1.0),
        UpdateGraph("watched", user_id=VIEWERS[0], progress=1.0, at=NOON),
        UpdateGraph("rated", title_id="a", user_id=VIEWERS[0]),
        UpdateGraph("rated", title_id="a", at=NOON),
    ],
)
def test_message_without_what_its_change_needs_is_malformed(theatre: Theatre, message: UpdateGraph) -> None:
    with pytest.raises(Malformed):
        theatre.sync.update(message)
