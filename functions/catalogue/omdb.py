"""The OMDb client: its requests, the fields of the responses, and every kind of failure.

Format: https://www.omdbapi.com/. A missing value is "N/A"; most failures are HTTP 200 with `Response: "False"`.
No message created here contains the API key, which is part of the request URL.
"""

from __future__ import annotations

import logging
import re
import time
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

import msgspec
import requests
from msgspec import Struct, field
from urllib3.exceptions import HTTPError, ReadTimeoutError

from functions.catalogue.model import Details, Rating
from functions.catalogue.text import printable
from functions.platform.decoding import decode_json
from functions.platform.download import TooLarge, TooSlow, read_bounded

CONNECT_TIMEOUT_S = 3.0
ANSWER_TIMEOUT_S = 6.0
MAX_ANSWER_BYTES = 1024 * 1024
_ABSENT = "N/A"


class Miss(StrEnum):
    """Why OMDb returned no description; the wait before a retry depends on this reason."""

    NOT_FOUND = "not_found"
    QUOTA = "quota"
    BAD_KEY = "bad_key"
    REFUSED = "refused"
    UNREACHABLE = "unreachable"


@dataclass(frozen=True, slots=True)
class Missed:
    """The result if no description was found; `reason` is a sentence for the owner of the service."""

    why: Miss
    reason: str


@dataclass(frozen=True, slots=True)
class Found:
    """The result if a description was found; it includes the address of a poster if OMDb has one."""

    details: Details
    poster_url: str | None


@dataclass(frozen=True, slots=True)
class FilmChoice:
    """A film that a search has found."""

    imdb_id: str
    name: str
    year: int | None
    kind: str


@dataclass(frozen=True, slots=True)
class Choices:
    """The result of a search: films, best match first."""

    films: tuple[FilmChoice, ...]


class OmdbRating(Struct):
    """A rating in OMDb's format."""

    source: str = field(name="Source")
    value: str = field(name="Value")


class OmdbFilm(Struct, tag_field="Response", tag="True", kw_only=True):
    """A description in OMDb's format."""

    title: str = field(name="Title")
    year: str = field(name="Year", default=_ABSENT)
    rated: str = field(name="Rated", default=_ABSENT)
    released: str = field(name="Released", default=_ABSENT)
    runtime: str = field(name="Runtime", default=_ABSENT)
    genre: str = field(name="Genre", default=_ABSENT)
    director: str = field(name="Director", default=_ABSENT)
    writer: str = field(name="Writer", default=_ABSENT)
    actors: str = field(name="Actors", default=_ABSENT)
    plot: str = field(name="Plot", default=_ABSENT)
    language: str = field(name="Language", default=_ABSENT)
    country: str = field(name="Country", default=_ABSENT)
    awards: str = field(name="Awards", default=_ABSENT)
    poster: str = field(name="Poster", default=_ABSENT)
    ratings: tuple[OmdbRating, ...] = field(name="Ratings", default=())
    imdb_rating: str = field(name="imdbRating", default=_ABSENT)
    imdb_votes: str = field(name="imdbVotes", default=_ABSENT)
    imdb_id: str = field(name="imdbID", default=_ABSENT)
    kind: str = field(name="Type", default="movie")
    season: str = field(name="Season", default=_ABSENT)
    episode: str = field(name="Episode", default=_ABSENT)

    def details(self) -> Details:
        """Return the description as `Details`."""
        return Details(
            name=_text(self.title) or "Untitled",
            year=_first_number(self.year),
            kind=self.kind if self.kind in ("movie", "series", "episode") else "movie",
            season=_first_number(self.season),
            episode=_first_number(self.episode),
            rated=_text(self.rated),
            released=_date(self.released),
            runtime_min=_minutes(self.runtime),
            genres=_list(self.genre),
            directors=_people(self.director),
            writers=_people(self.writer),
            actors=_people(self.actors),
            plot=_text(self.plot),
            languages=_list(self.language),
            countries=_list(self.country),
            awards=_text(self.awards),
            ratings=tuple(Rating(printable(each.source), printable(each.value)) for each in self.ratings),
            imdb_id=_text(self.imdb_id),
            imdb_rating=_rating(self.imdb_rating),
            imdb_votes=_first_number(self.imdb_votes.replace(",", "")),
        )


class OmdbHit(Struct, kw_only=True):
    """A film in the list of a search."""

    title: str = field(name="Title")
    year: str = field(name="Year", default=_ABSENT)
    imdb_id: str = field(name="imdbID")
    kind: str = field(name="Type", default="movie")


class OmdbHits(Struct, tag_field="Response", tag="True", kw_only=True):
    """The first ten results of a search, in OMDb's format."""

    films: tuple[OmdbHit, ...] = field(name="Search")


class OmdbFailure(Struct, tag_field="Response", tag="False"):
    """A failure in OMDb's format."""

    error: str = field(name="Error")


