"""`./notflix bench recommend`: how often the next film is among ten recommendations, and how long the queries take.

The last film of each user of MovieLens 100k is held out. The product's queries over Bolt, and baselines on the same
split, rank it among all films that are not in the user's training data. Then the queries and a rebuild are timed with
10,000 titles and 100,000 views.
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
from infra.local.home import Home
from infra.local.processes.supervisor import Supervisor
from infra.local.stores.arcadedb import arcadedb
from infra.local.stores.credentials import load_or_make
from infra.local.stores.secantus import secantus
from tests.bench import _generated_catalogue as generated
from tests.bench._measure import conclude, say
from tests.bench._recommend_baselines import TOP, Baselines
from tests.bench._recommend_movielens import movielens, title_id, viewer_id, viewers
from tests.support.homes import free_home
from tests.support.usage import MemoryViewingDays

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
    """Run the benchmark and print its results; return 0 if all goals are met, else 1."""
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
    baselines = [value for name, value in figures.items() if name.startswith("hr10_")]
    above = max(HR_GOAL, max(baselines) + 1 / len(split.held_out))
    return conclude("recommend", figures, {"hr10": above, **GOALS}, at_least=("hr10",))


@contextmanager
def stores() -> Iterator[tuple[Database[dict[str, Any]], Bolt]]:
    """Run a temporary MongoDB and graph; delete their data at the end."""
    folder = Path(tempfile.mkdtemp(prefix="notflix-bench-"))
    home = free_home(folder)
    home.make()
    credentials = load_or_make(home.secrets_file)
    own = [make(home, credentials, {}) for make in (secantus, arcadedb)]
    supervisor = Supervisor([store.service for store in own], home=home)
    say("Starting MongoDB and the graph …")
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
    """The films and users of a split, as sources of a rebuild."""

    def __init__(self, data: MovieLens, split: Split) -> None:
        self._titles = data.titles()
        self._split = split

    def titles(self, after: str, limit: int) -> list[Title]:
        """Return films in the order of their ids, starting after a given id."""
        return [title for title in self._titles if title.id > after][:limit]

    def count_titles(self) -> int:
        """Return the number of films."""
        return len(self._titles)

    def find_title(self, title_id: str) -> Title | None:
        """Return a film, or None."""
        return next((title for title in self._titles if title.id == title_id), None)

    def viewers(self, after: str) -> Iterator[ViewerHistory]:
        """Yield viewers with an id greater than `after`, in order of their ids."""
        return (each for each in viewers(self._split) if each.id > after)

    def find_viewer(self, user_id: str) -> ViewerHistory | None:
        """Return a viewer, or None."""
        return next((each for each in viewers(self._split) if each.id == user_id), None)


def _rank(data: MovieLens, split: Split, database: Database[dict[str, Any]], bolt: Bolt) -> dict[str, float]:
    """Return the hit rates of our queries and of the baselines."""
    graph = BoltGraph(bolt)
    say(f"Building the graph of {len(data.films)} films and {sum(map(len, split.known))} views …")
    _rebuild(graph, Known(data, split), database)
    say(f"Recommending ten films to each of {len(split.known)} users, over Bolt …")
    hits, gain = 0, 0.0
    for number, film in enumerate(split.held_out):
        picks = [pick.id for pick in graph.next_for(graph.history(viewer_id(number)), limit=TOP)]
        if title_id(film) in picks:
            hits += 1
            gain += 1 / math.log2(picks.index(title_id(film)) + 2)
    say("Running the baselines …")
    baselines = Baselines(split, sorted(data.films))
    scores = {
        "popularity": baselines.popularity(),
        "itemknn": baselines.item_knn(),
        "ease": baselines.ease(),
        "ease_recent": baselines.ease_recent(),
    }
    found = {name: baselines.hits(score) for name, score in scores.items()}
    users = len(split.known)
    return {
        "hr10": hits / users,
        **{f"hr10_{name}": hr for name, (hr, _) in found.items()},
        "ndcg10": gain / users,
        **{f"ndcg10_{name}": ndcg for name, (_, ndcg) in found.items()},
    }


def _rebuild(graph: BoltGraph, sources: RebuildSources, database: Database[dict[str, Any]]) -> None:
    """Rebuild the graph in the same steps as the messages of the queue."""
    ids = iter(("first", "second"))
    records = MongoRebuildStore(database)
    rebuild = Rebuild(
        graph, sources, records, enqueue=lambda _: None, now=lambda: datetime.now(UTC), make_id=lambda: next(ids)
    )
    if not rebuild.advance(rebuild.start().id, within_s=REBUILD_LIMIT_S):
        raise RuntimeError(f"The rebuild took longer than {REBUILD_LIMIT_S:g} s.")


def _time(database: Database[dict[str, Any]], bolt: Bolt, *, titles: int, views: int) -> dict[str, float]:
    """Return the durations of a rebuild, of home pages, and of queries for similar titles."""
    rng = random.Random(2026)
    say(f"Generating {titles} titles and {views} views …")
    films = generated.titles(titles, rng)
    people = list(generated.histories(films, views, rng))
    catalogue, usage = MongoTitles(database), MongoUsage(database)
    (
        catalogue.count(),
        usage.marks("", UsageKind.RATED),
    )  # the first call creates the indexes, while the collections are empty
    generated.fill(database, films, people)

    graph = BoltGraph(bolt)
    titles_of = _titles(catalogue)
    say("Building the graph …")
    began = time.perf_counter()
    service = UsageService(
        usage, titles_of, SignedTokens("k" * 32, now), MemoryViewingDays(), send=lambda message: None, now=now
    )
    _rebuild(graph, SliceSources(titles_of, service), database)
    rebuild_s = time.perf_counter() - began

    recommendations = Recommendations(graph, titles_of)
    say(f"Requesting {QUESTIONS} home pages and similar titles of {QUESTIONS} titles …")
    viewers = rng.choices([user_id for user_id, _ in people], k=WARM_UP + QUESTIONS)
    # a title's probability is proportional to how often it was watched
    opened = rng.choices([view.title_id for _, views in people for view in views], k=WARM_UP + QUESTIONS)
    return {
        "home_p95_ms": _p95_ms(recommendations.home, viewers),
        "similar_p95_ms": _p95_ms(recommendations.similar, opened),
        "rebuild_s": rebuild_s,
    }


def _p95_ms(ask: Callable[[str], Sequence[object]], questions: Sequence[str]) -> float:
    """Return the 95th percentile of the response times after a warm-up.

    Raise RuntimeError if more than half of the results are empty.
    """
    times, empty = [], 0
    for question in questions:
        began = time.perf_counter()
        empty += not ask(question)
        times.append((time.perf_counter() - began) * 1000)
    if empty > len(questions) / 2:
        raise RuntimeError(f"{empty} of {len(questions)} answers were empty.")
    return sorted(times[WARM_UP:])[int(0.95 * (len(times) - WARM_UP))]


def _titles(titles: MongoTitles) -> Catalogue:
    """Return a catalogue that is only used for reading."""
    dependencies = CatalogueDependencies(lambda: None, lambda _, __: None, lambda: datetime.now(UTC))
    return Catalogue(titles, _Nothing(), _Nothing(), dependencies)  # type: ignore[arg-type]


class _Nothing:
    """A placeholder for dependencies that reading does not use."""


if __name__ == "__main__":
    raise SystemExit(main())
