"""A film's metadata comes from its sidecar, else OMDb, else its name; a failure has a reason and a retry time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from functions.catalogue.artwork import ArtworkOrigin
from functions.catalogue.matching import Match, Matcher, next_try
from functions.catalogue.model import DescriptionSource, Details
from functions.catalogue.names import guess, shown_name
from functions.catalogue.omdb import Found, Miss, Missed
from functions.catalogue.posters import PosterRefused
from functions.catalogue.sidecar import Sidecars, read_description
from tests.support.catalogue import MemoryFilms, MemoryPosters, MemorySidecars, make_picture
from tests.support.clock import NOON

STEM = "uploads/Sintel.2010.1080p.x264"
SINTEL = Found(Details("Sintel", 2010, plot="A dragon.", genres=("Fantasy",), imdb_id="tt1727587"), None)


class Desk:
    """A matcher and its sources."""

    def __init__(self, beside: Sidecars | None = None) -> None:
        self.films = MemoryFilms({("Sintel", 2010): SINTEL, "tt1727587": SINTEL})
        self.posters = MemoryPosters()
        self._matcher = Matcher(
            MemorySidecars({STEM: beside} if beside else {}), self.films, self.posters, lambda: NOON
        )

    def match(self, stem: str = STEM, attempts: int = 0) -> Match:
        return self._matcher.match(stem, attempts=attempts)


def described_by(text: str) -> Sidecars:
    return Sidecars(read_description(text.encode()))


def test_without_a_sidecar_the_file_name_is_asked_for_at_omdb() -> None:
    match = Desk().match()
    assert match.details == SINTEL.details
    assert (
        match.metadata.source is DescriptionSource.OMDB and match.metadata.matched and match.metadata.retry_at is None
    )


def test_a_sidecar_that_describes_the_film_is_enough() -> None:
    desk = Desk(described_by('{"title": "My Film", "year": 2024, "genres": ["Drama"], "actors": "Ann Ash, Bo Birch"}'))
    match = desk.match()
    assert desk.films.asked == []
    assert match.metadata.source is DescriptionSource.SIDECAR and match.metadata.matched
    assert match.details == Details("My Film", 2024, genres=("Drama",), actors=("Ann Ash", "Bo Birch"))


def test_a_sidecar_with_an_imdb_id_asks_for_it_and_its_own_fields_win() -> None:
    desk = Desk(described_by('{"imdb_id": "tt1727587", "rated": "12"}'))
    match = desk.match()
    assert desk.films.asked == ["tt1727587"]
    assert (match.details.name, match.details.rated, match.details.plot) == ("Sintel", "12", "A dragon.")
    assert match.metadata.matched


def test_a_sidecar_with_only_a_name_is_asked_for_under_that_name() -> None:
    desk = Desk(described_by('{"title": "Sintel: The Dragon", "year": 2010}'))
    desk.films.answers = {("Sintel: The Dragon", 2010): SINTEL}
    details = desk.match().details
    assert (details.name, details.plot) == ("Sintel: The Dragon", "A dragon.")


def test_a_broken_sidecar_falls_back_and_says_why() -> None:
    match = Desk(Sidecars(reason="film.json cannot be used: year: Input should be a valid integer.")).match()
    assert match.metadata.matched and match.metadata.source is DescriptionSource.OMDB
    assert match.metadata.reason == "film.json cannot be used: year: Input should be a valid integer."


def test_without_any_match_the_name_alone_stays() -> None:
    match = Desk().match("Some Unknown Film (1999)")
    assert match.details == Details("Some Unknown Film", 1999)
    assert match.metadata.source is DescriptionSource.FILENAME and not match.metadata.matched
    assert match.metadata.reason and match.metadata.retry_at == NOON + timedelta(days=1)


def test_a_year_that_is_one_off_is_found_by_the_name() -> None:
    desk = Desk()
    desk.films.answers = {("Sintel", None): SINTEL}
    assert desk.match("Sintel.2011").metadata.matched
    assert not desk.match("Sintel.1999").metadata.matched


@pytest.mark.parametrize(
    ("found", "matched"),
    [
        (Details("Sintel", 2010), True),
        (Details("Sintel: Director's Cut", 2010), True),
        (Details("Sintell", 2010), True),
        (Details("Something Else", 2010), False),
        (Details("Sintel", 1950), False),
    ],
)
def test_another_film_than_the_one_asked_for_is_no_match(found: Details, matched: bool) -> None:
    desk = Desk()
    desk.films.answers = {("Sintel", 2010): Found(found, None)}
    assert desk.match().metadata.matched is matched


def test_an_episode_is_described_by_its_series_and_keeps_its_number() -> None:
    desk = Desk()
    series = Details("The Long Show", 2017, kind="series", genres=("Drama",))
    desk.films.answers = {("The Long Show", None): Found(series, None)}
    details = desk.match("The.Long.Show.S02E05.1080p").details
    assert (details.name, details.kind, details.season, details.episode) == ("The Long Show S02E05", "episode", 2, 5)
    assert details.genres == ("Drama",)


@pytest.mark.parametrize(
    ("stem", "name", "year"),
    [
        ("Big.Buck.Bunny.2008.1080p.BluRay", "Big Buck Bunny", 2008),
        ("folder.2001/Tears of Steel (2012)", "Tears of Steel", 2012),
        ("2012.2009.720p", "2012", 2009),
        ("Amélie 2001", "Amélie", 2001),
        ("1917", "1917", None),
        ("_", "Untitled", None),
    ],
)
def test_names_and_years_are_read_from_file_names(stem: str, name: str, year: int | None) -> None:
    assert (guess(stem).name, guess(stem).year) == (name, year)


def test_an_episode_is_shown_with_its_number() -> None:
    assert shown_name(guess("Show.S01E02")) == "Show S01E02"


@pytest.mark.parametrize(
    ("why", "waits_min"),
    [
        (Miss.NOT_FOUND, [1440, 2880, 5760, 10080, 10080]),
        (Miss.UNREACHABLE, [5, 10, 20, 40, 80, 160, 320, 360]),
        (Miss.BAD_KEY, [60, 120, 240, 480, 960, 1440]),
        (Miss.REFUSED, [60, 120]),
    ],
)
def test_waits_grow_to_a_bound(why: Miss, waits_min: list[int]) -> None:
    waits = [(next_try(NOON, why, attempts=n + 1) - NOON) // timedelta(minutes=1) for n in range(len(waits_min))]
    assert waits == waits_min
    assert next_try(NOON, why, attempts=10_000) > NOON


def test_a_used_up_quota_waits_for_the_next_day() -> None:
    assert next_try(NOON, Miss.QUOTA, attempts=7) == datetime(2026, 11, 25, 0, 5, tzinfo=UTC)


@pytest.mark.parametrize("why", list(Miss))
def test_no_answer_of_omdb_ends_in_failure(why: Miss) -> None:
    desk = Desk()
    desk.films.answers = {("Sintel", 2010): Missed(why, "So it is.")}
    match = desk.match(attempts=2)
    assert match.details.name == "Sintel" and match.metadata.attempts == 3
    assert match.metadata.reason == ("So it is." if why is not Miss.NOT_FOUND else match.metadata.reason)
    assert match.metadata.retry_at and match.metadata.retry_at > NOON


def test_the_poster_beside_the_film_is_preferred_to_omdbs() -> None:
    desk = Desk(Sidecars(poster=make_picture(400, 600)))
    desk.films.answers["Sintel", 2010] = Found(SINTEL.details, "https://m.media-amazon.com/p.jpg")
    origins = {picture.slot: picture.origin for picture in desk.match().pictures}
    assert origins == {"poster": ArtworkOrigin.SIDECAR, "card": ArtworkOrigin.POSTER_FILLED}


def test_omdbs_poster_is_fetched_and_made_anew() -> None:
    desk = Desk()
    desk.films.answers["Sintel", 2010] = Found(SINTEL.details, "https://m.media-amazon.com/p.jpg")
    desk.posters.pictures["https://m.media-amazon.com/p.jpg"] = make_picture(300, 444, kind="PNG")
    assert {picture.slot: picture.origin for picture in desk.match().pictures}["poster"] is ArtworkOrigin.OMDB


@pytest.mark.parametrize(("passing", "retried"), [(True, True), (False, False)])
def test_a_poster_that_cannot_be_had_is_a_reason_and_tried_again_if_there_is_hope(passing: bool, retried: bool) -> None:
    desk = Desk()
    desk.films.answers["Sintel", 2010] = Found(SINTEL.details, "https://m.media-amazon.com/p.jpg")
    desk.posters.pictures["https://m.media-amazon.com/p.jpg"] = PosterRefused("No poster.", passing=passing)
    match = desk.match()
    assert match.metadata.matched and match.metadata.reason == "No poster." and match.pictures == ()
    assert (match.metadata.retry_at is not None) is retried


def test_broken_pictures_are_reasons() -> None:
    match = Desk(Sidecars(poster=b"text", backdrop=b"")).match()
    assert match.metadata.matched and match.pictures == ()
    assert match.metadata.reason and "Poster:" in match.metadata.reason and "Backdrop:" in match.metadata.reason


@pytest.mark.parametrize(
    "given",
    [
        '{"imdb_votes": 9223372036854775808}',
        '{"title": "Sin\\u202etel"}',
        '{"title": "Sin\\u0000tel"}',
        '{"actors": "Ann\\u0000Ash, Bob"}',
        '{"kind": "film"}',
        '{"x": ' + "[" * 100_000,
    ],
)
def test_sidecar_with_unusable_values_leaves_a_reason(given: str) -> None:
    with pytest.raises(ValueError, match=r"imdb_votes|title|actors|kind|nested"):
        read_description(given.encode())


def test_lists_may_be_one_text_and_null_is_absent() -> None:
    fields = read_description(b'{"actors": " Ann Ash ,, Bob Bay", "kind": null, "plot": "  One.\\nTwo. "}').fields
    assert fields == {"actors": ("Ann Ash", "Bob Bay"), "plot": "One.\nTwo."}


@pytest.mark.parametrize("stem", ["Sin\x00tel.2010", "Sin\u202etel.2010"])
def test_name_of_a_file_loses_its_unprintable_characters(stem: str) -> None:
    assert guess(stem).name == "Sintel"
