"""Writing the graph: titles with their people and genres, who watched and rated what, and the steps between titles.

    (:Title {id, revision, listed, watchable, added, genres, views, heat, facts_format, name, …})
    (:Title)-[:WATCHED_NEXT {weight}]->(:Title)    (:Title)-[:IN_GENRE]->(:Genre {key, name, titles})
    (:Person {key, name})-[:DIRECTED | WROTE | ACTED_IN]->(:Title)
    (:User {id})-[:WATCHED {progress, at}]->(:Title)    (:User)-[:RATED {rating, at}]->(:Title)

`facts_format` and the properties after it are the facts of `card_facts`. Every key has a uniqueness constraint. New
data is first compared with the graph, and only differences are written: a repeated write changes nothing, and
rebuilding a correct graph writes nothing. A viewing of a title that is not in the graph yet creates the title's node;
the title is shown once the catalogue lists it. Times are stored as text that sorts chronologically.
"""

from __future__ import annotations

from datetime import datetime
from itertools import groupby
from typing import TYPE_CHECKING, Any

from functions.platform.time import to_exact_text
from functions.recommendations import steps
from functions.recommendations.bolt import BULK_WRITE_S
from functions.recommendations.card_facts import facts_of
from functions.recommendations.model import Role
from functions.recommendations.steps import SIGNIFICANT

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from neo4j import Transaction

    from functions.recommendations.bolt import Bolt
    from functions.recommendations.model import GraphTitle, Opinion, Viewing

CONSTRAINTS = (
    "CREATE CONSTRAINT title_id IF NOT EXISTS FOR (t:Title) REQUIRE t.id IS UNIQUE",
    "CREATE CONSTRAINT person_key IF NOT EXISTS FOR (p:Person) REQUIRE p.key IS UNIQUE",
    "CREATE CONSTRAINT genre_key IF NOT EXISTS FOR (g:Genre) REQUIRE g.key IS UNIQUE",
    "CREATE CONSTRAINT user_id IF NOT EXISTS FOR (u:User) REQUIRE u.id IS UNIQUE",
)

TITLES_AT_ONCE = 100
VIEWS_AT_ONCE = 2_000
ROWS_AT_ONCE = 25
DELETED_AT_ONCE = 500

WRITE_TITLE = """
UNWIND $rows AS row
MERGE (t:Title {id: row.id})
WITH t, row WHERE $force OR coalesce(t.revision, 0) <= row.revision
SET t += row.facts
RETURN t.id AS id
"""

GENRES_OF = "UNWIND $ids AS id MATCH (:Title {id: id})-[:IN_GENRE]->(g:Genre) RETURN id, g.key AS key"
DROP_GENRES = "UNWIND $edges AS e MATCH (:Title {id: e[0]})-[r:IN_GENRE]->(:Genre {key: e[1]}) DELETE r"
ADD_GENRES = """
UNWIND $rows AS row MATCH (t:Title {id: row[0]}) UNWIND row[1] AS node
MERGE (g:Genre {key: node[0]}) ON CREATE SET g.name = node[1], g.titles = 0
CREATE (t)-[:IN_GENRE]->(g)
"""
COUNT_GENRES = """
UNWIND $keys AS key MATCH (g:Genre {key: key})<-[:IN_GENRE]-(t:Title) WITH g, count(t) AS n SET g.titles = n
"""

CREDITS_OF = """
UNWIND $ids AS id MATCH (:Title {id: id})<-[r:DIRECTED|WROTE|ACTED_IN]-(p:Person)
RETURN id, p.key AS key, type(r) AS role
"""
DROP_CREDITS = "UNWIND $edges AS e MATCH (:Person {{key: e[1]}})-[r:{role}]->(:Title {{id: e[0]}}) DELETE r"
ADD_CREDITS = """
UNWIND $rows AS row MATCH (t:Title {{id: row[0]}}) UNWIND row[1] AS node
MERGE (p:Person {{key: node[0]}}) ON CREATE SET p.name = node[1]
CREATE (p)-[:{role}]->(t)
"""

IDS = "MATCH (n:{label}) WHERE n.id > $after AND n.id <= $until RETURN n.id AS id ORDER BY id"
ALL_IDS = "MATCH (n:{label}) WHERE n.id > $after RETURN n.id AS id ORDER BY id"

