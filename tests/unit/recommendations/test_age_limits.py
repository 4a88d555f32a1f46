"""A profile with an age limit is recommended only titles that it may play, and no reason names another."""

from __future__ import annotations

import pytest

from functions.catalogue.schemas import Card
from functions.recommendations.model import MORE_LENGTH, SHELF_LENGTH, Candidate, Watched
from tests.support.catalogue import World, make_playback, make_title
from tests.unit.recommendations.test_service import LIKE, NEXT, NOW, Answers, make

KID = 9
RATED = {"kid": "PG", "adult": "R", "unknown": None}


def world_of(number: int) -> World:
    """Return a catalogue with a number of titles for each age, of which those for adults are rated best on IMDb."""
    playback = make_playback(complete=True)
    return World().with_titles(
        make_title(
            f"{kind}-{each}",
            name=f"{kind} {each}",
            added_s=each,
            playback=playback,
            rated=rated,
            genres=("War",),
            imdb_rating=9.0 if kind == "adult" else 6.0,
        )
        for kind, rated in RATED.items()
        for each in range(number)
    )


def ranked(world: World, *, with_cards: bool) -> Answers:
    """Return a ranking with all titles in every list, those for adults first."""
    answers = Answers()
    titles = sorted(
        world.titles.some([f"{kind}-{each}" for kind in RATED for each in range(60)]), key=lambda one: one.id
    )
    for found, reason in ((answers.next, NEXT), (answers.like, LIKE), (answers.hot, NOW)):
        found += [Candidate(one.id, reason, Card.of(one) if with_cards else None) for one in titles]
    answers.seen = [Watched(each, each, listed=True) for each in ("adult-0", "unknown-0", "kid-0")]
    return answers


@pytest.mark.parametrize("with_cards", [True, False])
def test_shelves_have_only_suitable_titles_and_as_many_as_others_get(with_cards: bool) -> None:
    world = world_of(60)
    answers = ranked(world, with_cards=with_cards)
    shelves = make(answers, world).home("u", age_limit=KID)
    assert {pick.id.partition("-")[0] for shelf in shelves for pick in shelf.picks} == {"kid"}
    assert [shelf.id for shelf in shelves][:1] == ["for-you"] and len(shelves[0].picks) == SHELF_LENGTH
    assert [asked for asked in answers.asked if asked.startswith("similar")] == ["similar kid-0"]
    everyone = make(ranked(world, with_cards=with_cards), world).home("u")
    assert len(everyone[0].picks) == SHELF_LENGTH and everyone[0].picks[0].id == "adult-0"


def test_no_heading_names_a_title_for_older_people() -> None:
    world = world_of(20)
    answers = ranked(world, with_cards=True)
    answers.next, answers.hot = [], []
    [shelf] = make(answers, world).home("u", age_limit=KID)
    assert shelf.heading == "Because you watched kid-0"


def test_similar_titles_are_suitable() -> None:
    world = world_of(60)
    picks = make(ranked(world, with_cards=True), world).similar("kid-1", age_limit=KID)
    assert len(picks) == MORE_LENGTH and {pick.id.partition("-")[0] for pick in picks} == {"kid"}


def test_it_holds_without_the_graph() -> None:
    world = world_of(60)
    answers = Answers()
    answers.away = True
    recommendations = make(answers, world)
    [shelf] = recommendations.home("u", age_limit=KID)
    assert len(shelf.picks) == SHELF_LENGTH and {pick.id.partition("-")[0] for pick in shelf.picks} == {"kid"}
    similar = recommendations.similar("kid-1", age_limit=KID)
    assert len(similar) == MORE_LENGTH and {pick.id.partition("-")[0] for pick in similar} == {"kid"}
    assert "kid-1" not in {pick.id for pick in similar}
    [best] = recommendations.home("u")
    assert best.picks[0].id.startswith("adult")
