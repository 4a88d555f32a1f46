"""Rebuilding the graph from the catalogue and usage, page by page; progress is stored after each page.

An interrupted rebuild continues from its cursor. A rebuild compares before it writes, so a correct graph is only read.
Messages keep updating the graph during a rebuild. The ids in the graph are therefore listed before the sources are
read, so that a node added in the meantime is not mistaken for a node whose source no longer exists.
"""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass, replace
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

from functions.recommendations import steps
from functions.recommendations.card_facts import FACTS_FORMAT
from functions.recommendations.rebuild_sources import graph_title

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from datetime import datetime

    from functions.catalogue.model import Title
    from functions.recommendations.model import ViewerHistory
    from functions.recommendations.ports import Graph, RebuildSources, RebuildStore

TITLES_A_PAGE = 500
VIEWERS_A_PAGE = 200
VIEWS_A_PART = 200_000
"""How many views are counted into steps at once; this takes about 200 MB of memory."""

STALE = timedelta(minutes=15)
"""A rebuild that has made no progress for this long is considered interrupted."""

MAX_AGE = timedelta(days=7)
"""The age at which the graph is rebuilt, which also reduces each title's steps to the strongest."""


class Phase(StrEnum):
    """The phase of a rebuild."""

    TITLES = "titles"
    VIEWERS = "viewers"
    STEPS = "steps"
    DONE = "done"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class RebuildProgress:
    """The progress of a rebuild: how much it has written, and the cursor from which it continues."""

    id: str
    started_at: datetime
    updated_at: datetime
    phase: Phase = Phase.TITLES
    cursor: str = ""
    titles_in_all: int = 0
    titles: int = 0
    viewers: int = 0
    views: int = 0
    steps: int = 0
    finished_at: datetime | None = None
    reason: str | None = None
    facts_format: int = 0

    @property
    def runs(self) -> bool:
        """Return whether the rebuild is neither done nor failed."""
        return self.phase not in (Phase.DONE, Phase.FAILED)


