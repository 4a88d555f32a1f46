"""Filling the graph in bulk, for a rebuild: viewers, steps and popularity become what they are given as.

As in the writer, only the difference to what is there is applied, in transactions of a bounded size.
"""

from __future__ import annotations

from datetime import datetime
from itertools import batched, groupby
from typing import TYPE_CHECKING, Any

from functions.recommendations.writing import DELETED_AT_ONCE, ROWS_AT_ONCE, VIEWS_AT_ONCE, GraphWriter, text_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from neo4j import ManagedTransaction

    from functions.recommendations.model import Viewer

FIGURES_AT_ONCE = 2_000
HISTORIES_AT_ONCE = 1_000

MAKE_USERS = "UNWIND $ids AS id MERGE (u:User {id: id}) SET u.changes = coalesce(u.changes, 0) + 1"
MAKE_TITLES = "UNWIND $ids AS id MERGE (:Title {id: id})"
VIEWINGS_OF = """
UNWIND $ids AS id MATCH (:User {id: id})-[w:WATCHED]->(t:Title)
RETURN id AS user, t.id AS title, w.progress AS value, w.at AS at
"""
OPINIONS_OF = """
UNWIND $ids AS id MATCH (:User {id: id})-[r:RATED]->(t:Title)
RETURN id AS user, t.id AS title, r.rating AS value, r.at AS at
"""
DROP_VIEWINGS = "UNWIND $edges AS e MATCH (:User {id: e.user})-[w:WATCHED]->(:Title {id: e.title}) DELETE w"
DROP_OPINIONS = "UNWIND $edges AS e MATCH (:User {id: e.user})-[r:RATED]->(:Title {id: e.title}) DELETE r"
WRITE_VIEWINGS = """
UNWIND $users AS row MATCH (u:User {id: row.user}) UNWIND row.edges AS e MATCH (t:Title {id: e.title})
MERGE (u)-[w:WATCHED]->(t) SET w.progress = e.value, w.at = e.at
"""
WRITE_OPINIONS = """
UNWIND $users AS row MATCH (u:User {id: row.user}) UNWIND row.edges AS e MATCH (t:Title {id: e.title})
MERGE (u)-[r:RATED]->(t) SET r.rating = e.value, r.at = e.at
"""
ADD_VIEWINGS = """
UNWIND $users AS row MATCH (u:User {id: row.user}) UNWIND row.edges AS e MATCH (t:Title {id: e.title})
CREATE (u)-[:WATCHED {progress: e.value, at: e.at}]->(t)
"""

HISTORIES = "UNWIND $ids AS id MATCH (:User {id: id})-[w:WATCHED]->(t:Title) RETURN id, t.id AS title, w.at AS at"

STEPS_OF = """
UNWIND $ids AS id MATCH (:Title {id: id})-[n:WATCHED_NEXT]->(t:Title) RETURN id, t.id AS next, n.weight AS weight
"""
DROP_STEPS = """
UNWIND $edges AS e MATCH (:Title {id: e.from})-[n:WATCHED_NEXT]->(:Title {id: e.to}) DELETE n
"""
SET_STEPS = """
UNWIND $edges AS e MATCH (:Title {id: e.from})-[n:WATCHED_NEXT]->(:Title {id: e.to}) SET n.weight = e.weight
"""
ADD_STEPS = """
UNWIND $rows AS row MATCH (a:Title {id: row.from}) UNWIND row.steps AS s MATCH (b:Title {id: s.to})
CREATE (a)-[:WATCHED_NEXT {weight: s.weight}]->(b)
"""

FIGURES = "MATCH (t:Title) RETURN t.id AS id, coalesce(t.views, 0) AS views, coalesce(t.heat, 0.0) AS heat"
SET_FIGURES = "UNWIND $rows AS row MATCH (t:Title {id: row.id}) SET t.views = row.views, t.heat = row.heat"

COUNTS = (
    "MATCH (g:Genre) OPTIONAL MATCH (g)<-[:IN_GENRE]-(t:Title) RETURN g.key AS key, g.titles AS had, count(t) AS has"
)
SET_COUNTS = "UNWIND $rows AS row MATCH (g:Genre {key: row.key}) SET g.titles = row.has"
DROP_GENRES = "UNWIND $keys AS key MATCH (g:Genre {key: key}) DETACH DELETE g"
IDLE_PEOPLE = "MATCH (p:Person) WHERE NOT (p)-->(:Title) RETURN p.key AS key"
DROP_PEOPLE = "UNWIND $keys AS key MATCH (p:Person {key: key}) WHERE NOT (p)-->(:Title) DELETE p"

type Kept = dict[tuple[str, str], tuple[float, str]]
"""Views or ratings: by viewer and title, the progress or the thumb, and when."""


