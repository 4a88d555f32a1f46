"""The rows of the home page, and the titles under "more like this": pure functions."""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import timedelta
from typing import TYPE_CHECKING

from functions.catalogue.model import Status
from functions.catalogue.schemas import Card
from functions.catalogue.search import genre_key, words
from functions.catalogue.static_files import HomePage, HomeRow

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from functions.catalogue.model import Title

ROW_LENGTH = 24
GENRE_ROWS = 12
GENRE_ROW_MINIMUM = 2
MORE_LENGTH = 12
SETTLED_AFTER = timedelta(days=1)
"""How long a title has been in the catalogue before it can replace the title at the top of the home page."""
WITH_FILM = (Status.READY, Status.ENCODING)
"""The states of titles on all shelves but "Coming soon"."""
PERSON_WEIGHT = 3
"""The weight of a shared person, relative to a shared genre."""


def home_page(titles: Sequence[Title], now: datetime) -> HomePage:
    """Return the home page for the listed titles, which must be sorted newest first."""
    watchable = [title for title in titles if title.status in WITH_FILM]
    rows = [
        ("new", "New on Notflix", [title for title in titles if title.status is Status.READY]),
        ("encoding", "Being encoded now", [title for title in titles if title.status is Status.ENCODING]),
        *_genre_rows(watchable),
        ("soon", "Coming soon", [title for title in titles if title.status is Status.ANNOUNCED]),
    ]
    hero = _hero(titles, now)
    return HomePage(
        generated_at=now,
        hero=Card.of(hero) if hero else None,
        rows=tuple(
            HomeRow(row_id, name, tuple(map(Card.of, shelf[:ROW_LENGTH]))) for row_id, name, shelf in rows if shelf
        ),
    )


class Likeness:
    """Finds the titles that share the most genres and people; built once for many lookups."""

    def __init__(self, titles: Sequence[Title]) -> None:
        self._titles = {title.id: title for title in titles}
        self._sharing: dict[str, list[str]] = defaultdict(list)
        for title in titles:
            for trait in _traits(title):
                self._sharing[trait].append(title.id)

    def more_like(self, title: Title) -> list[Title]:
        """Return the titles that are most similar to `title` and have a film, most similar first, then newest."""
        return [other for other in self._ranked(title) if other.status in WITH_FILM][:MORE_LENGTH]

    def related(self, title: Title) -> list[Title]:
        """Return the titles whose pages may show `title`, whether they have a film or not."""
        return self._ranked(title)[:MORE_LENGTH]

    def _ranked(self, title: Title) -> list[Title]:
        shared: Counter[str] = Counter()
        for trait, weight in _traits(title).items():
            for other in self._sharing.get(trait, ()):
                shared[other] += weight
        del shared[title.id]
        return [self._titles[other] for other, _ in shared.most_common()]


def _traits(title: Title) -> dict[str, int]:
    """Return the traits by which titles are compared, with their weights."""
    people = {f"person {' '.join(words(person))}": PERSON_WEIGHT for person in title.details.people}
    return people | {f"genre {genre_key(genre)}": 1 for genre in title.details.genres}


def _genre_rows(titles: Sequence[Title]) -> list[tuple[str, str, list[Title]]]:
    """Return a row for each of the largest genres, largest first, named as the genre's newest title spells it."""
    shelves: dict[str, list[Title]] = defaultdict(list)
    names: dict[str, str] = {}
    for title in titles:
        for genre in title.details.genres:
            key = genre_key(genre)
            names.setdefault(key, genre)
            shelves[key].append(title)
    largest = sorted(shelves.items(), key=lambda item: -len(item[1]))[:GENRE_ROWS]
    return [(f"genre-{key}", names[key], shelf) for key, shelf in largest if len(shelf) >= GENRE_ROW_MINIMUM]


def _hero(titles: Sequence[Title], now: datetime) -> Title | None:
    """Return the ready title with a backdrop for the top of the home page, or None if there is none.

    It is the newest one that has been there for SETTLED_AFTER, so an upload does not replace it at once. If all are
    newer, it is the one with the highest rating; of several with this rating, it is the oldest.
    """
    choices = [title for title in titles if title.status is Status.READY and title.artwork.backdrop]
    settled = [title for title in choices if now - title.added_at >= SETTLED_AFTER]
    if settled:
        return settled[0]
    return max(reversed(choices), key=lambda title: title.details.imdb_rating or 0, default=None)
