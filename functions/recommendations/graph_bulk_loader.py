"""Writing the graph in bulk, for a rebuild: viewers, steps and popularity are replaced.

As in `graph_writer`, only differences from the existing graph are written, in transactions of bounded size.
"""

from __future__ import annotations

from datetime import datetime
from itertools import batched, groupby
from typing import TYPE_CHECKING

from functions.recommendations.bolt import BULK_WRITE_S
from functions.recommendations.graph_writer import DELETED_AT_ONCE, ROWS_AT_ONCE, VIEWS_AT_ONCE, GraphWriter, text_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from neo4j import Transaction

    from functions.recommendations.model import ViewerHistory

COUNTS_AT_ONCE = 2_000
HISTORIES_AT_ONCE = 1_000

MAKE_USERS = "UNWIND $ids AS id MERGE (u:User {id: id}) SET u.changes = coalesce(u.changes, 0) + 1"
VIEWINGS_OF = """
UNWIND $ids AS id MATCH (:User {id: id})-[w:WATCHED]->(t:Title)
RETURN id AS user, t.id AS title, w.progress AS value, w.at AS at
"""
OPINIONS_OF = """
UNWIND $ids AS id MATCH (:User {id: id})-[r:RATED]->(t:Title)
RETURN id AS user, t.id AS title, r.rating AS value, r.at AS at
"""
DROP_VIEWINGS = "UNWIND $edges AS e MATCH (:User {id: e[0]})-[w:WATCHED]->(:Title {id: e[1]}) DELETE w"
DROP_OPINIONS = "UNWIND $edges AS e MATCH (:User {id: e[0]})-[r:RATED]->(:Title {id: e[1]}) DELETE r"
ADD_VIEWINGS = """
UNWIND $rows AS row MATCH (u:User {id: row[0]}) UNWIND row[1] AS e MERGE (t:Title {id: e[0]})
CREATE (u)-[:WATCHED {progress: e[1], at: e[2]}]->(t)
"""
SET_VIEWINGS = """
UNWIND $rows AS row MATCH (u:User {id: row[0]}) UNWIND row[1] AS e MATCH (u)-[w:WATCHED]->(:Title {id: e[0]})
SET w.progress = e[1], w.at = e[2]
"""
ADD_OPINIONS = """
UNWIND $rows AS row MATCH (u:User {id: row[0]}) UNWIND row[1] AS e MERGE (t:Title {id: e[0]})
CREATE (u)-[:RATED {rating: e[1], at: e[2]}]->(t)
"""
SET_OPINIONS = """
UNWIND $rows AS row MATCH (u:User {id: row[0]}) UNWIND row[1] AS e MATCH (u)-[r:RATED]->(:Title {id: e[0]})
SET r.rating = e[1], r.at = e[2]
"""

HISTORIES = "UNWIND $ids AS id MATCH (:User {id: id})-[w:WATCHED]->(t:Title) RETURN id, t.id AS title, w.at AS at"

STEPS_OF = """
UNWIND $ids AS id MATCH (:Title {id: id})-[n:WATCHED_NEXT]->(t:Title) RETURN id, t.id AS next, n.weight AS weight
"""
DROP_STEPS = "UNWIND $steps AS s MATCH (:Title {id: s[0]})-[n:WATCHED_NEXT]->(:Title {id: s[1]}) DELETE n"
SET_STEPS = """
UNWIND $steps AS s MATCH (:Title {id: s[0]})-[n:WATCHED_NEXT]->(:Title {id: s[1]}) SET n.weight = s[2]
"""
ADD_STEPS = """
UNWIND $rows AS row MATCH (a:Title {id: row[0]}) UNWIND row[1] AS s MATCH (b:Title {id: s[0]})
CREATE (a)-[:WATCHED_NEXT {weight: s[1]}]->(b)
"""

POPULARITY = "MATCH (t:Title) RETURN t.id AS id, coalesce(t.views, 0) AS views, coalesce(t.heat, 0.0) AS heat"
SET_POPULARITY = "UNWIND $rows AS row MATCH (t:Title {id: row[0]}) SET t.views = row[1], t.heat = row[2]"

COUNTS = (
    "MATCH (g:Genre) OPTIONAL MATCH (g)<-[:IN_GENRE]-(t:Title) RETURN g.key AS key, g.titles AS had, count(t) AS has"
)
SET_COUNTS = "UNWIND $rows AS row MATCH (g:Genre {key: row.key}) SET g.titles = row.has"
DROP_GENRES = "UNWIND $keys AS key MATCH (g:Genre {key: key}) DETACH DELETE g"
IDLE_PEOPLE = "MATCH (p:Person) WHERE NOT (p)-->(:Title) RETURN p.key AS key"
DROP_PEOPLE = "UNWIND $keys AS key MATCH (p:Person {key: key}) WHERE NOT (p)-->(:Title) DELETE p"

type Edges = dict[tuple[str, str], tuple[float, str]]
"""Viewings or ratings by viewer and title: the progress or the rating, and the time."""


