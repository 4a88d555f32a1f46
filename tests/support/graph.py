"""The graph in tests: its content, the expected content, and a catalogue and usage in memory as its sources."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import timedelta
from threading import Lock
from typing import TYPE_CHECKING, Any

from functions.platform.messages import UpdateGraph
from functions.recommendations import steps
from functions.recommendations.graph_sync import GraphSync
from functions.recommendations.rebuild import Phase, Rebuild, RebuildProgress
from functions.recommendations.rebuild_sources import SliceSources, viewing_of
from functions.recommendations.service import Recommendations
from functions.usage.model import Heartbeat, Mark, Milestone, UsageKind, View
from tests.support.catalogue import World, make_playback, make_title
from tests.support.clock import NOON
from tests.support.memory_graph import MemoryGraph
from tests.support.usage import MemoryUsage, make_session, make_usage

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import datetime

    import pytest

    from functions.recommendations.bolt import Bolt
    from functions.recommendations.model import Candidate, Pick
    from functions.recommendations.repository import BoltGraph
    from tests.support.catalogue import MemoryTitles

VIEWERS = tuple(f"{number:032x}" for number in range(1, 40))


class MemoryRebuildStore:
    """Rebuilds and their journals in memory."""

    def __init__(self) -> None:
        self.kept: list[RebuildProgress] = []
        self.lost: datetime | None = None
        self._changes: dict[str, Counter[str]] = defaultdict(Counter)
        self._lock = Lock()

    def progress(self) -> RebuildProgress | None:
        return self.kept[-1] if self.kept else None

    def save_progress(self, progress: RebuildProgress, *, over: RebuildProgress | None) -> bool:
        kept = self.progress()
        if (kept and (kept.id, kept.phase, kept.cursor)) != (over and (over.id, over.phase, over.cursor)):
            return False
        self.kept.append(progress)
        return True

    def record_change(self, rebuild_id: str, user_id: str) -> None:
        with self._lock:
            self._changes[rebuild_id][user_id] += 1

    def changes(self, rebuild_id: str, *, after: str, until: str | None) -> dict[str, int]:
        counted = self._changes[rebuild_id]
        return {each: counted[each] for each in counted if each > after and (until is None or each <= until)}

    def clear_changes(self, rebuild_id: str) -> None:
        self._changes[rebuild_id].clear()

    def lost_at(self) -> datetime | None:
        return self.lost

    def record_loss(self, at: datetime) -> None:
        self.lost = at

    def clear_loss(self, before: datetime) -> None:
        if self.lost and self.lost < before:
            self.lost = None


def watched(viewer: int, name: str, at: datetime, *, progress: float = 1.0) -> UpdateGraph:
    """Return the message that a viewer watched a title."""
    return UpdateGraph("watched", title_id=name, user_id=VIEWERS[viewer], progress=progress, at=at)


def rated(viewer: int, name: str, at: datetime) -> UpdateGraph:
    """Return the message that a viewer rated a title, or removed the rating."""
    return UpdateGraph("rated", title_id=name, user_id=VIEWERS[viewer], at=at)


def unwatched(viewer: int, name: str | None) -> UpdateGraph:
    """Return the message that a viewer removed one title, or all titles, from the history."""
    return UpdateGraph("unwatched", title_id=name, user_id=VIEWERS[viewer])


def forgotten(viewer: int) -> UpdateGraph:
    """Return the message that a viewer's account was deleted."""
    return UpdateGraph("forgotten", user_id=VIEWERS[viewer])


def title_changed(name: str) -> UpdateGraph:
    """Return the message that a title changed."""
    return UpdateGraph("title", title_id=name)


