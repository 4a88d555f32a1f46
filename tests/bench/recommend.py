"""`./notflix bench recommend`: how often the next film is among ten that are recommended, and how long that takes.

Each user's last film of MovieLens 100k is held out and ranked among all films that the user has not in training, by the
queries of the product over Bolt and by rivals on the same split. Then the times, with 10,000 titles and 100,000 views.
"""

from __future__ import annotations

import argparse
import math
import random
import shutil
import tempfile
import time
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pymongo import MongoClient

from functions.catalogue.ports import CatalogueDependencies
from functions.catalogue.repository import MongoTitles
from functions.catalogue.service import Catalogue
from functions.platform.settings import load_settings
from functions.platform.signed_tokens import SignedTokens
from functions.platform.time import now
from functions.recommendations.bolt import Bolt
from functions.recommendations.rebuild import Rebuild
from functions.recommendations.rebuild_sources import SliceSources
from functions.recommendations.rebuild_store import MongoRebuildStore
from functions.recommendations.repository import BoltGraph
from functions.recommendations.service import Recommendations
from functions.usage.model import UsageKind
from functions.usage.mongo import MongoUsage
from functions.usage.service import UsageService
from infra.local.stores.arcadedb import arcadedb
from infra.local.stores.credentials import load_or_make
from infra.local.stores.home import Home
from infra.local.stores.secantus import secantus
from infra.local.stores.supervisor import Supervisor
from tests.bench import _recommend_catalogue as invented
from tests.bench._measure import conclude, say
from tests.bench._recommend_movielens import movielens, title_id, viewer_id, viewers
from tests.bench._recommend_rivals import TOP, Rivals
from tests.support.homes import free_home

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from pymongo.database import Database

    from functions.catalogue.model import Title
    from functions.recommendations.model import ViewerHistory
    from functions.recommendations.ports import RebuildSources
    from tests.bench._recommend_movielens import MovieLens, Split

GOALS = {"home_p95_ms": 50.0, "similar_p95_ms": 25.0, "rebuild_s": 60.0}
HR_GOAL = 0.20
REBUILD_LIMIT_S = 600.0
QUESTIONS, WARM_UP = 400, 200


