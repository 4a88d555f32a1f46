"""Every response of OMDb is converted to metadata or a reason, and no reason contains the API key."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

import pytest

from functions.catalogue import omdb
from functions.catalogue.model import Details, Rating
from functions.catalogue.omdb import Choices, FilmChoice, Found, Miss, Missed, OmdbClient
from tests.support.web import Answer, WebServer

if TYPE_CHECKING:
    from collections.abc import Iterator

EVENTS = Path(__file__).parents[2] / "events" / "omdb"
KEY = "secret-key"


def event(name: str) -> bytes:
    return (EVENTS / f"{name}.json").read_bytes()


@pytest.fixture
def server() -> Iterator[WebServer]:
    with WebServer() as running:
        yield running


def ask(server: WebServer, answer: Answer) -> Found | Missed:
    server.answer = answer
    return OmdbClient(server.url, KEY).by_id("tt1727587")


def test_a_film_is_read_whole(server: WebServer) -> None:
    assert ask(server, Answer(event("movie"))) == Found(
        Details(
            name="Sintel",
            year=2010,
            released="2010-09-30",
            runtime_min=15,
            genres=("Animation", "Short", "Fantasy"),
            directors=("Colin Levy",),
            writers=("Esther Wouda", "Martin Lodewijk"),
            actors=("Halina Reijn", "Thom Hoffman"),
            plot="A lonely young woman searches the world for her dragon.",
            languages=("English",),
            countries=("Netherlands",),
            ratings=(Rating("Internet Movie Database", "7.4/10"),),
            imdb_id="tt1727587",
            imdb_rating=7.4,
            imdb_votes=12345,
        ),
        "https://m.media-amazon.com/images/M/sintel._V1_SX300.jpg",
    )


def test_a_running_series_has_its_first_year(server: WebServer) -> None:
    found = ask(server, Answer(event("series")))
    assert isinstance(found, Found)
    details = found.details
    assert (details.year, details.kind, details.runtime_min, details.imdb_votes) == (2017, "series", 60, 1_234_567)
    assert found.poster_url is None


def test_what_is_not_available_is_nothing(server: WebServer) -> None:
    assert ask(server, Answer(event("sparse"))) == Found(Details(name="N", imdb_id="tt9999902"), None)


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (Answer(event("not_found")), Miss.NOT_FOUND),
        (Answer(event("incorrect_id")), Miss.NOT_FOUND),
        (Answer(event("refused")), Miss.REFUSED),
        (Answer(event("bad_key"), 401), Miss.BAD_KEY),
        (Answer(b"", 401), Miss.BAD_KEY),
        (Answer(event("quota"), 401), Miss.QUOTA),
        (Answer(event("quota")), Miss.QUOTA),
        (Answer(b"<html>Bad gateway", 502), Miss.UNREACHABLE),
        (Answer(event("movie"), 503), Miss.UNREACHABLE),
        (Answer(b"<html>Just a moment"), Miss.UNREACHABLE),
        (Answer(b"[]"), Miss.UNREACHABLE),
        (Answer(b"null"), Miss.UNREACHABLE),
        (Answer(b""), Miss.UNREACHABLE),
        (Answer(b'{"Response":"True"}'), Miss.UNREACHABLE),
        (Answer(b'{"Response":"True","Title":7}'), Miss.UNREACHABLE),
        (Answer(b"\xff\xfe"), Miss.UNREACHABLE),
        (Answer(b" " * (omdb.MAX_ANSWER_BYTES + 100_000)), Miss.UNREACHABLE),
        (Answer(b"", 302, {"Location": "http://127.0.0.1:9/"}), Miss.UNREACHABLE),
        (Answer(b"x", 200, {"Content-Encoding": "gzip"}), Miss.UNREACHABLE),
    ],
)
def test_every_failure_is_told_apart(server: WebServer, answer: Answer, why: Miss) -> None:
    missed = ask(server, answer)
    assert isinstance(missed, Missed) and missed.why is why
    assert missed.reason.endswith((".", "!")) or "HTTP" in missed.reason
    assert KEY not in missed.reason


@pytest.mark.parametrize("answer", [Answer(hangs=True), Answer(trickles=True)])
def test_an_answer_that_does_not_end_is_given_up(
    server: WebServer, answer: Answer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(omdb, "ANSWER_TIMEOUT_S", 0.3)
    assert ask(server, answer) == Missed(Miss.UNREACHABLE, "OMDb did not answer in time.")


def test_a_server_that_is_not_there_is_a_reason_without_the_key(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with WebServer() as gone:
        url = gone.url
    missed = OmdbClient(url, KEY).by_id("tt1727587")
    assert isinstance(missed, Missed) and missed.why is Miss.UNREACHABLE
    assert KEY not in missed.reason + caplog.text


def test_the_key_reaches_no_log(server: WebServer, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    ask(server, Answer(event("movie")))
    assert KEY not in caplog.text


def test_questions_are_asked_as_omdb_wants_them(server: WebServer) -> None:
    server.answer = Answer(event("not_found"))
    client = OmdbClient(server.url, KEY)
    client.by_id("tt1727587")
    client.by_name("Salt & Signal", year=2025, kind="movie")
    client.by_name("Show", year=None, kind="episode")
    assert [parse_qs(urlsplit(path).query) for path in server.asked] == [
        {"apikey": [KEY], "i": ["tt1727587"]},
        {"apikey": [KEY], "t": ["Salt & Signal"], "y": ["2025"], "type": ["movie"]},
        {"apikey": [KEY], "t": ["Show"], "type": ["series"]},
    ]


def test_without_a_key_nothing_is_asked(server: WebServer) -> None:
    missed = OmdbClient(server.url, "").by_id("tt1727587")
    assert isinstance(missed, Missed) and missed.why is Miss.BAD_KEY and server.asked == []


def test_text_of_omdb_loses_its_unprintable_characters(server: WebServer) -> None:
    answer = b'{"Title": "Sin\\u202etel", "Genre": "War\\u0000, Drama", "Response": "True"}'
    found = ask(server, Answer(answer))
    assert isinstance(found, Found)
    assert (found.details.name, found.details.genres) == ("Sintel", ("War", "Drama"))


def test_a_search_has_its_films_and_leaves_out_what_is_none(server: WebServer) -> None:
    hits = [
        {"Title": "The Sea", "Year": "2010", "imdbID": "tt0000001", "Type": "movie", "Poster": "N/A"},
        {"Title": "Sea Lions", "Year": "2015–", "imdbID": "tt0000002", "Type": "series", "Poster": "N/A"},
        {"Title": "Sea Battle", "Year": "1998", "imdbID": "tt0000003", "Type": "game", "Poster": "N/A"},
    ]
    server.answer = Answer(json.dumps({"Search": hits, "totalResults": "3", "Response": "True"}).encode())
    found = OmdbClient(server.url, KEY).search("sea", year=2010)
    films = (FilmChoice("tt0000001", "The Sea", 2010, "movie"), FilmChoice("tt0000002", "Sea Lions", 2015, "series"))
    assert found == Choices(films)
    assert parse_qs(urlsplit(server.asked[0]).query) == {"apikey": [KEY], "s": ["sea"], "y": ["2010"]}


def test_a_search_for_an_unknown_name_has_no_film_and_a_refused_one_a_reason(server: WebServer) -> None:
    client = OmdbClient(server.url, KEY)
    server.answer = Answer(event("not_found"))
    assert client.search("no such words", year=None) == Choices(())
    server.answer = Answer(b'{"Response":"False","Error":"Too many results."}')
    refused = client.search("a", year=None)
    assert isinstance(refused, Missed) and refused.why is Miss.REFUSED and "Too many results." in refused.reason
