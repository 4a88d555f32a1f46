"""What the graph is told of titles and viewers."""

from __future__ import annotations

import json
from datetime import timedelta

from functions.catalogue.model import Status
from functions.recommendations.model import Credit, Opinion, Role, Viewing
from functions.recommendations.rebuild_sources import Truth, graph_title
from functions.usage.model import Kind, Mark, Milestone
from tests.support.catalogue import NOON, World, make_playback, make_title
from tests.support.usage import ADA, BOB, MemoryUsage, make_view


def test_a_listed_title_is_told_with_its_card_and_its_people_by_folded_name() -> None:
    title = make_title(
        "tide",
        name="Tide",
        genres=("Sci-Fi", "sci-fi", "War"),
        directors=("Ada  Lindt", "ADA LINDT"),
        actors=("Zoë Straße",),
        playback=make_playback(complete=True),
    )
    told = graph_title(title)
    assert told.genres == (("sci-fi", "Sci-Fi"), ("war", "War"))
    assert told.credits == (
        Credit(Role.DIRECTED, "ada lindt", "Ada  Lindt"),
        Credit(Role.ACTED_IN, "zoë strasse", "Zoë Straße"),
    )
    assert (told.listed, told.watchable, json.loads(told.card)["name"]) == (True, True, "Tide")


def test_of_a_withdrawn_title_nothing_is_told() -> None:
    told = graph_title(make_title("tide", name="Tide", genres=("War",), status=Status.WITHDRAWN, revision=7))
    assert (told.id, told.revision, told.listed, told.card, told.name, told.genres) == ("tide", 7, False, "", "", ())


def test_of_a_viewer_what_was_half_watched_and_the_thumbs_are_told() -> None:
    store = MemoryUsage()
    store.add(make_view("half", position_s=60, watched_s=9).having_told(Milestone.HALF))
    store.add(make_view("begun", position_s=20))
    store.put(Mark(Kind.RATED, ADA, "half", NOON, -1))
    store.put(Mark(Kind.LISTED, ADA, "later", NOON))
    store.put(Mark(Kind.LISTED, BOB, "later", NOON))
    ada, bob = Truth(World().catalogue, store).viewers("")
    assert ada.viewings == (Viewing("half", 0.5, NOON + timedelta(seconds=9)),)
    assert ada.opinions == (Opinion("half", -1, NOON),)
    assert (bob.viewings, bob.opinions) == ((), ())