def main() -> int:
    """Measure, print the table and the line of JSON; return 0 if all goals are met."""
    parser = argparse.ArgumentParser(prog="./notflix bench recommend", description=__doc__)
    parser.add_argument("--validation", action="store_true", help="hold out the last film but one; for tuning")
    parser.add_argument("--quick", action="store_true", help="a tenth of the titles and views")
    asked = parser.parse_args()
    cache = Home.of().path / "bench"
    cache.mkdir(parents=True, exist_ok=True)
    data = movielens(cache)
    split = data.split(2 if asked.validation else 1)

    with stores() as (database, bolt):
        figures = _rank(data, split, database, bolt)
    share = 10 if asked.quick else 1
    with stores() as (database, bolt):
        figures |= _time(database, bolt, titles=10_000 // share, views=100_000 // share)
    rivals = [value for name, value in figures.items() if name.startswith("hr10_")]
    above = max(HR_GOAL, max(rivals) + 1 / len(split.held_out))
    return conclude("recommend", figures, {"hr10": above, **GOALS}, at_least=("hr10",))


@contextmanager
def stores() -> Iterator[tuple[Database[dict[str, Any]], Bolt]]:
    """Run a Mongo and a graph of the benchmark's own; forget them at the end."""
    folder = Path(tempfile.mkdtemp(prefix="notflix-bench-"))
    home = free_home(folder)
    home.make()
    credentials = load_or_make(home.secrets_file)
    own = [make(home, credentials, {}) for make in (secantus, arcadedb)]
    supervisor = Supervisor([store.part for store in own], home=home)
    say("Starting a graph and a Mongo …")
    supervisor.start()
    settings = load_settings({"AzureWebJobsStorage": "", **own[0].settings, **own[1].settings})
    bolt = Bolt(settings.neo4j_uri, settings.neo4j_user, settings.neo4j_password)
    mongo: MongoClient[dict[str, Any]] = MongoClient(settings.mongo_url, tz_aware=True)
    try:
        yield mongo["bench"], bolt
    finally:
        mongo.close()
        bolt.close()
        supervisor.stop()
        shutil.rmtree(folder)


class Known:
    """The films and users of a split, as what a graph is made from."""

    def __init__(self, data: MovieLens, split: Split) -> None:
        self._titles = data.titles()
        self._split = split

    def titles(self, after: str, limit: int) -> list[Title]:
        """Return films by id from above one on."""
        return [title for title in self._titles if title.id > after][:limit]

    def count_titles(self) -> int:
        """Return how many films there are."""
        return len(self._titles)

    def find_title(self, title_id: str) -> Title | None:
        """Return a film, or None."""
        return next((title for title in self._titles if title.id == title_id), None)

    def viewers(self, after: str) -> Iterator[ViewerHistory]:
        """Yield users by id from above one on."""
        return (viewer for viewer in viewers(self._split) if viewer.id > after)


def _rank(data: MovieLens, split: Split, database: Database[dict[str, Any]], bolt: Bolt) -> dict[str, float]:
    """Return the hits of our queries and of the rivals."""
    graph = BoltGraph(bolt)
    say(f"Making a graph of {len(data.films)} films and {sum(map(len, split.known))} views …")
    _rebuild(graph, Known(data, split), database)
    say(f"Recommending ten films to each of {len(split.known)} users, over Bolt …")
    hits, gain = 0, 0.0
    for number, film in enumerate(split.held_out):
        picks = [pick.id for pick in graph.next_for(graph.history(viewer_id(number)), limit=TOP)]
        if title_id(film) in picks:
            hits += 1
            gain += 1 / math.log2(picks.index(title_id(film)) + 2)
    say("Asking the rivals …")
    rivals = Rivals(split, sorted(data.films))
    scores = {
        "popularity": rivals.popularity(),
        "itemknn": rivals.item_knn(),
        "ease": rivals.ease(),
        "ease_recent": rivals.ease_recent(),
    }
    found = {name: rivals.hits(score) for name, score in scores.items()}
    users = len(split.known)
    return {
        "hr10": hits / users,
        **{f"hr10_{name}": hr for name, (hr, _) in found.items()},
        "ndcg10": gain / users,
        **{f"ndcg10_{name}": ndcg for name, (_, ndcg) in found.items()},
    }


def _rebuild(graph: BoltGraph, sources: RebuildSources, database: Database[dict[str, Any]]) -> None:
    """Make the graph anew, as the queue's messages would."""
    ids = iter(("first", "second"))
    records = MongoRebuildStore(database)
    rebuild = Rebuild(
        graph, sources, records, enqueue=lambda _: None, now=lambda: datetime.now(UTC), make_id=lambda: next(ids)
    )
    if not rebuild.advance(rebuild.start().id, within_s=REBUILD_LIMIT_S):
        raise RuntimeError(f"The rebuild took longer than {REBUILD_LIMIT_S:g} s.")


def _time(database: Database[dict[str, Any]], bolt: Bolt, *, titles: int, views: int) -> dict[str, float]:
    """Return how long a rebuild takes, a home page, and what is like a title."""
    chance = random.Random(2026)
    say(f"Inventing {titles} titles and {views} views …")
    films = invented.titles(titles, chance)
    people = list(invented.histories(films, views, chance))
    catalogue, usage = MongoTitles(database), MongoUsage(database)
    catalogue.count(), usage.marks("", UsageKind.RATED)  # indexes are made at first use, before there is anything
    invented.fill(database, films, people)

    graph = BoltGraph(bolt)
    titles_of = _titles(catalogue)
    say("Making the graph …")
    began = time.perf_counter()
    service = UsageService(usage, titles_of, SignedTokens("k" * 32, now), send=lambda message: None, now=now)
    _rebuild(graph, SliceSources(titles_of, service), database)
    rebuild_s = time.perf_counter() - began

    recommendations = Recommendations(graph, titles_of)
    say(f"Asking for {QUESTIONS} home pages and for what is like {QUESTIONS} titles …")
    viewers = chance.choices([user_id for user_id, _ in people], k=WARM_UP + QUESTIONS)
    # titles are opened as often as they are watched
    opened = chance.choices([view.title_id for _, views in people for view in views], k=WARM_UP + QUESTIONS)
    return {
        "home_p95_ms": _p95_ms(recommendations.home, viewers),
        "similar_p95_ms": _p95_ms(recommendations.similar, opened),
        "rebuild_s": rebuild_s,
    }


def _p95_ms(ask: Callable[[str], Sequence[object]], questions: Sequence[str]) -> float:
    """Return the 95th percentile of the answers' times, after a warm-up; raise RuntimeError if most are empty."""
    times, empty = [], 0
    for question in questions:
        began = time.perf_counter()
        empty += not ask(question)
        times.append((time.perf_counter() - began) * 1000)
    if empty > len(questions) / 2:
        raise RuntimeError(f"{empty} of {len(questions)} answers were empty.")
    return sorted(times[WARM_UP:])[int(0.95 * (len(times) - WARM_UP))]


def _titles(titles: MongoTitles) -> Catalogue:
    """Return a catalogue that only reads."""
    dependencies = CatalogueDependencies(lambda: None, lambda _, __: None, lambda _: None, lambda: datetime.now(UTC))
    return Catalogue(titles, _Nothing(), _Nothing(), dependencies)  # type: ignore[arg-type]


class _Nothing:
    """What a catalogue that only reads does not need."""


if __name__ == "__main__":
    raise SystemExit(main())