class GraphFiller(GraphWriter):
    """Fills the graph over Bolt."""

    def write_viewers(self, viewers: Sequence[Viewer]) -> None:
        """Make the histories and ratings of viewers what they are given as; steps and popularity stay as they are."""
        self.prepare()
        some: list[Viewer] = []
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
        """Yield each viewer with what they watched and when, earliest first; of those at once the lower id first."""
        for ids in batched(self.user_ids(after="", until=None), HISTORIES_AT_ONCE, strict=False):
            rows = self._bolt.write(
                lambda tx, ids=ids: sorted(  # type: ignore[misc]
                    (row["id"], row["at"], row["title"]) for row in tx.run(HISTORIES, ids=list(ids))
                )
            )
            for user, watched in groupby(rows, key=lambda row: row[0]):
                yield user, [(title, datetime.fromisoformat(at)) for _, at, title in watched]

    def write_steps(self, rows: Iterable[tuple[str, Mapping[str, int]]]) -> None:
        """Make the steps that lead away from titles what they are given as."""
        self.prepare()
        for some in batched(rows, ROWS_AT_ONCE, strict=False):
            self._bolt.write(lambda tx, some=some: _write_steps(tx, some))  # type: ignore[misc]

    def write_popularity(self, figures: Mapping[str, tuple[int, float]]) -> None:
        """Make views and heat of every title what they are given as, 0 for all others."""
        self.prepare()
        kept = self._bolt.write(lambda tx: [(row["id"], row["views"], row["heat"]) for row in tx.run(FIGURES)])
        nothing = (0, 0.0)
        wrong = [
            {"id": title, "views": wanted[0], "heat": wanted[1]}
            for title, views, heat in kept
            if (wanted := figures.get(title, nothing)) != (views, heat)
        ]
        for rows in batched(wrong, FIGURES_AT_ONCE, strict=False):
            self._bolt.write(lambda tx, rows=rows: tx.run(SET_FIGURES, rows=list(rows)).consume())  # type: ignore[misc]

    def tidy(self) -> None:
        """Remove people and genres that nothing refers to, and count the titles of the other genres."""
        self.prepare()
        genres = self._bolt.write(lambda tx: [row.data() for row in tx.run(COUNTS)])
        wrong = [row for row in genres if row["has"] and row["had"] != row["has"]]
        idle = [row["key"] for row in genres if not row["has"]]
        self._bolt.write(lambda tx: tx.run(SET_COUNTS, rows=wrong).consume())
        self._bolt.write(lambda tx: tx.run(DROP_GENRES, keys=idle).consume())
        people = self._bolt.write(lambda tx: [row["key"] for row in tx.run(IDLE_PEOPLE)])
        for keys in batched(people, DELETED_AT_ONCE, strict=False):
            self._bolt.write(lambda tx, keys=keys: tx.run(DROP_PEOPLE, keys=list(keys)).consume())  # type: ignore[misc]

    def _write_viewers(self, viewers: Sequence[Viewer]) -> None:
        ids = sorted(viewer.id for viewer in viewers)
        viewings: Kept = {
            (viewer.id, each.title_id): (each.progress, text_of(each.at))
            for viewer in viewers
            for each in viewer.viewings
        }
        opinions: Kept = {
            (viewer.id, each.title_id): (each.rating, text_of(each.at))
            for viewer in viewers
            for each in viewer.opinions
        }

        def work(tx: ManagedTransaction) -> None:
            tx.run(MAKE_USERS, ids=ids).consume()
            tx.run(MAKE_TITLES, ids=sorted({title for _, title in (*viewings, *opinions)})).consume()
            had = _kept(tx, VIEWINGS_OF, ids)
            _drop(tx, DROP_VIEWINGS, had.keys() - viewings.keys())
            _put(tx, ADD_VIEWINGS, {edge: value for edge, value in viewings.items() if edge not in had})
            _put(tx, WRITE_VIEWINGS, {edge: value for edge, value in viewings.items() if had.get(edge, value) != value})
            thought = _kept(tx, OPINIONS_OF, ids)
            _drop(tx, DROP_OPINIONS, thought.keys() - opinions.keys())
            _put(tx, WRITE_OPINIONS, {edge: value for edge, value in opinions.items() if thought.get(edge) != value})

        self._bolt.write(work)


def _kept(tx: ManagedTransaction, text: str, ids: Sequence[str]) -> Kept:
    return {(row["user"], row["title"]): (row["value"], row["at"]) for row in tx.run(text, ids=ids)}


def _drop(tx: ManagedTransaction, text: str, edges: Iterable[tuple[str, str]]) -> None:
    for some in batched(sorted(edges), DELETED_AT_ONCE, strict=False):
        tx.run(text, edges=[{"user": user, "title": title} for user, title in some]).consume()


def _put(tx: ManagedTransaction, text: str, edges: Kept) -> None:
    rows = [
        {"user": user, "edges": [{"title": edge[1], "value": edges[edge][0], "at": edges[edge][1]} for edge in its]}
        for user, its in groupby(sorted(edges), key=lambda edge: edge[0])
    ]
    if rows:
        tx.run(text, users=rows).consume()


def _write_steps(tx: ManagedTransaction, rows: Sequence[tuple[str, Mapping[str, int]]]) -> None:
    ids = [title for title, _ in rows]
    had: dict[tuple[str, str], int] = {(row["id"], row["next"]): row["weight"] for row in tx.run(STEPS_OF, ids=ids)}
    wanted = {(start, end): weight for start, row in rows for end, weight in row.items()}
    gone = [_edge(step) for step in sorted(had.keys() - wanted.keys())]
    other = [
        _edge(step) | {"weight": weight} for step, weight in sorted(wanted.items()) if had.get(step, weight) != weight
    ]
    for some in batched(gone, DELETED_AT_ONCE, strict=False):
        tx.run(DROP_STEPS, edges=list(some)).consume()
    if other:
        tx.run(SET_STEPS, edges=other).consume()
    new = [
        {"from": start, "steps": fresh}
        for start, row in rows
        if (fresh := [{"to": end, "weight": weight} for end, weight in sorted(row.items()) if (start, end) not in had])
    ]
    if new:
        tx.run(ADD_STEPS, rows=new).consume()


def _edge(step: tuple[str, str]) -> dict[str, Any]:
    return {"from": step[0], "to": step[1]}