class GraphBulkLoader(GraphWriter):
    """Writes the graph in bulk over Bolt."""

    def write_viewers(self, viewers: Sequence[ViewerHistory]) -> None:
        self.prepare()
        some: list[ViewerHistory] = []
        size = 0
        for viewer in viewers:
            some.append(viewer)
            size += 1 + len(viewer.viewings) + len(viewer.opinions)
            if size >= VIEWS_AT_ONCE:
                self._write_viewers(some)
                some, size = [], 0
        if some:
            self._write_viewers(some)

    def histories(self) -> Iterator[tuple[str, list[tuple[str, datetime]]]]:
        for ids in batched(self.user_ids(after="", until=None), HISTORIES_AT_ONCE, strict=False):
            rows = self._write(
                lambda tx, ids=ids: sorted(  # type: ignore[misc]
                    (row["id"], row["at"], row["title"]) for row in tx.run(HISTORIES, ids=list(ids))
                )
            )
            for user, watched in groupby(rows, key=lambda row: row[0]):
                yield user, [(title, datetime.fromisoformat(at)) for _, at, title in watched]

    def write_steps(self, rows: Iterable[tuple[str, Mapping[str, int]]]) -> None:
        self.prepare()
        for some in batched(rows, ROWS_AT_ONCE, strict=False):
            self._write(lambda tx, some=some: _write_steps(tx, some))  # type: ignore[misc]

    def write_popularity(self, counts: Mapping[str, tuple[int, float]]) -> None:
        self.prepare()
        kept = self._write(lambda tx: [(row["id"], row["views"], row["heat"]) for row in tx.run(POPULARITY)])
        nothing = (0, 0.0)
        wrong = [
            [title, *wanted] for title, views, heat in kept if (wanted := counts.get(title, nothing)) != (views, heat)
        ]
        for rows in batched(wrong, COUNTS_AT_ONCE, strict=False):
            self._write(lambda tx, rows=rows: tx.run(SET_POPULARITY, rows=list(rows)).consume())  # type: ignore[misc]

    def tidy(self) -> None:
        self.prepare()
        genres = self._write(lambda tx: [row.data() for row in tx.run(COUNTS)])
        wrong = [row for row in genres if row["has"] and row["had"] != row["has"]]
        idle = [row["key"] for row in genres if not row["has"]]
        self._write(lambda tx: tx.run(SET_COUNTS, rows=wrong).consume())
        self._write(lambda tx: tx.run(DROP_GENRES, keys=idle).consume())
        people = self._write(lambda tx: [row["key"] for row in tx.run(IDLE_PEOPLE)])
        for keys in batched(people, DELETED_AT_ONCE, strict=False):
            self._write(lambda tx, keys=keys: tx.run(DROP_PEOPLE, keys=list(keys)).consume())  # type: ignore[misc]

    def _write_viewers(self, viewers: Sequence[ViewerHistory]) -> None:
        ids = sorted(viewer.id for viewer in viewers)
        viewings: Edges = {
            (viewer.id, each.title_id): (each.progress, text_of(each.at))
            for viewer in viewers
            for each in viewer.viewings
        }
        opinions: Edges = {
            (viewer.id, each.title_id): (each.rating, text_of(each.at))
            for viewer in viewers
            for each in viewer.opinions
        }

        def work(tx: Transaction) -> None:
            tx.run(MAKE_USERS, ids=ids).consume()
            for kept, of, drop, add, change in (
                (viewings, VIEWINGS_OF, DROP_VIEWINGS, ADD_VIEWINGS, SET_VIEWINGS),
                (opinions, OPINIONS_OF, DROP_OPINIONS, ADD_OPINIONS, SET_OPINIONS),
            ):
                had = {(row["user"], row["title"]): (row["value"], row["at"]) for row in tx.run(of, ids=ids)}
                _drop(tx, drop, had.keys() - kept.keys())
                _put(tx, add, {edge: value for edge, value in kept.items() if edge not in had})
                _put(tx, change, {edge: value for edge, value in kept.items() if had.get(edge, value) != value})

        self._write(work)

    def _write[Answer](self, work: Callable[[Transaction], Answer]) -> Answer:
        return self._bolt.write(work, within_s=BULK_WRITE_S)


def _drop(tx: Transaction, text: str, edges: Iterable[tuple[str, str]]) -> None:
    for some in batched(sorted(edges), DELETED_AT_ONCE, strict=False):
        tx.run(text, edges=some).consume()


def _put(tx: Transaction, text: str, edges: Edges) -> None:
    """Write viewings or ratings as `[viewer, [[title, value, at], …]]`."""
    rows = [
        [user, [[title, *edges[user, title]] for _, title in its]]
        for user, its in groupby(sorted(edges), key=lambda edge: edge[0])
    ]
    if rows:
        tx.run(text, rows=rows).consume()


def _write_steps(tx: Transaction, rows: Sequence[tuple[str, Mapping[str, int]]]) -> None:
    ids = [title for title, _ in rows]
    had: dict[tuple[str, str], int] = {(row["id"], row["next"]): row["weight"] for row in tx.run(STEPS_OF, ids=ids)}
    wanted = {(start, end): weight for start, row in rows for end, weight in row.items()}
    for some in batched(sorted(had.keys() - wanted.keys()), DELETED_AT_ONCE, strict=False):
        tx.run(DROP_STEPS, steps=some).consume()
    other = [[*step, weight] for step, weight in sorted(wanted.items()) if had.get(step, weight) != weight]
    if other:
        tx.run(SET_STEPS, steps=other).consume()
    new = [
        [start, fresh]
        for start, row in rows
        if (fresh := [[end, weight] for end, weight in sorted(row.items()) if (start, end) not in had])
    ]
    if new:
        tx.run(ADD_STEPS, rows=new).consume()
