"""The graph queries for shelves: one query per shelf; each result includes the reason for recommending it.

The fewer titles share a relation, the more it weighs: a person or genre with n titles weighs 1/(1 + ln n), so a writer
of three films weighs 0.48, and a genre with a thousand films weighs 0.13. A step that every viewer takes would weigh 3;
a step that a tenth of them take weighs about 0.5.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from functions.recommendations.card_facts import card_of, columns
from functions.recommendations.model import DECAY, DISLIKED, RECENT, Candidate, Reason, ReasonKind, Watched
from functions.recommendations.steps import DAMPING, ONE, POWER, SHRINKAGE

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from functions.recommendations.bolt import Bolt, Row

ACTING = 0.8
NEXT_WEIGHT = 3.0
GENRE_TITLES = 100
"""How many titles of the rarest genre are considered, in addition to titles that share people or viewers."""

COUNT = "MATCH (t:Title) RETURN count(t) AS titles"

HISTORY = """
MATCH (u:User {id: $user})-[w:WATCHED]->(t:Title)
OPTIONAL MATCH (u)-[r:RATED]->(t)
RETURN t.id AS id, coalesce(t.name, '') AS name, coalesce(t.listed, false) AS listed, coalesce(r.rating, 0) AS rating
ORDER BY w.at DESC, t.id DESC
"""

NEXT = f"""
UNWIND $recent AS r
MATCH (seen:Title {{id: r.id}})
WITH r, seen, r.say / (coalesce(seen.views, 0) + {SHRINKAGE}) ^ {DAMPING} AS say
MATCH (seen)-[n:WATCHED_NEXT]->(t:Title)
WITH t, say * (n.weight / {ONE}.0) ^ {POWER} AS part, r.place AS place
WITH t, sum(part) AS score, collect([part, place]) AS parts
WHERE t.watchable
WITH t, score / (coalesce(t.views, 0) + {SHRINKAGE}) ^ {DAMPING} AS score, parts
ORDER BY score DESC, t.id LIMIT $enough
WITH t, score, parts WHERE NOT t.id IN $without
WITH t, score, parts ORDER BY score DESC, t.id LIMIT $limit
RETURN {columns("t")}, reduce(best = parts[0], p IN parts | CASE WHEN p[0] > best[0] THEN p ELSE best END)[1] AS place
"""

SIMILAR = f"""
MATCH (t:Title {{id: $id}}) WHERE t.listed
OPTIONAL MATCH (t)-[:IN_GENRE]->(g:Genre)
WITH t, g ORDER BY coalesce(g.titles, 1), g.key
WITH t, collect({{key: g.key, name: g.name, say: 1.0 / (1 + log(coalesce(g.titles, 1)))}}) AS genres
CALL (t) {{
  MATCH (t)<-[r:DIRECTED|WROTE|ACTED_IN]-(p:Person)
  WITH t, p, collect(type(r)) AS roles
  MATCH (p)-[s:DIRECTED|WROTE|ACTED_IN]->(c:Title)
  WITH t, p, roles, collect([c, type(s)]) AS found
  UNWIND found AS f
  WITH t, f[0] AS c, f[1] AS kind, f[1] IN roles AS same, p.name AS via, 1.0 / (1 + log(size(found))) AS part
  WHERE c.id <> t.id
  RETURN c, CASE WHEN kind = 'ACTED_IN' THEN part * {ACTING} ELSE part END AS part, kind, same, via
UNION ALL
  MATCH (t)-[n:WATCHED_NEXT]->(c:Title)
  RETURN c, {NEXT_WEIGHT} * (n.weight / {ONE}.0) ^ {POWER}
    / ((coalesce(t.views, 0) + {SHRINKAGE}) * (coalesce(c.views, 0) + {SHRINKAGE})) ^ {DAMPING} AS part,
    'WATCHED_NEXT' AS kind, true AS same, t.name AS via
UNION ALL
  MATCH (t)-[:IN_GENRE]->(g:Genre)
  WITH t, g ORDER BY coalesce(g.titles, 1), g.key LIMIT 1
  MATCH (g)<-[:IN_GENRE]-(c:Title)
  WITH t, c LIMIT {GENRE_TITLES}
  WHERE c.id <> t.id
  RETURN c, 0.0 AS part, 'IN_GENRE' AS kind, true AS same, '' AS via
}}
WITH genres, c, sum(part) AS score, collect([part, kind, same, via]) AS parts
WHERE c.listed AND (c.watchable OR NOT $watchable)
WITH c, parts, score, [g IN genres WHERE g.key IN c.genres] AS shared
WITH c, parts, shared, score + reduce(said = 0.0, g IN shared | said + g.say) AS score
WITH c, parts, shared, score ORDER BY score DESC, c.added DESC, c.id LIMIT $enough
WITH c, parts, shared, score WHERE score > 0 AND NOT c.id IN $without
WITH c, parts, shared, score ORDER BY score DESC, c.added DESC, c.id LIMIT $limit
RETURN {columns("c")}, parts, shared
"""

POPULAR = f"""
MATCH (t:Title) WHERE t.watchable AND t.heat > 0
RETURN {columns("t")} ORDER BY t.heat DESC, t.id LIMIT $limit
"""

_WORDS = {
    ReasonKind.DIRECTED: ("Also directed by {}", "Directed by {}"),
    ReasonKind.WROTE: ("Also written by {}", "Written by {}"),
    ReasonKind.ACTED_IN: ("Also with {}", "With {}"),
    ReasonKind.WATCHED_NEXT: ("Also watched by viewers of {}",) * 2,
}
"""The wording for a person with the same role in both titles, and for a person with another role in this title."""


class GraphQueries:
    """Queries the graph over Bolt."""

    def __init__(self, bolt: Bolt) -> None:
        self._bolt = bolt

    def history(self, user_id: str) -> list[Watched]:
        return [Watched(**row) for row in self._bolt.read(lambda ask: ask(HISTORY, user=user_id))]

    def next_for(self, history: Sequence[Watched], *, limit: int) -> list[Candidate]:
        recent = [
            {"id": each.id, "place": place, "say": DECAY**place * (DISLIKED if each.rating < 0 else 1.0)}
            for place, each in enumerate(history[:RECENT])
        ]
        rows = self._few(NEXT, [each.id for each in history], limit, recent=recent)
        return [
            _candidate(row, Reason(ReasonKind.WATCHED_NEXT, f"Because you watched {history[row['place']].name}"))
            for row in rows
        ]

    def similar(self, title_id: str, *, without: Collection[str], watchable: bool, limit: int) -> list[Candidate]:
        rows = self._few(SIMILAR, without, limit, id=title_id, watchable=watchable)
        return [_candidate(row, _likeness(row["parts"], row["shared"])) for row in rows]

    def popular(self, *, limit: int) -> list[Candidate]:
        rows = self._bolt.read(lambda ask: ask(POPULAR, limit=limit))
        return [_candidate(row, Reason(ReasonKind.POPULAR, "Popular now")) for row in rows]

    def count_titles(self) -> int:
        (row,) = self._bolt.read(lambda ask: ask(COUNT))
        return int(row["titles"])

    def _few(self, text: str, without: Collection[str], limit: int, **parameters: object) -> list[Row]:
        """Run a query that selects the best titles, with enough spare ones to make up for those in `without`."""
        enough = limit + len(without)
        given = {"without": list(without), "enough": enough, "limit": limit, **parameters}
        return self._bolt.read(lambda ask: ask(text, **given))


def _candidate(row: Mapping[str, Any], reason: Reason) -> Candidate:
    return Candidate(row["id"], reason, card_of(row))


def _likeness(parts: Sequence[Sequence[Any]], shared: Sequence[Mapping[str, Any]]) -> Reason:
    """Return the reason with the highest weight: a person or a step, otherwise the rarest shared genre."""
    part, kind, same, via = max(parts, key=lambda each: (each[0], each[1], each[3]))
    if part > 0 and (not shared or part >= shared[0]["say"]):
        as_both, as_other = _WORDS[ReasonKind(kind.lower())]
        return Reason(ReasonKind(kind.lower()), (as_both if same else as_other).format(via))
    return Reason(ReasonKind.GENRE, f"Also {shared[0]['name']}")
