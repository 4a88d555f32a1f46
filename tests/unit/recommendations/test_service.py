"""Shelves are built from the results of the graph, and from the catalogue if the graph does not answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from functions.platform.errors import StoreUnavailable
from functions.recommendations.model import SHELF_LENGTH, Candidate, Reason, ReasonKind, Watched
from functions.recommendations.service import POPULAR_S, Recommendations
from tests.support.catalogue import World, make_playback, make_title

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

NEXT = Reason(ReasonKind.WATCHED_NEXT, "Because you watched seen")
LIKE = Reason(ReasonKind.GENRE, "Also War")
NOW = Reason(ReasonKind.POPULAR, "Popular now")


def candidates(reason: Reason, *names: str) -> list[Candidate]:
    return [Candidate(name, reason) for name in names]


def world_of(answers: Answers) -> World:
    """Return a catalogue in which all titles of the results can be watched."""
    names = dict.fromkeys(each.id for each in (*answers.next, *answers.like, *answers.hot))
    playback = make_playback(complete=True)
    return World().with_titles(make_title(name, added_s=number, playback=playback) for number, name in enumerate(names))


class Answers:
    """A fake ranking that returns preset results and counts the calls."""

    def __init__(self) -> None:
        self.seen: list[Watched] = []
        self.next: list[Candidate] = []
        self.like: list[Candidate] = []
        self.hot: list[Candidate] = []
        self.away = False
        self.asked: list[str] = []

    def history(self, user_id: str) -> list[Watched]:
        return self._answer("history", self.seen)

    def next_for(self, history: Sequence[Watched], *, limit: int) -> list[Candidate]:
        return self._answer("next", self.next[:limit])

    def similar(self, title_id: str, *, without: Collection[str], watchable: bool, limit: int) -> list[Candidate]:
        return self._answer(f"similar {title_id}", [pick for pick in self.like if pick.id not in without][:limit])

    def popular(self, *, limit: int) -> list[Candidate]:
        return self._answer("popular", self.hot[:limit])

    def count_titles(self) -> int:
        return self._answer("count", len({each.id for each in (*self.next, *self.like, *self.hot)}))

    def _answer[Answer](self, question: str, answer: Answer) -> Answer:
        self.asked.append(question)
        if self.away:
            raise StoreUnavailable("The graph does not answer.")
        return answer


def make(answers: Answers, world: World | None = None, *, at: Sequence[float] = (0.0,)) -> Recommendations:
    times = list(at)
    return Recommendations(answers, (world or world_of(answers)).catalogue, clock=lambda: times[0])


def test_shelves_come_in_order_each_title_once_and_short_ones_are_left_out() -> None:
    answers = Answers()
    answers.seen = [Watched("seen", "Seen", listed=True)]
    answers.next = candidates(NEXT, "a", "b", "c")
    answers.like = candidates(LIKE, "a", "d", "e", "f", "seen")
    answers.hot = candidates(NOW, "d", "g", "h")
    shelves = make(answers).home("u")
    assert [(shelf.id, [pick.id for pick in shelf.picks]) for shelf in shelves] == [
        ("for-you", ["a", "b", "c"]),
        ("because-seen", ["d", "e", "f"]),
    ]
    assert shelves[1].heading == "Because you watched Seen"


def test_what_was_disliked_or_withdrawn_gives_no_shelf() -> None:
    answers = Answers()
    answers.seen = [
        Watched("bad", "Bad", listed=True, rating=-1),
        Watched("gone", "", listed=False),
        Watched("good", "Good", listed=True, rating=1),
        Watched("fine", "Fine", listed=True),
        Watched("older", "Older", listed=True),
    ]
    make(answers).home("u")
    assert [asked for asked in answers.asked if asked.startswith("similar")] == ["similar good", "similar fine"]


def test_somebody_new_is_asked_for_nothing_but_what_is_popular() -> None:
    answers = Answers()
    answers.hot = candidates(NOW, *(f"{number:03d}" for number in range(100)))
    [shelf] = make(answers).home("u")
    assert answers.asked == ["history", "popular"]
    assert (shelf.id, len(shelf.picks)) == ("popular", SHELF_LENGTH)


def test_what_is_popular_is_asked_once_for_all_and_again_after_a_while() -> None:
    answers = Answers()
    answers.hot = candidates(NOW, "a", "b", "c")
    times = [100.0]
    later = candidates(NOW, "d", "e", "f")
    answers.hot += later
    recommendations = Recommendations(answers, world_of(answers).catalogue, clock=lambda: times[0])
    recommendations.home("u")
    recommendations.home("v")
    assert answers.asked.count("popular") == 1
    times[0] += POPULAR_S
    answers.hot = later
    [shelf] = recommendations.home("u")
    assert [pick.id for pick in shelf.picks] == ["d", "e", "f"]


def test_titles_that_can_no_longer_be_watched_are_left_out() -> None:
    answers = Answers()
    answers.seen = [Watched("seen", "Seen", listed=True)]
    answers.next = candidates(NEXT, "a", "b", "c", "d")
    answers.like = candidates(LIKE, "e", "f", "g")
    world = world_of(answers)
    world.catalogue.withdraw_title("a")
    world.catalogue.withdraw_title("e")
    [shelf] = make(answers, world).home("u")
    assert (shelf.id, [pick.id for pick in shelf.picks]) == ("for-you", ["b", "c", "d"])
    assert [pick.id for pick in make(answers, world).similar("b")] == ["f", "g"]


def test_without_the_graph_the_words_are_the_catalogues() -> None:
    answers, world = Answers(), World()
    answers.away = True
    playback = make_playback(complete=True)
    for number in range(30):
        world.titles.add(make_title(f"film-{number}", imdb_rating=5 + number / 10, playback=playback, genres=("War",)))
    recommendations = make(answers, world)
    [shelf] = recommendations.home("u")
    assert (shelf.id, shelf.heading, len(shelf.picks)) == ("best", "Highly rated", SHELF_LENGTH)
    assert shelf.picks[0].reason == Reason(ReasonKind.RATED, "Rated 7.9 on IMDb")
    similar = recommendations.similar("film-29")
    assert len(similar) == 12
    assert {pick.reason.words for pick in similar} == {"Also War"}
    assert "film-29" not in {pick.id for pick in similar}


def test_without_the_graph_and_without_genres_nothing_is_said() -> None:
    answers, world = Answers(), World()
    answers.away = True
    world.titles.add(make_title("film", playback=make_playback(complete=True)))
    assert make(answers, world).similar("film") == []
    assert make(answers, world).home("u") == []
