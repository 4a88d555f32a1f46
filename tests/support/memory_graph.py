"""The graph in memory: it satisfies the same contract as the graph over Bolt, and stores the same data."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from functions.recommendations import steps
from functions.recommendations.graph_queries import ACTING, GENRE_TITLES, NEXT_WEIGHT, _likeness
from functions.recommendations.graph_writer import in_order, text_of
from functions.recommendations.model import DECAY, DISLIKED, RECENT, Candidate, Reason, ReasonKind, Role, Watched
from functions.recommendations.steps import DAMPING, ONE, POWER, SHRINKAGE, SIGNIFICANT

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    from functions.catalogue.schemas import Card
    from functions.recommendations.model import GraphTitle, Opinion, ViewerHistory, Viewing


@dataclass
class TitleNode:
    """A title; it has no facts if the graph knows it only from viewers."""

    revision: int = 0
    listed: bool = False
    watchable: bool = False
    card: Card | None = None
    added: str = ""
    genres: tuple[str, ...] = ()
    views: int = 0
    heat: float = 0.0

    @property
    def damped(self) -> float:
        """Return by how much the views of the title weaken its steps."""
        return float((self.views + SHRINKAGE) ** DAMPING)


@dataclass
class GenreNode:
    """A genre, and the number of its titles at the last count."""

    name: str
    titles: int = 0

    @property
    def say(self) -> float:
        """Return the weight of the genre."""
        return 1.0 / (1 + math.log(max(1, self.titles)))


@dataclass
class ViewerNode:
    """A viewer's viewings (progress and time) and ratings (thumb and time), by title."""

    watched: dict[str, tuple[float, str]] = field(default_factory=dict)
    rated: dict[str, tuple[int, str]] = field(default_factory=dict)


