"""The OMDb client: one question, one answer, and every way in which an answer can fail to be one.

Shapes: https://www.omdbapi.com/. An absent value is "N/A"; a failure is mostly HTTP 200 with `Response: "False"`.
No message made here holds the key, which travels in the address.
"""

from __future__ import annotations

import logging
import re
import time
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Literal, Protocol

import requests
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError
from urllib3.exceptions import HTTPError, ReadTimeoutError

from functions.catalogue.model import Details, Rating
from functions.platform.download import TooLarge, TooSlow, read_bounded

CONNECT_TIMEOUT_S = 3.0
ANSWER_TIMEOUT_S = 6.0
MAX_ANSWER_BYTES = 1024 * 1024
_ABSENT = "N/A"


class Miss(StrEnum):
    """Why OMDb has no description for us; each is tried again after its own time."""

    NOT_FOUND = "not_found"
    QUOTA = "quota"
    BAD_KEY = "bad_key"
    REFUSED = "refused"
    UNREACHABLE = "unreachable"


@dataclass(frozen=True, slots=True)
class Missed:
    """No description; `reason` is a sentence for the owner of the service."""

    why: Miss
    reason: str


@dataclass(frozen=True, slots=True)
class Found:
    """A description, and the address of a poster if OMDb has one."""

    details: Details
    poster_url: str | None


class FilmDatabase(Protocol):
    """Whoever can be asked for the description of a film."""

    def by_id(self, imdb_id: str) -> Found | Missed:
        """Return the film of that IMDb id."""

    def by_name(self, name: str, *, year: int | None, kind: str) -> Found | Missed:
        """Return the film, or the series, that goes by that name."""


class _Rating(BaseModel):
    source: str = Field(alias="Source")
    value: str = Field(alias="Value")


class _Film(BaseModel):
    """A successful answer as OMDb writes it."""

    model_config = ConfigDict(extra="ignore")

    response: Literal["True"] = Field(alias="Response")
    title: str = Field(alias="Title", min_length=1)
    year: str = Field(_ABSENT, alias="Year")
    rated: str = Field(_ABSENT, alias="Rated")
    released: str = Field(_ABSENT, alias="Released")
    runtime: str = Field(_ABSENT, alias="Runtime")
    genre: str = Field(_ABSENT, alias="Genre")
    director: str = Field(_ABSENT, alias="Director")
    writer: str = Field(_ABSENT, alias="Writer")
    actors: str = Field(_ABSENT, alias="Actors")
    plot: str = Field(_ABSENT, alias="Plot")
    language: str = Field(_ABSENT, alias="Language")
    country: str = Field(_ABSENT, alias="Country")
    awards: str = Field(_ABSENT, alias="Awards")
    poster: str = Field(_ABSENT, alias="Poster")
    ratings: list[_Rating] = Field(default_factory=list, alias="Ratings")
    imdb_rating: str = Field(_ABSENT, alias="imdbRating")
    imdb_votes: str = Field(_ABSENT, alias="imdbVotes")
    imdb_id: str = Field(_ABSENT, alias="imdbID")
    kind: str = Field("movie", alias="Type")
    season: str = Field(_ABSENT, alias="Season")
    episode: str = Field(_ABSENT, alias="Episode")


class _Failure(BaseModel):
    """A failure as OMDb writes it."""

    error: str = Field(alias="Error")


_ANSWER: TypeAdapter[_Film | _Failure] = TypeAdapter(_Film | _Failure)