LOCK_USER = "MERGE (u:User {id: $user}) SET u.changes = coalesce(u.changes, 0) + 1"
WATCHED_BY = "MATCH (:User {id: $user})-[w:WATCHED]->(t:Title) RETURN t.id AS title, w.at AS at"
WATCH = """
MERGE (t:Title {id: $title})
WITH t MATCH (u:User {id: $user})
MERGE (u)-[w:WATCHED]->(t)
SET w.progress = $progress, w.at = $at
"""
UNWATCH = "UNWIND $titles AS id MATCH (:User {id: $user})-[w:WATCHED]->(:Title {id: id}) DELETE w"
RATE = """
MERGE (t:Title {id: $title})
WITH t MATCH (u:User {id: $user})
MERGE (u)-[r:RATED]->(t)
SET r.rating = $rating, r.at = $at
"""
UNRATE = "MATCH (:User {id: $user})-[r:RATED]->(:Title {id: $title}) DELETE r"
DROP_IDLE = "MATCH (u:User {id: $user}) WHERE NOT (u)-->() DELETE u"
COUNT_VIEWS = """
UNWIND $changes AS c
MATCH (t:Title {id: c.id})
SET t.views = coalesce(t.views, 0) + c.views, t.heat = coalesce(t.heat, 0.0) + c.heat
"""
TAKE_STEPS = """
UNWIND $steps AS s
MATCH (a:Title {id: s.from}), (b:Title {id: s.to})
MERGE (a)-[n:WATCHED_NEXT]->(b)
ON CREATE SET n.weight = s.weight
ON MATCH SET n.weight = n.weight + s.change
"""
CHANGE_STEPS = f"""
UNWIND $steps AS s
MATCH (:Title {{id: s.from}})-[n:WATCHED_NEXT]->(:Title {{id: s.to}})
SET n.weight = n.weight + s.change
WITH n WHERE n.weight < {SIGNIFICANT}
DELETE n
"""

FORGET = "MATCH (u:User {id: $user}) DETACH DELETE u"


class GraphWriter:
    """Writes the graph over Bolt."""

    def __init__(self, bolt: Bolt) -> None:
        self._bolt = bolt
        self._prepared = False

    def prepare(self) -> None:
        """Create missing constraints, once per process."""
        if not self._prepared:
            for constraint in CONSTRAINTS:
                self._bolt.run(constraint)
            self._prepared = True

    def write_titles(self, titles: Sequence[GraphTitle], *, force: bool = False) -> list[str]:
        self.prepare()
        refused: list[str] = []
        one = len(titles) == 1  # batches come from a rebuild, which recounts once at the end
        for first in range(0, len(titles), TITLES_AT_ONCE):
            some = titles[first : first + TITLES_AT_ONCE]
            written = self._bolt.write(
                lambda tx, some=some: _write_titles(tx, some, force=force, count=one)  # type: ignore[misc]
            )
            refused += [title.id for title in some if title.id not in written]
        return refused

    def title_ids(self, *, after: str, until: str | None) -> list[str]:
        return self._ids("Title", after, until)

    def user_ids(self, *, after: str, until: str | None) -> list[str]:
        return self._ids("User", after, until)

    def viewed_titles(self, user_id: str) -> list[str]:
        self.prepare()
        return self._bolt.write(lambda tx: sorted(row["title"] for row in tx.run(WATCHED_BY, user=user_id)))

    def record_viewing(self, user_id: str, viewing: Viewing) -> None:
        self.prepare()
        title, at = viewing.title_id, text_of(viewing.at)

        def work(tx: Transaction) -> None:
            tx.run(LOCK_USER, user=user_id).consume()
            before = {row["title"]: row["at"] for row in tx.run(WATCHED_BY, user=user_id)}
            if before.get(title, "") >= at:
                return
            tx.run(WATCH, user=user_id, title=title, progress=viewing.progress, at=at).consume()
            _update_derived(tx, before, {**before, title: at})

        self._bolt.write(work)

    def record_opinion(self, user_id: str, opinion: Opinion) -> None:
        self.prepare()
        title, at = opinion.title_id, text_of(opinion.at)

        def work(tx: Transaction) -> None:
            tx.run(LOCK_USER, user=user_id).consume()
            if opinion.rating:
                tx.run(RATE, user=user_id, title=title, rating=opinion.rating, at=at).consume()
            else:
                tx.run(UNRATE, user=user_id, title=title).consume()
                tx.run(DROP_IDLE, user=user_id).consume()

        self._bolt.write(work)

    def remove_viewings(self, user_id: str, title_id: str | None) -> None:
        self.prepare()

        def work(tx: Transaction) -> None:
            tx.run(LOCK_USER, user=user_id).consume()
            _unwatch(tx, user_id, title_id)
            tx.run(DROP_IDLE, user=user_id).consume()

        self._bolt.write(work)

    def remove_viewer(self, user_id: str) -> None:
        self.prepare()

        def work(tx: Transaction) -> None:
            _unwatch(tx, user_id, None)
            tx.run(FORGET, user=user_id).consume()

        self._bolt.write(work)

    def _ids(self, label: str, after: str, until: str | None) -> list[str]:
        self.prepare()
        text = (ALL_IDS if until is None else IDS).format(label=label)
        return self._bolt.write(
            lambda tx: [row["id"] for row in tx.run(text, after=after, until=until)], within_s=BULK_WRITE_S
        )


