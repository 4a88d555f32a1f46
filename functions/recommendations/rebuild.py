"""Making the graph anew from the catalogue and from usage, page by page, each page kept as done before the next.

A rebuild may be broken off anywhere and goes on from its cursor. It compares before it writes, so over a graph that is
right it only reads. What happens meanwhile is written by messages as ever: the graph's own ids are listed before the
truth is read, so nothing that is newer than a page is taken for a leftover.
"""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass, replace
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

from functions.recommendations import steps
from functions.recommendations.rebuild_sources import graph_title

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from datetime import datetime

    from functions.catalogue.model import Title
    from functions.recommendations.model import Graph, Viewer

TITLES_A_PAGE = 500
VIEWERS_A_PAGE = 200
VIEWS_A_PART = 200_000
"""The steps of so many views are counted at once: some 200 MB."""

STALE = timedelta(minutes=15)
"""A rebuild of which so long nothing was heard does not run any more."""

MAX_AGE = timedelta(days=7)
"""So old a graph is made anew: the steps of its titles are then cut to the strongest again."""


class Phase(StrEnum):
    """Where a rebuild stands."""

    TITLES = "titles"
    VIEWERS = "viewers"
    STEPS = "steps"
    DONE = "done"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a rebuild is: what it has done of each kind, of how many titles, and where it goes on."""

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

    @property
    def runs(self) -> bool:
        """Say whether it is neither done nor failed."""
        return self.phase not in (Phase.DONE, Phase.FAILED)


class Records(Protocol):
    """Where the progress of the latest rebuild is kept, and whether messages to the graph were lost."""

    def progress(self) -> Progress | None:
        """Return the latest rebuild, or None."""

    def keep(self, progress: Progress) -> None:
        """Keep the progress."""

    def lost_at(self) -> datetime | None:
        """Return when a message was lost last that no rebuild has made up for."""

    def note_loss(self, at: datetime) -> None:
        """Keep that a message was lost."""

    def clear_loss(self, before: datetime) -> None:
        """Forget losses from before a time."""


class Sources(Protocol):
    """The truth that the graph is made from."""

    def titles(self, after: str, limit: int) -> list[Title]:
        """Return titles by id from above one on, withdrawn ones too."""

    def count_titles(self) -> int:
        """Return about how many titles there are."""

    def find(self, title_id: str) -> Title | None:
        """Return a title, withdrawn or not; None if there never was one."""

    def viewers(self, after: str) -> Iterator[Viewer]:
        """Yield viewers by id from above one on."""


class Rebuild:
    """The rebuilds, of which one runs at a time."""

    def __init__(
        self,
        graph: Graph,
        sources: Sources,
        records: Records,
        *,
        enqueue: Callable[[str], None],
        now: Callable[[], datetime],
        make_id: Callable[[], str],
    ) -> None:
        self._graph = graph
        self._sources = sources
        self._records = records
        self._enqueue = enqueue
        self._now = now
        self._make_id = make_id

    def progress(self) -> Progress | None:
        """Return how far the latest rebuild is, None if there never was one."""
        return self._records.progress()

    def start(self) -> Progress:
        """Begin a rebuild and return it; where one runs already, return that."""
        now = self._now()
        last = self._records.progress()
        if last and last.runs and now - last.updated_at < STALE:
            return last
        if last and last.runs:  # it was broken off: it goes on from where it was
            begun = replace(last, updated_at=now)
        else:
            begun = Progress(self._make_id(), now, now, titles_in_all=self._sources.count_titles())
        self._records.keep(begun)
        self._enqueue(begun.id)
        return begun

    def start_if_due(self) -> bool:
        """Begin a rebuild if there never was one, the last was broken off, failed or is old, or messages were lost."""
        last, now = self._records.progress(), self._now()
        if last and last.runs:
            due = now - last.updated_at >= STALE
        else:
            recent = last and last.finished_at and now - last.finished_at < MAX_AGE
            due = not recent or self._records.lost_at() is not None
        if due:
            self.start()
        return due

    def advance(self, rebuild_id: str, *, within_s: float) -> bool:
        """Go on with a rebuild for about so long; return whether it is over, or another has taken its place."""
        until = time.monotonic() + within_s
        progress = self._records.progress()
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
        """Say that a rebuild cannot go on, and why."""
        progress = self._records.progress()
        if progress and progress.id == rebuild_id and progress.runs:
            self._keep(replace(progress, phase=Phase.FAILED, reason=reason))

    def note_loss(self) -> None:
        """Say that a message to the graph was lost, so that a rebuild is due."""
        self._records.note_loss(self._now())

    def _titles(self, progress: Progress) -> Progress:
        """Write a page of titles; those that only the graph has are looked up one by one."""
        page = self._sources.titles(progress.cursor, TITLES_A_PAGE)
        last = len(page) < TITLES_A_PAGE
        cursor = page[-1].id if page else progress.cursor
        there = set(self._graph.title_ids(after=progress.cursor, until=None if last else cursor))
        self._write([title for title in page if title.listed or title.id in there])
        for title_id in sorted(there - {title.id for title in page}):
            if title := self._sources.find(title_id):
                self._write([title])
        return self._keep(
            replace(
                progress,
                titles=progress.titles + len(page),
                cursor="" if last else cursor,
                phase=Phase.VIEWERS if last else Phase.TITLES,
            )
        )

    def _write(self, titles: Sequence[Title]) -> None:
        """Write titles; one of which the graph has a later revision than was read is read again and written surely."""
        for refused in self._graph.write_titles([graph_title(title) for title in titles]):
            if title := self._sources.find(refused):
                self._graph.write_titles([graph_title(title)], force=True)

    def _viewers(self, progress: Progress, until: float) -> Progress:
        """Write viewers until the time is over; those that only the graph has are forgotten."""
        there = iter(self._graph.user_ids(after=progress.cursor, until=None))
        waiting = next(there, None)
        page: list[Viewer] = []

        def write(cursor: str | None) -> Progress:
            nonlocal waiting
            known = {viewer.id for viewer in page}
            while waiting is not None and (cursor is None or waiting <= cursor):
                if waiting not in known:
                    self._graph.remove_viewer(waiting)
                waiting = next(there, None)
            self._graph.write_viewers([viewer for viewer in page if viewer.viewings or viewer.opinions])
            return self._keep(
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

    def _steps(self, progress: Progress) -> Progress:
        """Count steps and popularity from the graph's own views, and write what differs."""
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
            progress = self._keep(replace(progress, steps=written))
        self._graph.tidy()
        self._records.clear_loss(progress.started_at)
        return self._keep(replace(progress, phase=Phase.DONE, finished_at=self._now()))

    def _keep(self, progress: Progress) -> Progress:
        kept = replace(progress, updated_at=self._now())
        self._records.keep(kept)
        return kept


def _parts(titles: Sequence[str], views: Counter[str]) -> Iterator[list[str]]:
    """Cut the titles into parts of a bounded number of views."""
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