class OmdbClient:
    """OMDb, asked over HTTP; nothing is tried twice here, since whoever asks has a timer for that."""

    def __init__(self, url: str, api_key: str) -> None:
        self._url = url
        self._api_key = api_key
        logging.getLogger("urllib3.connectionpool").setLevel(logging.INFO)  # its DEBUG lines hold the key

    def by_id(self, imdb_id: str) -> Found | Missed:
        """Return the film of that IMDb id."""
        return self._ask({"i": imdb_id})

    def by_name(self, name: str, *, year: int | None, kind: str) -> Found | Missed:
        """Return the film, or the series, that goes by that name."""
        question = {"t": name, "type": "series" if kind in ("series", "episode") else "movie"}
        return self._ask(question | ({"y": str(year)} if year else {}))

    def _ask(self, question: dict[str, str]) -> Found | Missed:
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
            answer = _ANSWER.validate_json(body)
        except ValidationError:
            if status == 401:
                return _missed(status, "")
            return Missed(Miss.UNREACHABLE, f"OMDb answered with something that is no film (HTTP {status}).")
        return _missed(status, answer.error) if isinstance(answer, _Failure) else _found(answer)

    def _fetch(self, question: dict[str, str]) -> tuple[int, bytes]:
        """Return status and body, read within one deadline and no further than the limit."""
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
    """Sort a failure by what OMDb says; it answers 401 both for a bad key and for a used-up one."""
    said = error.strip()[:200]
    if "limit reached" in said.lower():
        return Missed(Miss.QUOTA, "OMDb's daily limit is reached; it is asked again tomorrow.")
    if status == 401 or "api key" in said.lower():
        return Missed(Miss.BAD_KEY, "OMDb refuses the key in OMDB_API_KEY.")
    if said.lower().endswith("not found!") or said == "Incorrect IMDb ID.":
        return Missed(Miss.NOT_FOUND, f"OMDb does not know the film: {said}")
    return Missed(Miss.REFUSED, f"OMDb refuses the question: {said or f'HTTP {status}'}")


def _found(film: _Film) -> Found:
    return Found(
        Details(
            name=film.title,
            year=_first_number(film.year),
            kind=film.kind if film.kind in ("movie", "series", "episode") else "movie",
            season=_first_number(film.season),
            episode=_first_number(film.episode),
            rated=_text(film.rated),
            released=_date(film.released),
            runtime_min=_minutes(film.runtime),
            genres=_list(film.genre),
            directors=_people(film.director),
            writers=_people(film.writer),
            actors=_people(film.actors),
            plot=_text(film.plot),
            languages=_list(film.language),
            countries=_list(film.country),
            awards=_text(film.awards),
            ratings=tuple(Rating(rating.source, rating.value) for rating in film.ratings),
            imdb_id=_text(film.imdb_id),
            imdb_rating=_rating(film.imdb_rating),
            imdb_votes=_first_number(film.imdb_votes.replace(",", "")),
        ),
        _text(film.poster),
    )


def _text(value: str) -> str | None:
    stripped = value.strip()
    return None if stripped in ("", _ABSENT) else stripped


def _list(value: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(part for part in map(str.strip, value.split(",")) if part not in ("", _ABSENT)))


def _people(value: str) -> tuple[str, ...]:
    """Return names without what they did: "Ann Ash (story by), Ann Ash (screenplay)" is one person."""
    return _list(re.sub(r"\s*\([^)]*\)", "", value))


def _first_number(value: str) -> int | None:
    """Return the number that a text begins with: 2017 of "2017–", the en dash of a series that still runs."""
    found = re.match(r"\s*(\d{1,9})", value)
    return int(found[1]) if found else None


def _minutes(value: str) -> int | None:
    """Return the minutes of "9 min" or "1 h 30 min"."""
    hours, minutes = re.search(r"(\d{1,3})\s*h", value), re.search(r"(\d{1,5})\s*min", value)
    total = (int(hours[1]) * 60 if hours else 0) + (int(minutes[1]) if minutes else 0)
    return total or None


def _rating(value: str) -> float | None:
    return float(value) if re.fullmatch(r"\d{1,2}(\.\d)?", value) else None


def _date(value: str) -> str | None:
    """Return "30 May 2008" as 2008-05-30, and what is no such date as it stands."""
    try:
        return datetime.strptime(value, "%d %b %Y").date().isoformat()
    except ValueError:
        return _text(value)