class Rebuild:
    """Rebuilds the graph; one rebuild runs at a time."""

    def __init__(
        self,
        graph: Graph,
        sources: RebuildSources,
        store: RebuildStore,
        *,
        enqueue: Callable[[str], None],
        now: Callable[[], datetime],
        make_id: Callable[[], str],
    ) -> None:
        self._graph = graph
        self._sources = sources
        self._store = store
        self._enqueue = enqueue
        self._now = now
        self._make_id = make_id

    def progress(self) -> RebuildProgress | None:
        """Return the latest rebuild, or None."""
        return self._store.progress()

    def start(self) -> RebuildProgress:
        """Start a rebuild and return it, or return the one that is already running."""
        now = self._now()
        last = self._store.progress()
        if last and last.runs and now - last.updated_at < STALE:
            return last
        if last and last.runs:  # an interrupted rebuild continues from its cursor
            begun = replace(last, updated_at=now)
        else:
            in_all = self._sources.count_titles()
            begun = RebuildProgress(self._make_id(), now, now, titles_in_all=in_all, facts_format=FACTS_FORMAT)
        self._store.save_progress(begun)
        self._enqueue(begun.id)
        return begun

    def start_if_due(self) -> bool:
        """Start a rebuild if there was none, if the last was interrupted, failed or is old, or if messages were lost.

        Also start one if the last rebuild wrote card facts in a lower format version.
        """
        last, now = self._store.progress(), self._now()
        if last and last.runs:
            due = now - last.updated_at >= STALE
        else:
            recent = last and last.finished_at and now - last.finished_at < MAX_AGE
            current = last and last.facts_format >= FACTS_FORMAT
            due = not recent or not current or self._store.lost_at() is not None
        if due:
            self.start()
        return due

    def advance(self, rebuild_id: str, *, within_s: float) -> bool:
        """Continue a rebuild for about `within_s` seconds; return whether it has ended or been replaced by another."""
        until = time.monotonic() + within_s
        progress = self._store.progress()
        while progress and progress.id == rebuild_id and progress.runs:
            if progress.phase is Phase.TITLES:
                progress = self._titles(progress)
            elif progress.phase is Phase.VIEWERS:
                progress = self._viewers(progress, until)
            else:
                progress = self._steps(progress)
            if progress.runs and time.monotonic() >= until:
                return False
        return True

    def fail(self, rebuild_id: str, reason: str) -> None:
        """Record that a rebuild cannot continue, and why."""
        progress = self._store.progress()
        if progress and progress.id == rebuild_id and progress.runs:
            self._save(replace(progress, phase=Phase.FAILED, reason=reason))

    def record_loss(self) -> None:
        """Record that a message to the graph was lost, so that a rebuild is due."""
        self._store.record_loss(self._now())

    def _titles(self, progress: RebuildProgress) -> RebuildProgress:
        """Write a page of titles; titles that are only in the graph are looked up one by one."""
        page = self._sources.titles(progress.cursor, TITLES_A_PAGE)
        last = len(page) < TITLES_A_PAGE
        cursor = page[-1].id if page else progress.cursor
        there = set(self._graph.title_ids(after=progress.cursor, until=None if last else cursor))
        self._write([title for title in page if title.listed or title.id in there])
        for title_id in sorted(there - {title.id for title in page}):
            if title := self._sources.find_title(title_id):
                self._write([title])
        return self._save(
            replace(
                progress,
                titles=progress.titles + len(page),
                cursor="" if last else cursor,
                phase=Phase.VIEWERS if last else Phase.TITLES,
            )
        )

    def _write(self, titles: Sequence[Title]) -> None:
        """Write titles; where the graph has a later revision, read the title again and overwrite the node with it."""
        for refused in self._graph.write_titles([graph_title(title) for title in titles]):
            if title := self._sources.find_title(refused):
                self._graph.write_titles([graph_title(title)], force=True)

    def _viewers(self, progress: RebuildProgress, until: float) -> RebuildProgress:
        """Write viewers until the time limit; viewers that are only in the graph are removed."""
        there = iter(self._graph.user_ids(after=progress.cursor, until=None))
        waiting = next(there, None)
        page: list[ViewerHistory] = []

        def write(cursor: str | None) -> RebuildProgress:
            nonlocal waiting
            known = {viewer.id for viewer in page}
            while waiting is not None and (cursor is None or waiting <= cursor):
                if waiting not in known:
                    self._graph.remove_viewer(waiting)
                waiting = next(there, None)
            self._graph.write_viewers([viewer for viewer in page if viewer.viewings or viewer.opinions])
            return self._save(
                replace(
                    progress,
                    viewers=progress.viewers + len(page),
                    views=progress.views + sum(len(viewer.viewings) for viewer in page),
                    cursor=cursor or "",
                    phase=Phase.VIEWERS if cursor else Phase.STEPS,
                )
            )

        for viewer in self._sources.viewers(progress.cursor):
            page.append(viewer)
            if len(page) == VIEWERS_A_PAGE:
                progress = write(viewer.id)
                page.clear()
                if time.monotonic() >= until:
                    return progress
        return write(None)

    def _steps(self, progress: RebuildProgress) -> RebuildProgress:
        """Count steps and popularity from the viewings in the graph, and write the differences."""
        names: dict[str, str] = {}
        histories: list[list[tuple[str, datetime]]] = []
        views: Counter[str] = Counter()
        heats: dict[str, float] = {}
        for _, history in self._graph.histories():
            histories.append([(names.setdefault(title, title), at) for title, at in history])
            for title, at in history:
                views[title] += 1
                heats[title] = heats.get(title, 0.0) + steps.heat(at)
        self._graph.write_popularity({title: (count, heats[title]) for title, count in views.items()})
        written = 0
        for part in _parts(self._graph.title_ids(after="", until=None), views):
            rows = steps.rows(histories, views, frozenset(part))
            self._graph.write_steps((title, rows.get(title, {})) for title in part)
            written += sum(map(len, rows.values()))
            progress = self._save(replace(progress, steps=written))
        self._graph.tidy()
        self._store.clear_loss(progress.started_at)
        return self._save(replace(progress, phase=Phase.DONE, finished_at=self._now()))

    def _save(self, progress: RebuildProgress) -> RebuildProgress:
        saved = replace(progress, updated_at=self._now())
        self._store.save_progress(saved)
        return saved


def _parts(titles: Sequence[str], views: Counter[str]) -> Iterator[list[str]]:
    """Split the titles into parts with a bounded number of views."""
    part: list[str] = []
    size = 0
    for title in titles:
        part.append(title)
        size += views[title]
        if size >= VIEWS_A_PART:
            yield part
            part, size = [], 0
    if part:
        yield part
