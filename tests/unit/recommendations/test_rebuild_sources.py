"""The titles and viewers from which the graph is rebuilt."""

from __future__ import annotations

from datetime import timedelta

from functions.catalogue.model import Status
from functions.catalogue.schemas import Card
from functions.recommendations.model import Credit, Opinion, Role, Viewing
from functions.recommendations.rebuild_sources import SliceSources, graph_title, viewing_of
from functions.usage.model import Mark, Milestone, UsageKind
from tests.support.catalogue import World, make_playback, make_title
from tests.support.clock import NOON
from tests.support.usage import ADA, BOB, MemoryUsage, make_usage, make_view


def test_listed_title_has_its_people_by_folded_name() -> None:
    title = make_title(
        "tide",
        name="Tide",
        genres=("Sci-Fi", "sci-fi", "War"),
        directors=("Ada  Lindt", "ADA LINDT"),
        actors=("Zoë Straße",),
        playback=make_playback(complete=True),
    )
    held = graph_title(title)
    assert held.genres == (("sci-fi", "Sci-Fi"), ("war", "War"))
    assert held.credits == (
        Credit(Role.DIRECTED, "ada lindt", "Ada  Lindt"),
        Credit(Role.ACTED_IN, "zoë strasse", "Zoë Straße"),
    )
    assert (held.listed, held.watchable, held.card) == (True, True, Card.of(title))


def test_withdrawn_title_has_no_description() -> None:
    held = graph_title(make_title("tide", name="Tide", genres=("War",), status=Status.WITHDRAWN, revision=7))
    assert (held.id, held.revision, held.listed, held.card, held.genres) == ("tide", 7, False, None, ())


def test_viewer_has_what_was_half_watched_and_the_ratings() -> None:
    store = MemoryUsage()
    store.add(make_view("half", position_s=60, watched_s=9).with_reported(Milestone.HALF))
    store.add(make_view("begun", position_s=20))
    store.put(Mark(UsageKind.RATED, ADA, "half", NOON, -1))
    store.put(Mark(UsageKind.LISTED, ADA, "later", NOON))
    store.put(Mark(UsageKind.LISTED, BOB, "later", NOON))
    world = World()
    sources = SliceSources(world.catalogue, make_usage(store, world))
    [ada] = sources.viewers("")
    assert ada.viewings == (Viewing("half", 0.5, NOON + timedelta(seconds=9)),)
    assert ada.opinions == (Opinion("half", -1, NOON),)
    assert sources.find_viewer(ADA) == ada
    assert sources.find_viewer(BOB) is None


def test_viewing_counts_before_its_report_is_recorded() -> None:
    due = make_view("half", position_s=60, watched_s=9)
    assert due.due and not due.seen
    assert viewing_of(due) == Viewing("half", 0.5, NOON + timedelta(seconds=9))
    assert viewing_of(make_view("begun", position_s=20)) is None