class OmdbClient:
    """OMDb over HTTP; it does not retry, because the caller schedules retries."""

    def __init__(self, url: str, api_key: str) -> None:
        self._url = url
        self._api_key = api_key
        logging.getLogger("urllib3.connectionpool").setLevel(logging.INFO)  # urllib3's DEBUG lines contain the API key

    def by_id(self, imdb_id: str) -> Found | Missed:
        return self._find({"i": imdb_id})

    def by_name(self, name: str, *, year: int | None, kind: str) -> Found | Missed:
        question = {"t": name, "type": "series" if kind in ("series", "episode") else "movie"}
        return self._find(question | ({"y": str(year)} if year else {}))

    def search(self, name: str, *, year: int | None) -> Choices | Missed:
        answer = self._ask({"s": name} | ({"y": str(year)} if year else {}), OmdbHits)
        if isinstance(answer, Missed):
            return Choices(()) if answer.why is Miss.NOT_FOUND else answer
        known = [hit for hit in answer.films if hit.kind in ("movie", "series", "episode")]
        return Choices(
            tuple(
                FilmChoice(hit.imdb_id, _text(hit.title) or "Untitled", _first_number(hit.year), hit.kind)
                for hit in known
            )
        )

    def _find(self, question: dict[str, str]) -> Found | Missed:
        answer = self._ask(question, OmdbFilm)
        return answer if isinstance(answer, Missed) else Found(answer.details(), _text(answer.poster))

    def _ask[Answer: OmdbFilm | OmdbHits](self, question: dict[str, str], kind: type[Answer]) -> Answer | Missed:
        """Return OMDb's answer to a question, read as `kind`."""
        if not self._api_key:
            return Missed(Miss.BAD_KEY, "There is no OMDb key; set OMDB_API_KEY.")
        try:
            status, body = self._fetch(question)
        except (requests.Timeout, ReadTimeoutError, TooSlow):
            return Missed(Miss.UNREACHABLE, "OMDb did not answer in time.")
        except (requests.RequestException, HTTPError, TooLarge) as error:
            return Missed(Miss.UNREACHABLE, f"OMDb cannot be reached ({type(error).__name__}).")
        if status >= 500:
            return Missed(Miss.UNREACHABLE, f"OMDb answered with HTTP {status}.")
        try:
            expected: Any = kind | OmdbFailure
            answer: Any = decode_json(body, expected)
        except (msgspec.MsgspecError, RecursionError):
            if status == 401:
                return _missed(status, "")
            return Missed(Miss.UNREACHABLE, f"OMDb answered with something that is not a film (HTTP {status}).")
        if isinstance(answer, OmdbFailure):
            return _missed(status, answer.error)
        found: Answer = answer
        return found

    def _fetch(self, question: dict[str, str]) -> tuple[int, bytes]:
        """Return status and body, which are read within a deadline and a size limit."""
        deadline = time.monotonic() + ANSWER_TIMEOUT_S
        with requests.get(
            self._url,
            params={"apikey": self._api_key, **question},
            timeout=(CONNECT_TIMEOUT_S, ANSWER_TIMEOUT_S),
            allow_redirects=False,
            stream=True,
        ) as response:
            body = read_bounded(response.raw, limit=MAX_ANSWER_BYTES, deadline=deadline)
            return response.status_code, body


def _missed(status: int, error: str) -> Missed:
    """Return the failure that OMDb's message describes; status 401 means an invalid key or an exhausted quota."""
    said = printable(error).strip()[:200]
    if "limit reached" in said.lower():
        return Missed(Miss.QUOTA, "OMDb's daily limit is reached; it will be queried again tomorrow.")
    if status == 401 or "api key" in said.lower():
        return Missed(Miss.BAD_KEY, "OMDb refuses the key in OMDB_API_KEY.")
    if said.lower().endswith("not found!") or said == "Incorrect IMDb ID.":
        return Missed(Miss.NOT_FOUND, f"OMDb does not know the film: {said}")
    return Missed(Miss.REFUSED, f"OMDb refuses the request: {said or f'HTTP {status}'}")


def _text(value: str) -> str | None:
    stripped = printable(value).strip()
    return None if stripped in ("", _ABSENT) else stripped


def _list(value: str) -> tuple[str, ...]:
    return tuple(
        dict.fromkeys(part for part in map(str.strip, printable(value).split(",")) if part not in ("", _ABSENT))
    )


def _people(value: str) -> tuple[str, ...]:
    """Return names without roles or duplicates: "Ann Ash (story by), Ann Ash (screenplay)" is one person."""
    return _list(re.sub(r"\s*\([^)]*\)", "", value))


def _first_number(value: str) -> int | None:
    """Return the number at the start of a string, such as 2017 for "2017–" (the years of a series still running)."""
    found = re.match(r"\s*(\d{1,9})", value)
    return int(found[1]) if found else None


def _minutes(value: str) -> int | None:
    """Return the number of minutes in "9 min" or "1 h 30 min"."""
    hours, minutes = re.search(r"(\d{1,3})\s*h", value), re.search(r"(\d{1,5})\s*min", value)
    total = (int(hours[1]) * 60 if hours else 0) + (int(minutes[1]) if minutes else 0)
    return total or None


def _rating(value: str) -> float | None:
    return float(value) if re.fullmatch(r"\d{1,2}(\.\d)?", value) else None


def _date(value: str) -> str | None:
    """Convert a date such as "30 May 2008" to 2008-05-30; return any other string unchanged."""
    try:
        return datetime.strptime(value, "%d %b %Y").date().isoformat()
    except ValueError:
        return _text(value)