class MemoryGraph:
    """Nodes and relationships in dictionaries."""

    def __init__(self) -> None:
        self.titles: defaultdict[str, TitleNode] = defaultdict(TitleNode)
        self.genres: dict[str, GenreNode] = {}
        self.people: dict[str, str] = {}
        self.credits: set[tuple[Role, str, str]] = set()
        self.viewers: defaultdict[str, ViewerNode] = defaultdict(ViewerNode)
        self.steps: dict[tuple[str, str], int] = {}

    # Writing

    def write_titles(self, titles: Sequence[GraphTitle], *, force: bool = False) -> list[str]:
        refused = [title.id for title in titles if not force and self.titles[title.id].revision > title.revision]
        for title in titles:
            if title.id not in refused:
                self._write_title(title, count=len(titles) == 1)
        return refused

    def title_ids(self, *, after: str, until: str | None) -> list[str]:
        return _between(self.titles, after, until)

    def user_ids(self, *, after: str, until: str | None) -> list[str]:
        return _between(self.viewers, after, until)

    def viewed_titles(self, user_id: str) -> list[str]:
        return sorted(self.viewers[user_id].watched) if user_id in self.viewers else []

    def record_viewing(self, user_id: str, viewing: Viewing) -> None:
        viewer, at = self.viewers[user_id], text_of(viewing.at)
        if viewer.watched.get(viewing.title_id, (0.0, ""))[1] >= at:
            return
        _ = self.titles[viewing.title_id]
        before = _times(viewer)
        viewer.watched[viewing.title_id] = (viewing.progress, at)
        self._update_derived(before, _times(viewer))

    def record_opinion(self, user_id: str, opinion: Opinion) -> None:
        viewer = self.viewers[user_id]
        if opinion.rating:
            _ = self.titles[opinion.title_id]
            viewer.rated[opinion.title_id] = (opinion.rating, text_of(opinion.at))
        else:
            viewer.rated.pop(opinion.title_id, None)
            self._drop_idle(user_id)

    def remove_viewings(self, user_id: str, title_id: str | None) -> None:
        viewer = self.viewers[user_id]
        before = _times(viewer)
        viewer.watched = {title: seen for title, seen in viewer.watched.items() if title_id not in (None, title)}
        self._update_derived(before, _times(viewer))
        self._drop_idle(user_id)

    def remove_viewer(self, user_id: str) -> None:
        self.remove_viewings(user_id, None)
        self.viewers.pop(user_id, None)

    def write_viewers(self, viewers: Sequence[ViewerHistory]) -> None:
        for viewer in viewers:
            watched = {each.title_id: (each.progress, text_of(each.at)) for each in viewer.viewings}
            rated = {each.title_id: (each.rating, text_of(each.at)) for each in viewer.opinions}
            for title in (*watched, *rated):
                _ = self.titles[title]
            self.viewers[viewer.id] = ViewerNode(watched, rated)

    def histories(self) -> Iterator[tuple[str, list[tuple[str, datetime]]]]:
        for user_id in sorted(self.viewers):
            if watched := in_order(_times(self.viewers[user_id])):
                yield user_id, [(title, datetime.fromisoformat(at)) for title, at in watched]

    def write_steps(self, rows: Iterable[tuple[str, Mapping[str, int]]]) -> None:
        for start, row in rows:
            self.steps = {step: weight for step, weight in self.steps.items() if step[0] != start}
            self.steps |= {(start, end): weight for end, weight in row.items() if end in self.titles}

    def write_popularity(self, counts: Mapping[str, tuple[int, float]]) -> None:
        for title_id, node in self.titles.items():
            node.views, node.heat = counts.get(title_id, (0, 0.0))

    def tidy(self) -> None:
        self._count_genres(self.genres)
        self.genres = {key: genre for key, genre in self.genres.items() if self._titles_in(key)}
        credited = {key for _, key, _ in self.credits}
        self.people = {key: name for key, name in self.people.items() if key in credited}

    # Queries

    def history(self, user_id: str) -> list[Watched]:
        viewer = self.viewers.get(user_id, ViewerNode())
        latest = sorted(_times(viewer).items(), key=lambda seen: (seen[1], seen[0]), reverse=True)
        return [
            Watched(title, self._name(title), self.titles[title].listed, viewer.rated.get(title, (0, ""))[0])
            for title, _ in latest
        ]

    def next_for(self, history: Sequence[Watched], *, limit: int) -> list[Candidate]:
        parts: defaultdict[str, list[tuple[float, int]]] = defaultdict(list)
        for place, seen in enumerate(history[:RECENT]):
            say = DECAY**place * (DISLIKED if seen.rating < 0 else 1.0)
            for (start, end), weight in self.steps.items():
                if start == seen.id and self.titles[end].watchable:
                    parts[end].append((say / self.titles[start].damped * (weight / ONE) ** POWER, place))
        scores = {title: sum(part for part, _ in own) / self.titles[title].damped for title, own in parts.items()}
        best = sorted(scores, key=lambda title: (-scores[title], title))[: limit + len(history)]
        without = {each.id for each in history}
        return [
            self._candidate(title, Reason(ReasonKind.WATCHED_NEXT, f"Because you watched {history[place].name}"))
            for title in best
            if title not in without
            for _, place in [max(parts[title])]
        ][:limit]

    def similar(self, title_id: str, *, without: Collection[str], watchable: bool, limit: int) -> list[Candidate]:
        node = self.titles.get(title_id)
        if node is None or not node.listed:
            return []
        genres = sorted(node.genres, key=lambda key: (self.genres[key].titles, key))
        parts = self._likenesses(title_id, node, genres)
        found = {}
        for title, own in parts.items():
            other = self.titles[title]
            if other.listed and (other.watchable or not watchable):
                both = [self.genres[key] for key in genres if key in other.genres]
                score = sum(part for part, *_ in own) + sum(genre.say for genre in both)
                found[title] = (score, own, [{"name": genre.name, "say": genre.say} for genre in both])
        ranked = sorted(sorted(found), key=lambda title: (found[title][0], self.titles[title].added), reverse=True)
        return [
            self._candidate(title, _likeness(found[title][1], found[title][2]))
            for title in ranked[: limit + len(without)]
            if found[title][0] > 0 and title not in without
        ][:limit]

    def count_titles(self) -> int:
        return len(self.titles)

    def popular(self, *, limit: int) -> list[Candidate]:
        heats = {title: node.heat for title, node in self.titles.items() if node.watchable and node.heat > 0}
        best = sorted(heats, key=lambda title: (-heats[title], title))[:limit]
        return [self._candidate(title, Reason(ReasonKind.POPULAR, "Popular now")) for title in best]

    # Parts

    def _write_title(self, title: GraphTitle, *, count: bool) -> None:
        node = self.titles[title.id]
        old = set(node.genres)
        node.revision, node.listed, node.watchable = title.revision, title.listed, title.watchable
        node.card, node.added, node.genres = title.card, title.added, tuple(key for key, _ in title.genres)
        for key, name in title.genres:
            self.genres.setdefault(key, GenreNode(name))
        if count:
            self._count_genres(old ^ set(node.genres))
        for credit in title.credits:
            self.people.setdefault(credit.key, credit.name)
        self.credits = {each for each in self.credits if each[2] != title.id}
        self.credits |= {(credit.role, credit.key, title.id) for credit in title.credits}

    def _titles_in(self, genre: str) -> list[str]:
        return [title for title, node in self.titles.items() if genre in node.genres]

    def _count_genres(self, keys: Iterable[str]) -> None:
        for key in keys:
            if number := len(self._titles_in(key)):
                self.genres[key].titles = number

    def _drop_idle(self, user_id: str) -> None:
        viewer = self.viewers[user_id]
        if not viewer.watched and not viewer.rated:
            del self.viewers[user_id]

    def _update_derived(self, before: Mapping[str, str], after: Mapping[str, str]) -> None:
        for history, sign in ((before, -1), (after, 1)):
            for title, at in history.items():
                if before.get(title) != after.get(title):
                    self.titles[title].views += sign
                    self.titles[title].heat += sign * steps.heat(datetime.fromisoformat(at))
        for step, (old, weight) in steps.difference(in_order(before), in_order(after)).items():
            if weight >= SIGNIFICANT:
                self.steps[step] = self.steps[step] + weight - old if step in self.steps else weight
            elif step in self.steps:
                self.steps[step] += weight - old
                if self.steps[step] < SIGNIFICANT:
                    del self.steps[step]

    def _likenesses(
        self, title_id: str, node: TitleNode, genres: Sequence[str]
    ) -> dict[str, list[tuple[float, str, bool, str]]]:
        """Return why each other title is similar: weight, kind, whether the role is the same, and the shared name."""
        parts: defaultdict[str, list[tuple[float, str, bool, str]]] = defaultdict(list)
        roles: defaultdict[str, set[Role]] = defaultdict(set)
        for role, key, title in self.credits:
            if title == title_id:
                roles[key].add(role)
        numbers = Counter(key for _, key, _ in self.credits)
        for role, key, title in self.credits:
            if key in roles and title != title_id:
                part = 1.0 / (1 + math.log(numbers[key])) * (ACTING if role is Role.ACTED_IN else 1.0)
                parts[title].append((part, role.value, role in roles[key], self.people[key]))
        for (start, end), weight in self.steps.items():
            if start == title_id:
                part = NEXT_WEIGHT * (weight / ONE) ** POWER / (node.damped * self.titles[end].damped)
                parts[end].append((part, "WATCHED_NEXT", True, self._name(title_id)))
        for title in self._titles_in(genres[0])[:GENRE_TITLES] if genres else ():
            if title != title_id:
                parts[title].append((0.0, "IN_GENRE", True, ""))
        return parts

    def _name(self, title_id: str) -> str:
        card = self.titles[title_id].card
        return card.name if card else ""

    def _candidate(self, title_id: str, reason: Reason) -> Candidate:
        return Candidate(title_id, reason, self.titles[title_id].card)


def _times(viewer: ViewerNode) -> dict[str, str]:
    return {title: at for title, (_, at) in viewer.watched.items()}


def _between(ids: Iterable[str], after: str, until: str | None) -> list[str]:
    return sorted(each for each in ids if each > after and (until is None or each <= until))
