"""Generate a catalogue and viewing histories that are as skewed as real ones; the same seed gives the same data.

A few titles have most of the views, and a few people and genres have most of the titles. Each viewer watches mostly
titles of two genres.
"""

from __future__ import annotations

from bisect import bisect_left
from datetime import UTC, datetime, timedelta
from itertools import accumulate, batched
from typing import TYPE_CHECKING, Any

from functions.catalogue.documents import document_of
from functions.catalogue.model import Artwork, Details, Metadata, Status, Title
from functions.usage.documents import document_of as document_of_view
from functions.usage.model import Heartbeat, Milestone, UsageKind, View, ViewingSession
from tests.support.catalogue import make_playback

if TYPE_CHECKING:
    import random
    from collections.abc import Iterator, Sequence

    from pymongo.database import Database

GENRES = (
    *("Drama", "Comedy", "Thriller", "Action", "Romance", "Documentary", "Crime", "Horror", "Adventure", "Family"),
    *("Science Fiction", "Mystery", "Fantasy", "Animation", "History", "Music", "War", "Sport", "Western", "Noir"),
)
DURATION_S = 6000.0
NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)


class SkewedSampler[Item]:
    """Draws random items of a sequence; the nth item has a probability proportional to 1/(n + `flatness`)."""

    def __init__(self, items: Sequence[Item], flatness: float) -> None:
        self._items = items
        self._sums = list(accumulate(1 / (place + flatness) for place in range(1, len(items) + 1)))

    def draw(self, rng: random.Random) -> Item:
        """Return one item."""
        return self._items[bisect_left(self._sums, rng.random() * self._sums[-1])]

    def draw_several(self, rng: random.Random, count: int) -> tuple[Item, ...]:
        """Return at most `count` distinct items."""
        return tuple(dict.fromkeys(self.draw(rng) for _ in range(count)))


def titles(count: int, rng: random.Random) -> list[Title]:
    """Return titles that can be played, with people, genres and artwork."""
    genres = SkewedSampler(GENRES, 2)
    actors = SkewedSampler([f"Actor {number}" for number in range(2 * count)], 40)
    creators = SkewedSampler([f"Creator {number}" for number in range(count)], 40)
    playback = make_playback(complete=True)
    made = []
    for number in range(count):
        title_id = f"title-{number:05d}"
        details = Details(
            name=f"Title {number}",
            year=1950 + number % 76,
            genres=genres.draw_several(rng, 3),
            directors=creators.draw_several(rng, 1),
            writers=creators.draw_several(rng, 2),
            actors=actors.draw_several(rng, 4),
            plot="Somebody goes somewhere, meets somebody, and comes back as somebody else. " * 3,
            runtime_min=100,
            imdb_rating=round(rng.uniform(3, 9), 1),
        )
        pictures = [f"/media/{title_id}/{kind}.0123456789abcdef.jpg" for kind in ("poster", "card", "backdrop")]
        added = NOW - timedelta(hours=count - number)
        made.append(
            Title(
                title_id,
                title_id,
                details,
                added,
                added,
                status=Status.READY,
                metadata=Metadata(matched=True),
                artwork=Artwork(*pictures),
                playback=playback,
                published=True,
            )
        )
    return made


def histories(films: Sequence[Title], views: int, rng: random.Random) -> Iterator[tuple[str, list[View]]]:
    """Yield each viewer with the titles watched to the end: about 50 on average, and many more for a few viewers."""
    shuffled = rng.sample(list(films), len(films))
    everything = SkewedSampler(shuffled, 30)
    of_genre = {
        genre: SkewedSampler([film for film in shuffled if genre in film.details.genres], 30) for genre in GENRES
    }
    favourites = SkewedSampler(GENRES, 4)
    number = 0
    while views > 0:
        taste = favourites.draw_several(rng, 2)
        wanted = min(views, max(2, round(rng.lognormvariate(3.6, 0.9))))
        drawn = [(of_genre[rng.choice(taste)] if rng.random() < 0.7 else everything).draw(rng) for _ in range(wanted)]
        user_id = f"{number:032x}"
        start = NOW - timedelta(days=rng.uniform(1, 365))
        watched = list(dict.fromkeys(film.id for film in drawn))
        yield (
            user_id,
            [_view(user_id, title_id, start + timedelta(hours=9 * place)) for place, title_id in enumerate(watched)],
        )
        views -= len(watched)
        number += 1


def fill(database: Database[dict[str, Any]], films: Sequence[Title], people: Sequence[tuple[str, list[View]]]) -> None:
    """Insert titles and views into collections whose indexes already exist."""
    for group in batched(films, 1000, strict=False):
        database["titles"].insert_many([document_of(film) for film in group])
    documents = (
        {
            "_id": f"{user_id}/{UsageKind.VIEW.value}/{view.title_id}",
            **document_of_view(view),
            "expires_at": NOW + timedelta(days=730),
            "revision": 1,
        }
        for user_id, views in people
        for view in views
    )
    for batch in batched(documents, 2000, strict=False):
        database["usage"].insert_many(list(batch))


def _view(user_id: str, title_id: str, at: datetime) -> View:
    session = ViewingSession(user_id, title_id, "0123456789abcdef", at - timedelta(seconds=DURATION_S), DURATION_S)
    return View(session).after(Heartbeat(9, DURATION_S), session, at).with_reported(Milestone.END)