@dataclass
class Theatre:
    """A graph, with a catalogue and usage in memory; the tests send the messages. `bolt` is None for one in memory."""

    graph: BoltGraph | MemoryGraph
    bolt: Bolt | None = None
    world: World = field(default_factory=World)
    store: MemoryUsage = field(default_factory=MemoryUsage)
    records: MemoryRebuildStore = field(default_factory=MemoryRebuildStore)
    gone: set[int] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.begun: list[str] = []
        self.usage = make_usage(self.store, self.world)
        self.sync = GraphSync(self.graph, self.world.catalogue, self.usage, self.records, send=lambda message: None)
        self.rebuild = Rebuild(
            self.graph,
            SliceSources(self.world.catalogue, self.usage),
            self.records,
            enqueue=self.begun.append,
            now=self.world.clock,
            make_id=lambda: f"rebuild-{len(self.records.kept)}",
        )
        self.recommendations = Recommendations(self.graph, self.world.catalogue)

    @property
    def content(self) -> Content:
        """Return the content of the graph."""
        if self.bolt:
            return content_of(self.bolt)
        assert isinstance(self.graph, MemoryGraph)
        return content_of_memory(self.graph)

    def clear_graph(self) -> None:
        """Delete everything in the graph."""
        if self.bolt:
            self.bolt.write(lambda tx: tx.run("MATCH (n) DETACH DELETE n").consume())
        else:
            vars(self.graph).update(vars(MemoryGraph()))

    @property
    def expected(self) -> Content:
        """Return the content that the graph has after a rebuild."""
        return content_from(self.world.titles, self.store)

    def shows(self, *names: str, **details: Any) -> None:
        """Put watchable titles into the catalogue and update the graph."""
        for name in names:
            added_s = self.world.titles.count()
            given = {"playback": make_playback(complete=True), **details}
            assert self.world.titles.add(make_title(name, added_s=added_s, **given))
            self.sync.update(title_changed(name))

    def watches(self, viewer: int, *names: str, from_s: float = 0) -> None:
        """Record that a viewer watched titles one after another, one hour apart, and update the graph."""
        for number, name in enumerate(names):
            at = NOON + timedelta(seconds=from_s, hours=number)
            self.views(viewer, name, at)
            self.sync.update(watched(viewer, name, at))

    def views(self, viewer: int, name: str, at: datetime) -> None:
        """Store in usage that a viewer watched a title to its end."""
        session = make_session(name, user_id=VIEWERS[viewer], opened_s=(at - NOON).total_seconds() - 60)
        view = View(session).after(Heartbeat(0, 120.0), session, at).with_reported(Milestone.END)
        self.store.remove(VIEWERS[viewer], UsageKind.VIEW, name)
        assert self.store.add(view)

    def rates(self, viewer: int, name: str, rating: int, *, minute: int = 0) -> None:
        """Record a viewer's rating of a title, or remove it with 0, and update the graph."""
        at = NOON + timedelta(minutes=minute)
        if rating:
            self.store.put(Mark(UsageKind.RATED, VIEWERS[viewer], name, at, rating))
        else:
            self.store.remove(VIEWERS[viewer], UsageKind.RATED, name)
        self.sync.update(rated(viewer, name, at))

    def rebuilds(self) -> RebuildProgress:
        """Rebuild the graph and return the result."""
        progress = self.rebuild.start()
        assert self.rebuild.advance(progress.id, within_s=60)
        ended = self.rebuild.progress()
        assert ended and ended.phase is Phase.DONE
        return ended


def memory_theatre(*titles: str) -> Theatre:
    """Return a theatre with a graph in memory."""
    made = Theatre(MemoryGraph())
    made.shows(*titles)
    return made


def during(owner: Any, method: str, work: Callable[[], object], patched: pytest.MonkeyPatch) -> None:
    """Run something just before the next call of a method."""
    original = getattr(owner, method)

    def called(*arguments: Any, **named: Any) -> Any:
        patched.undo()
        work()
        return original(*arguments, **named)

    patched.setattr(owner, method, called)


@dataclass(frozen=True)
class Content:
    """The content of a graph: the listed titles, and everything about viewers."""

    titles: dict[str, tuple[Any, ...]]
    relations: set[tuple[str, str, str]]
    viewings: dict[tuple[str, str], str]
    opinions: dict[tuple[str, str], int]
    steps: dict[tuple[str, str], int]
    views: dict[str, int]
    genres: dict[str, int]
    people: set[str]


