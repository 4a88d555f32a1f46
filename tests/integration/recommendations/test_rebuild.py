"""After a rebuild, the graph matches the catalogue and usage again, even if messages were lost before."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from functions.catalogue.model import Status
from functions.catalogue.schemas import TitleEdit
from functions.platform.errors import NotFound, StoreUnavailable
from functions.recommendations.card_facts import FACTS_FORMAT
from functions.recommendations.rebuild import MAX_AGE, STALE, Phase
from functions.usage.model import UsageKind
from tests.support.clock import NOON
from tests.support.graph import VIEWERS, forgotten, title_changed, unwatched, watched

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from functions.platform.messages import UpdateGraph
    from functions.recommendations.bolt import Bolt
    from functions.recommendations.model import ViewerHistory
    from tests.support.graph import Theatre

NAMES = ("aa", "bb", "cc", "dd")
PEOPLE = ("Ada Lindt", "Bo Ek", "Cy Roe")
GENRES = ("War", "Drama")

titles = st.sampled_from(NAMES)
viewers = st.integers(0, 2)
people = st.lists(st.sampled_from(PEOPLE), unique=True)
happenings = st.one_of(
    st.tuples(st.just("add"), titles),
    st.tuples(st.just("edit"), titles, people, people, st.lists(st.sampled_from(GENRES), unique=True)),
    st.tuples(st.just("withdraw"), titles),
    st.tuples(st.just("watch"), viewers, titles),
    st.tuples(st.just("rate"), viewers, titles, st.sampled_from((1, -1, 0))),
    st.tuples(st.just("clear"), viewers, st.one_of(st.none(), titles)),
    st.tuples(st.just("leave"), viewers),
)
fates = st.sampled_from(("once", "twice", "late", "lost"))


def happen(theatre: Theatre, what: tuple[Any, ...], hour: int) -> UpdateGraph:
    """Change the catalogue or usage at a given hour; return the message for this change."""
    catalogue, store = theatre.world.catalogue, theatre.store
    match what:
        case (("watch" | "rate" | "clear" | "leave"), viewer, *_) if viewer in theatre.gone:
            return forgotten(viewer)  # a deleted account never returns under the same id
        case "add", name:
            catalogue.open_title(name, stem=name, status=Status.READY)
        case "edit", name, directors, actors, genres:
            with suppress(NotFound):
                catalogue.edit_title(name, TitleEdit(directors=directors, actors=actors, genres=genres))
        case "withdraw", name:
            if catalogue.find_title(name):
                catalogue.withdraw_title(name)
        case "watch", viewer, name:
            at = NOON + timedelta(hours=hour)
            theatre.views(viewer, name, at)
            return watched(viewer, name, at)
        case "rate", viewer, name, rating:
            messages: list[UpdateGraph] = []
            keep, theatre.sync.update = theatre.sync.update, messages.append  # type: ignore[method-assign,assignment]
            theatre.rates(viewer, name, rating, minute=60 * hour)
            theatre.sync.update = keep  # type: ignore[method-assign]
            return messages[0]
        case "clear", viewer, name:
            if name is None:
                store.remove_all(VIEWERS[viewer], UsageKind.VIEW)
            else:
                store.remove(VIEWERS[viewer], UsageKind.VIEW, name)
            return unwatched(viewer, name)
        case "leave", viewer:
            theatre.gone.add(viewer)
            store.remove_all(VIEWERS[viewer], *UsageKind)
            return forgotten(viewer)
    return title_changed(what[1])


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(story=st.lists(st.tuples(happenings, fates), min_size=4, max_size=16))
def test_the_graph_equals_its_sources_after_any_story_and_one_rebuild(
    new_theatre: Callable[[], Theatre], story: list[tuple[tuple[Any, ...], str]]
) -> None:
    theatre = new_theatre()
    late: list[UpdateGraph] = []
    for hour, (what, fate) in enumerate(story):
        message = happen(theatre, what, hour)
        if fate == "late":
            late.append(message)
        elif fate != "lost":
            for _ in range(2 if fate == "twice" else 1):
                theatre.sync.update(message)
    for message in reversed(late):
        theatre.sync.update(message)
    theatre.rebuilds()
    expected = theatre.expected
    assert theatre.content == expected
    for message in late:
        theatre.sync.update(message)
    again = theatre.content
    assert (again.titles, again.relations, again.opinions) == (expected.titles, expected.relations, expected.opinions)


@settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(story=st.lists(happenings, min_size=4, max_size=16))
def test_the_graph_equals_its_sources_at_every_moment_if_no_message_is_lost(
    new_theatre: Callable[[], Theatre], story: list[tuple[Any, ...]]
) -> None:
    theatre = new_theatre()
    for name in NAMES:
        theatre.shows(name)
    for hour, what in enumerate(story):
        theatre.sync.update(happen(theatre, what, hour))
    content, expected = theatre.content, theatre.expected
    assert (content.titles, content.relations) == (expected.titles, expected.relations)
    assert (content.viewings, content.opinions, content.views) == (
        expected.viewings,
        expected.opinions,
        expected.views,
    )


def test_a_rebuild_fills_an_empty_graph_and_over_a_right_one_changes_nothing(theatre: Theatre) -> None:
    theatre.shows("a", "b", "c", directors=("Ada Lindt",), genres=("War",))
    theatre.watches(0, "a", "b", "c")
    theatre.watches(1, "c", "b")
    theatre.rates(0, "a", 1)
    theatre.clear_graph()
    ended = theatre.rebuilds()
    assert (ended.titles, ended.viewers, ended.views, ended.finished_at) == (3, 2, 5, theatre.world.clock.now)
    assert theatre.content == theatre.expected
    theatre.rebuilds()
    assert theatre.content == theatre.expected


def test_a_rebuild_that_is_broken_off_goes_on_where_it_was(theatre: Theatre) -> None:
    theatre.shows("a", "b", "c")
    for viewer in range(3):
        theatre.watches(viewer, "a", "b")
    theatre.clear_graph()
    begun = theatre.rebuild.start()
    assert theatre.begun == [begun.id]
    assert not theatre.rebuild.advance(begun.id, within_s=0)
    half = theatre.rebuild.progress()
    assert half and half.phase is Phase.VIEWERS and half.titles == 3

    asked: list[str] = []
    sources: Any = theatre.rebuild._sources
    given_viewers = sources.viewers

    def breaks(after: str) -> Iterator[ViewerHistory]:
        asked.append(after)
        for number, viewer in enumerate(given_viewers(after)):
            if number == 1 and len(asked) == 1:
                raise StoreUnavailable("The store of usage does not answer.")
            yield viewer

    sources.viewers = breaks
    with pytest.raises(StoreUnavailable):
        theatre.rebuild.advance(begun.id, within_s=60)
    assert theatre.rebuild.advance(begun.id, within_s=60)
    ended = theatre.rebuild.progress()
    assert ended and ended.phase is Phase.DONE and ended.titles == 3
    assert theatre.content == theatre.expected


def test_of_rebuilds_one_runs_at_a_time_and_one_that_died_is_taken_up(theatre: Theatre) -> None:
    first = theatre.rebuild.start()
    theatre.world.clock.forward(minutes=1)
    assert theatre.rebuild.start().id == first.id
    assert theatre.begun == [first.id]
    theatre.world.clock.forward(seconds=STALE.total_seconds())
    assert theatre.rebuild.start().id == first.id
    assert theatre.begun == [first.id, first.id]


def test_a_rebuild_is_due_if_there_was_none_or_messages_were_lost_or_it_is_old(theatre: Theatre) -> None:
    rebuild, clock = theatre.rebuild, theatre.world.clock
    assert rebuild.start_if_due()
    rebuild.advance(theatre.begun[-1], within_s=60)
    assert not rebuild.start_if_due()
    clock.forward(minutes=5)
    rebuild.record_loss()
    clock.forward(minutes=5)
    assert rebuild.start_if_due()
    assert not rebuild.start_if_due()
    rebuild.advance(theatre.begun[-1], within_s=60)
    assert not rebuild.start_if_due()
    clock.forward(seconds=MAX_AGE.total_seconds())
    assert rebuild.start_if_due()
    rebuild.fail(theatre.begun[-1], "It could not go on.")
    failed = rebuild.progress()
    assert failed and failed.reason == "It could not go on."
    assert rebuild.start_if_due()


def test_rebuild_is_due_when_the_facts_of_cards_have_a_lower_format(bolt: Bolt, real_theatre: Theatre) -> None:
    theatre = real_theatre
    theatre.shows("aa", year=1999)
    theatre.rebuilds()
    assert not theatre.rebuild.start_if_due()
    latest = theatre.records.progress()
    assert latest
    assert theatre.records.save_progress(replace(latest, facts_format=FACTS_FORMAT - 1), over=latest)
    bolt.write(lambda tx: tx.run("MATCH (t:Title) SET t.facts_format = 0, t.card = '{}'").consume())
    assert theatre.rebuild.start_if_due()
    theatre.rebuilds()
    [row] = bolt.write(
        lambda tx: [row.data() for row in tx.run("MATCH (t:Title) RETURN t.facts_format AS f, t.card AS c")]
    )
    assert row == {"f": FACTS_FORMAT, "c": None}
