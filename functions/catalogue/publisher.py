"""Publishing: the static JSON files that the site reads, written from the store.

A title's document is the outbox. A change that the public sees marks the title as unpublished, in the same write; when
the files show the change, the mark is removed. So one run publishes everything that waits, and a lost request is made
up for by the next one, or by the timer. The document also records the format in which the title's page was written:
after a change of the format, or when the owner asks for it, pages of a lower format are written again.

The version of each file is read before the store, and the file is written only over that version. Of two concurrent
publishers the slower one starts over, so an older list never replaces a newer one.
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
    """The result of one run: how many titles it published, and whether none is left."""

    published: int
    complete: bool


class CataloguePublisher:
    """Writes the static catalogue.

    `announce` requests another run. `notify_graph` is called with the id of each changed title before its change counts
    as published.
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
        """Publish the titles that wait, changed ones first; request another run if the time does not suffice."""
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
        """Request that every file of the catalogue is written again; return how many titles wait for it.

        A repeated call, also during a run, only makes the run begin again.
        """
        self._titles.mark_outdated()
        self._publish_lists()
        self._announce()
        return self.count_waiting()

    def count_waiting(self) -> int:
        """Return how many titles wait to be published."""
        return self._titles.count_waiting(page_format=self._format)

    def _unfinished(self, published: int) -> Publication:
        self._announce()
        return Publication(published, complete=False)

    def _publish_changed(self, waiting: list[Title]) -> int:
        """Write the lists, and the pages of changed titles and of those most like them, which may now list them."""
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
        """Return whether a list does not exist, or was written in a lower format."""
        versions = (self._site.find_version(path) for path in (HOME, SEARCH))
        return any(version is None or int(version.notes.get("format", 0)) < self._format for version in versions)

    def _publish_lists(self) -> list[Title]:
        """Write home and search, each from the state of the store after the file's version was read; return the titles.

        The titles are all listed ones.
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
