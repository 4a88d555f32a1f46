"""Rebuilding the graph from the catalogue and usage, page by page; progress is stored after each page.

An interrupted rebuild continues from its cursor. A rebuild compares before it writes, so a correct graph is only read.
Messages keep updating the graph during a rebuild. The ids in the graph are therefore listed before the sources are
read, so that a node added in the meantime is not mistaken for a node whose source no longer exists. A message may also
write something newer about a viewer between the reading and the writing of a page. Such messages are recorded in a
journal before they write, and the rebuild reads these viewers again (docs/decisions/0049).
"""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass, replace
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

from functions.platform.errors import StoreUnavailable
from functions.recommendations import steps
from functions.recommendations.card_facts import FACTS_FORMAT
from functions.recommendations.rebuild_sources import graph_title

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Sequence
    from datetime import datetime

    from functions.catalogue.model import Title
    from functions.recommendations.model import ViewerHistory
    from functions.recommendations.ports import Graph, RebuildSources, RebuildStore

TITLES_A_PAGE = 500
VIEWERS_A_PAGE = 200
VIEWS_A_PART = 200_000
"""How many views are turned into step counts at a time; this takes about 200 MB of memory."""

ATTEMPTS = 10
"""How many times viewers are written again if they have changed in the meantime."""

STALE = timedelta(minutes=15)
"""A rebuild that has made no progress for this long is considered interrupted."""

MAX_AGE = timedelta(days=7)
"""The graph is rebuilt at this age; a rebuild also keeps only the strongest steps of each title."""


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


class _OvertakenError(Exception):
    """Another process has continued or ended the rebuild."""


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
            if last:
                self._store.clear_changes(last.id)  # what its end, or a message that was handled late, has left
        if not self._store.save_progress(begun, over=last):  # another process was faster
            return self._store.progress() or begun
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
        """Continue a rebuild for about `within_s` seconds.

        Return whether there is nothing left to do: the rebuild has ended, was replaced, or is continued by another
        process. What this process wrote last may then be out of date, so another rebuild becomes due.
        """
        until = time.monotonic() + within_s
        progress = self._store.progress()
        try:
            while progress and progress.id == rebuild_id and progress.runs:
                if progress.phase is Phase.TITLES:
                    progress = self._titles(progress)
                elif progress.phase is Phase.VIEWERS:
                    progress = self._viewers(progress, until)
                else:
                    progress = self._steps(progress)
                if progress.runs and time.monotonic() >= until:
                    return False
        except _OvertakenError:
            self.record_loss()
        return True

    def fail(self, rebuild_id: str, reason: str) -> None:
        """Record that a rebuild cannot continue, and why."""
        progress = self._store.progress()
        if progress and progress.id == rebuild_id and progress.runs:
            failed = replace(progress, phase=Phase.FAILED, reason=reason, updated_at=self._now())
            if self._store.save_progress(failed, over=progress):
                self._store.clear_changes(rebuild_id)

    def record_loss(self) -> None:
        """Record that a message to the graph was lost, or may have been overwritten, so that a rebuild is due."""
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
            ),
            over=progress,
        )

    def _write(self, titles: Sequence[Title]) -> None:
        """Write titles; where the graph has a later revision, read the title again and overwrite the node with it."""
        for refused in self._graph.write_titles([graph_title(title) for title in titles]):
            title = self._sources.find_title(refused)
            while title:
                self._graph.write_titles([graph_title(title)], force=True)
                current = self._sources.find_title(refused)
                title = current if current and current.revision != title.revision else None

    def _viewers(self, progress: RebuildProgress, until: float) -> RebuildProgress:
        """Write viewers until the time limit; viewers that are only in the graph are removed."""
        there = iter(self._graph.user_ids(after=progress.cursor, until=None))
        waiting = next(there, None)
        page: list[ViewerHistory] = []

        def write(cursor: str | None) -> RebuildProgress:
            nonlocal waiting
            only_there: set[str] = set()
            while waiting is not None and (cursor is None or waiting <= cursor):
                only_there.add(waiting)
                waiting = next(there, None)
            self._write_viewers(page, only_there, progress, until=cursor)
            return self._save(
                replace(
                    progress,
                    viewers=progress.viewers + len(page),
                    views=progress.views + sum(len(viewer.viewings) for viewer in page),
                    cursor=cursor or "",
                    phase=Phase.VIEWERS if cursor else Phase.STEPS,
                ),
                over=progress,
            )

        for viewer in self._sources.viewers(progress.cursor):
            page.append(viewer)
            if len(page) == VIEWERS_A_PAGE:
                progress = write(viewer.id)
                page.clear()
                if time.monotonic() >= until:
                    return progress
        return write(None)

    def _write_viewers(
        self, page: Sequence[ViewerHistory], there: Collection[str], progress: RebuildProgress, *, until: str | None
    ) -> None:
        """Write a page of viewers, the last of whom is `until`, and remove those in `there` that usage does not have.

        Repeat this for those who have changed since they were read. At first, these are all who have changed since the
        rebuild began, because nothing records when the page was read. If another process has ended the rebuild, the
        journal is incomplete, and the progress can no longer be saved. Raises StoreUnavailable if viewers never stop
        changing.
        """
        histories: dict[str, ViewerHistory | None] = {**dict.fromkeys(there), **{each.id: each for each in page}}
        known: dict[str, int] = {}
        for _ in range(ATTEMPTS):
            for user_id in sorted(each for each, history in histories.items() if history is None):
                self._graph.remove_viewer(user_id)
            self._graph.write_viewers([history for history in histories.values() if history])
            counts = self._store.changes(progress.id, after=progress.cursor, until=until)
            changed = sorted(user_id for user_id, count in counts.items() if count != known.get(user_id))
            if not changed:
                return
            known = counts
            histories = {user_id: self._sources.find_viewer(user_id) for user_id in changed}
        raise StoreUnavailable("Viewers change faster than a rebuild can write them; it continues later.")

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
            progress = self._save(replace(progress, steps=written), over=progress)
        self._graph.tidy()
        self._store.clear_loss(progress.started_at)
        done = self._save(replace(progress, phase=Phase.DONE, finished_at=self._now()), over=progress)
        self._store.clear_changes(done.id)
        return done

    def _save(self, progress: RebuildProgress, *, over: RebuildProgress) -> RebuildProgress:
        """Store the progress. Raises _OvertakenError if the stored one is no longer `over`, from which it continued."""
        saved = replace(progress, updated_at=self._now())
        if not self._store.save_progress(saved, over=over):
            raise _OvertakenError
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