def text_of(at: datetime) -> str:
    """Return a time as the graph stores it."""
    return to_exact_text(at)


def _write_titles(tx: Transaction, titles: Sequence[GraphTitle], *, force: bool, count: bool) -> set[str]:
    rows = [{"id": title.id, "revision": title.revision, "facts": _facts(title)} for title in titles]
    written = {row["id"] for row in tx.run(WRITE_TITLE, rows=rows, force=force)}
    some = [title for title in titles if title.id in written]
    if not some:
        return written
    ids = sorted(written)
    genres = {(title.id, key): name for title in some for key, name in title.genres}
    old = {(row["id"], row["key"]) for row in tx.run(GENRES_OF, ids=ids)}
    _run(tx, DROP_GENRES, edges=sorted(old - genres.keys()))
    _run(tx, ADD_GENRES, rows=_new(genres, old))
    if count:
        _run(tx, COUNT_GENRES, keys=sorted({key for _, key in old ^ genres.keys()}))
    was = {(row["id"], row["key"], row["role"]) for row in tx.run(CREDITS_OF, ids=ids)}
    for role in Role:
        people = {
            (title.id, credit.key): credit.name for title in some for credit in title.credits if credit.role is role
        }
        old = {(title_id, key) for title_id, key, as_what in was if as_what == role}
        _run(tx, DROP_CREDITS.format(role=role), edges=sorted(old - people.keys()))
        _run(tx, ADD_CREDITS.format(role=role), rows=_new(people, old))
    return written


def _facts(title: GraphTitle) -> dict[str, Any]:
    return {
        "revision": title.revision,
        "listed": title.listed,
        "watchable": title.watchable,
        **facts_of(title.card),
        "card": None,  # the first release stored cards as JSON
        "added": title.added,
        "genres": [key for key, _ in title.genres],
    }


def _new(names: Mapping[tuple[str, str], str], old: Collection[tuple[str, str]]) -> list[list[object]]:
    """Return the edges missing from each title, as `[title, [[key, name], …]]`.

    No other transaction adds them in the meantime, because this one holds the lock on the title's node.
    """
    new = sorted(edge for edge in names if edge not in old)
    return [
        [title_id, [[key, names[title_id, key]] for _, key in its]]
        for title_id, its in groupby(new, lambda edge: edge[0])
    ]


def _run(tx: Transaction, text: str, **lists: Sequence[object]) -> None:
    """Run a statement with lists as parameters, unless one of the lists is empty."""
    if all(lists.values()):
        tx.run(text, **lists).consume()  # type: ignore[arg-type]


def _unwatch(tx: Transaction, user_id: str, title_id: str | None) -> None:
    before = {row["title"]: row["at"] for row in tx.run(WATCHED_BY, user=user_id)}
    gone = [title for title in before if title_id in (None, title)]
    if gone:
        tx.run(UNWATCH, user=user_id, titles=gone).consume()
        _update_derived(tx, before, {title: at for title, at in before.items() if title not in gone})


def _update_derived(tx: Transaction, before: Mapping[str, str], after: Mapping[str, str]) -> None:
    """Update views, heat and steps after a viewer's history has changed.

    A step that is not in the graph is created only if this viewer's share of its weight is significant; smaller shares
    are added only to existing steps. The next rebuild adds up all shares.
    """
    counts: dict[str, list[float]] = {}
    for history, sign in ((before, -1), (after, 1)):
        for title, at in history.items():
            if before.get(title) != after.get(title):
                count = counts.setdefault(title, [0, 0.0])
                count[0] += sign
                count[1] += sign * steps.heat(datetime.fromisoformat(at))
    changes = [{"id": title, "views": int(views), "heat": heat} for title, (views, heat) in sorted(counts.items())]
    _run(tx, COUNT_VIEWS, changes=changes)
    moved = [
        {"from": start, "to": end, "weight": weight, "change": weight - old}
        for (start, end), (old, weight) in sorted(steps.difference(in_order(before), in_order(after)).items())
    ]
    _run(tx, TAKE_STEPS, steps=[step for step in moved if step["weight"] >= SIGNIFICANT])  # type: ignore[operator]
    _run(tx, CHANGE_STEPS, steps=[step for step in moved if step["weight"] < SIGNIFICANT])  # type: ignore[operator]


def in_order(history: Mapping[str, str]) -> list[tuple[str, str]]:
    """Return pairs of title id and time, earliest first; simultaneous viewings are sorted by id."""
    return sorted(history.items(), key=lambda watched: (watched[1], watched[0]))
