"""Publishing: the static JSON files that the site reads, written from the store.

A title's document is the outbox. A publicly visible change marks the title as unpublished in the same write; once the
files show the change, the mark is removed. Each run publishes every title that waits, so a lost request is repaired by
the next request or by the timer. The document also records the format version in which the title's page was written.
When that version is increased, or when the owner requests it, pages in an older version are written again.

The version of each file is read before the store is read, and the file is written only if it still has that version. If
two publishers run concurrently, the slower one starts over, so an older list never replaces a newer one.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from functions.catalogue.lists import Likeness, home_page
from functions.catalogue.model import Status
from functions.catalogue.schemas import CATALOGUE_FORMAT
from functions.catalogue.site import NO_CACHE
from functions.catalogue.static_files import PublishedTitle, SearchList
from functions.platform.json_text import to_json

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from functions.catalogue.model import Title
    from functions.catalogue.ports import FileVersion, SiteFiles, TitleStore

BATCH = 500
HOME = "catalogue/home.json"
SEARCH = "catalogue/search.json"
RUN_S = 120.0


@dataclass(frozen=True, slots=True)
class Publication:
    """The result of a run: the number of titles published, and whether none is left."""

    published: int
    complete: bool


class CataloguePublisher:
    """Writes the static catalogue.

    `announce` requests another run. `notify_graph` is called with the id of each changed title, before the title is
    marked as published.
    """

    def __init__(
        self,
        titles: TitleStore,
        site: SiteFiles,
        now: Callable[[], datetime],
        *,
        announce: Callable[[], None],
        notify_graph: Callable[[str], None],
        page_format: int = CATALOGUE_FORMAT,
    ) -> None:
        self._titles = titles
        self._site = site
        self._now = now
        self._announce = announce
        self._notify_graph = notify_graph
        self._format = page_format

    def publish(self, *, within_s: float = RUN_S) -> Publication:
        """Publish the titles that wait, changed ones first; request another run if `within_s` is not enough."""
        until = time.monotonic() + within_s
        published = 0
        while waiting := self._titles.unpublished(limit=BATCH):
            published += self._publish_changed(waiting)
            if time.monotonic() >= until:
                return self._unfinished(published)
        if not published and self._lists_are_outdated():
            self._publish_lists()
        while outdated := self._titles.outdated(page_format=self._format, limit=BATCH):
            published += self._publish_outdated(outdated)
            if time.monotonic() >= until:
                return self._unfinished(published)
        return Publication(published, complete=True)

    def republish(self) -> int:
        """Request that every file of the catalogue is written again; return the number of titles that wait.

        Another call, even during a run, only restarts the run.
        """
        self._titles.mark_outdated()
        self._publish_lists()
        self._announce()
        return self.count_waiting()

    def count_waiting(self) -> int:
        """Return the number of titles that wait to be published."""
        return self._titles.count_waiting(page_format=self._format)

    def _unfinished(self, published: int) -> Publication:
        self._announce()
        return Publication(published, complete=False)

    def _publish_changed(self, waiting: list[Title]) -> int:
        """Write the lists, the pages of changed titles, and those of similar titles, which may show changed titles."""
        likeness = Likeness(self._publish_lists())
        touched = {title.id for title in waiting}
        touched.update(other.id for title in waiting for other in likeness.more_like(title))
        for title_id in sorted(touched):
            self._publish_title(title_id, likeness)
        for title in waiting:
            self._notify_graph(title.id)
            self._titles.mark_published(title.id, title.revision, page_format=self._format)
        return len(waiting)

    def _publish_outdated(self, outdated: list[Title]) -> int:
        """Write the pages of titles that have not changed."""
        likeness = Likeness(self._titles.listed())
        for title in outdated:
            self._publish_title(title.id, likeness)
            self._titles.mark_published(title.id, title.revision, page_format=self._format)
        return len(outdated)

    def _lists_are_outdated(self) -> bool:
        """Return whether a list is missing, or was written in an older format version."""
        versions = (self._site.find_version(path) for path in (HOME, SEARCH))
        return any(version is None or int(version.notes.get("format", 0)) < self._format for version in versions)

    def _publish_lists(self) -> list[Title]:
        """Write home and search, each from titles that were read after the file's version; return the titles.

        The result contains all listed titles.
        """
        while True:
            versions = self._site.find_version(HOME), self._site.find_version(SEARCH)
            listed = self._titles.listed()
            written = self._write(HOME, home_page(listed, self._now()), versions[0])
            if written and self._write(SEARCH, SearchList.of(listed), versions[1]):
                return listed

    def _publish_title(self, title_id: str, likeness: Likeness) -> None:
        path = f"catalogue/titles/{title_id}.json"
        while True:
            version = self._site.find_version(path)
            title = self._titles.get(title_id)
            if title is None or title.status is Status.WITHDRAWN:
                self._site.remove(path)
                return
            if self._write(path, PublishedTitle.with_similar(title, likeness.more_like(title)), version):
                return

    def _write(self, path: str, body: object, over: FileVersion | None) -> bool:
        notes = {"format": str(self._format)}
        return self._site.write(
            path, to_json(body).encode(), kind="application/json", cache=NO_CACHE, over=over, notes=notes
        )