def content_of(bolt: Bolt) -> Content:
    """Read a whole graph."""

    def rows(text: str) -> list[dict[str, Any]]:
        return bolt.write(lambda tx: [row.data() for row in tx.run(text)])

    titles = rows(
        "MATCH (t:Title) WHERE t.listed RETURN t.id AS id, t.revision AS revision, t.watchable AS w, t.name AS n"
    )
    credits = rows("MATCH (p:Person)-[r]->(t:Title) RETURN type(r) AS kind, p.key AS key, t.id AS id")
    genres = rows("MATCH (t:Title)-[:IN_GENRE]->(g:Genre) RETURN 'IN_GENRE' AS kind, g.key AS key, t.id AS id")
    viewings = rows("MATCH (u:User)-[w:WATCHED]->(t:Title) RETURN u.id AS u, t.id AS t, w.at AS at")
    opinions = rows("MATCH (u:User)-[r:RATED]->(t:Title) RETURN u.id AS u, t.id AS t, r.rating AS rating")
    moves = rows("MATCH (a:Title)-[n:WATCHED_NEXT]->(b:Title) RETURN a.id AS a, b.id AS b, n.weight AS weight")
    views = rows("MATCH (t:Title) WHERE t.views > 0 RETURN t.id AS id, t.views AS views")
    counts = rows("MATCH (g:Genre) RETURN g.key AS key, g.titles AS titles")
    people = rows("MATCH (p:Person) RETURN p.key AS key")
    assert len(viewings) == len({(row["u"], row["t"]) for row in viewings}), "somebody watches a title twice"
    return Content(
        titles={row["id"]: (row["revision"], row["w"], row["n"]) for row in titles},
        relations={(row["kind"], row["key"], row["id"]) for row in (*credits, *genres)},
        viewings={(row["u"], row["t"]): row["at"] for row in viewings},
        opinions={(row["u"], row["t"]): row["rating"] for row in opinions},
        steps={(row["a"], row["b"]): row["weight"] for row in moves},
        views={row["id"]: row["views"] for row in views},
        genres={row["key"]: row["titles"] for row in counts},
        people={row["key"] for row in people},
    )


def content_of_memory(graph: MemoryGraph) -> Content:
    """Return the content of a graph in memory."""
    watched = [(user, title, at) for user, node in graph.viewers.items() for title, (_, at) in node.watched.items()]
    rated = [(user, title, thumb) for user, node in graph.viewers.items() for title, (thumb, _) in node.rated.items()]
    return Content(
        titles={
            title_id: (node.revision, node.watchable, node.card.name if node.card else None)
            for title_id, node in graph.titles.items()
            if node.listed
        },
        relations={
            *((role.value, key, title_id) for role, key, title_id in graph.credits),
            *(("IN_GENRE", key, title_id) for title_id, node in graph.titles.items() for key in node.genres),
        },
        viewings={(user, title): at for user, title, at in watched},
        opinions={(user, title): thumb for user, title, thumb in rated},
        steps=dict(graph.steps),
        views={title_id: node.views for title_id, node in graph.titles.items() if node.views > 0},
        genres={key: genre.titles for key, genre in graph.genres.items()},
        people=set(graph.people),
    )


def content_from(titles: MemoryTitles, usage: MemoryUsage) -> Content:
    """Return the expected content after a rebuild, computed from the catalogue and usage alone."""
    listed = [title for title in titles.in_order(after="", limit=10_000) if title.listed]
    relations: set[tuple[str, str, str]] = set()
    for title in listed:
        details = title.details
        for kind, names in (
            ("DIRECTED", details.directors),
            ("WROTE", details.writers),
            ("ACTED_IN", details.actors),
            ("IN_GENRE", details.genres),
        ):
            relations |= {(kind, name.casefold(), title.id) for name in names}
    viewings: dict[tuple[str, str], str] = {}
    opinions: dict[tuple[str, str], int] = {}
    histories = []
    for everything in usage.everyone(after=""):
        watched = {viewing.title_id: viewing.at for view in everything.views if (viewing := viewing_of(view))}
        viewings |= {(everything.user_id, title): f"{at:%Y-%m-%dT%H:%M:%S.%f}Z" for title, at in watched.items()}
        opinions |= {(mark.user_id, mark.title_id): mark.rating for mark in everything.marks if mark.rating}
        histories.append(sorted(watched.items(), key=lambda each: (each[1], each[0])))
    weights: Counter[tuple[str, str]] = Counter()
    for history in histories:
        weights.update(steps.steps(history))
    return Content(
        titles={title.id: (title.revision, title.watchable, title.details.name) for title in listed},
        relations=relations,
        viewings=viewings,
        opinions=opinions,
        steps={step: weight for step, weight in weights.items() if weight >= steps.SIGNIFICANT},
        views=dict(Counter(title for history in histories for title, _ in history)),
        genres=dict(Counter(key for kind, key, _ in relations if kind == "IN_GENRE")),
        people={key for kind, key, _ in relations if kind != "IN_GENRE"},
    )


def reasons(picks: Iterable[Pick | Candidate]) -> dict[str, str]:
    """Return the text of the reason for each recommendation, by title."""
    return {pick.id: pick.reason.words for pick in picks}
