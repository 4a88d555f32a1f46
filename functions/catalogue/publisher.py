"""Publishing: the static JSON files that the site reads, written from the store.

A title's document is the outbox. A publicly visible change marks the title as unpublished in the same write; once the
files show the change, the mark is removed. Each run publishes every title that waits, so a lost request is repaired by
the next request or by the timer. The document also records the format version in which the title's page was written.
When that version is increased, or when the owner requests it, pages in an older version are written again.

One publisher runs at a time. Requests that arrive meanwhile are counted, and this publisher then serves them all
together. So when many films become ready at once, lists are not written once per film, and a page whose content has not
changed is not written at all.

The version of each file is read before the store is read, and the file is written only if it still has that version. If
the lock of a slow publisher has expired and another one runs, the slower one starts over, so an older list never
replaces a newer one.

The pages are written from templates, which belong to the site. When a new version of the site is deployed, the home
page's notes do not name its templates, and all pages are written again.
"""

from __future__ import annotations

import hashlib
import time
import uuid
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from functions.catalogue.lists import Likeness, home_page
from functions.catalogue.schemas import CATALOGUE_FORMAT
from functions.catalogue.site import NO_CACHE
from functions.catalogue.site_pages import HOME_HTML, SiteFile, SitePages
from functions.catalogue.static_files import PublishedTitle, SearchIndex, SearchList
from functions.platform.identifiers import trailer_id_of
from functions.platform.json_text import to_json

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from functions.catalogue.dialogue_index import DialogueIndex
    from functions.catalogue.model import Title
    from functions.catalogue.ports import FileVersion, PublicationLock, SiteFiles, TitleStore

BATCH = 500
HOME = "catalogue/home.json"
SEARCH = "catalogue/search.json"
INDEX = "catalogue/index.json"
JSON = "application/json"
RUN_S = 120.0
LEASE = timedelta(seconds=25)
"""How long the lock of a publisher that was killed stays taken. Its message is delivered again later than this."""

RENEWED_EACH_S = 5.0


@dataclass(frozen=True, slots=True)
class Publication:
    """The result of a run: the number of titles published, and whether none is left.

    If another publisher runs, no title was published, and some may be left.
    """

    published: int
    complete: bool


class CataloguePublisher:
    """Writes the static catalogue of the site at `origin`.

    `announce` requests another run. `notify_graph` is called with the id of each changed title, before the title is
    marked as published.
    """

    def __init__(
        self,
        titles: TitleStore,
        site: SiteFiles,
        now: Callable[[], datetime],
        *,
        lock: PublicationLock,
        dialogue: DialogueIndex,
        announce: Callable[[], None],
        notify_graph: Callable[[str], None],
        origin: str = "",
        page_format: int = CATALOGUE_FORMAT,
    ) -> None:
        self._titles = titles
        self._site = site
        self._lock = lock
        self._dialogue = dialogue
        self._now = now
        self._announce = announce
        self._notify_graph = notify_graph
        self._origin = origin
        self._format = page_format

    def publish(self, *, within_s: float = RUN_S) -> Publication:
        """Publish the titles that wait, changed ones first; request another run if `within_s` is not enough.

        If another publisher runs, it serves this request too, and nothing is done here.
        """
        until = time.monotonic() + within_s
        owner, published = uuid.uuid4().hex, 0
        self._lock.add_request()
        try:
            while (requests := self._lock.take(owner, at=self._now(), expired=self._now() - LEASE)) is not None:
                published += self._publish_waiting(owner, until)
                if time.monotonic() >= until:
                    self._announce()
                    return Publication(published, complete=False)
                if self._lock.release(owner, requests=requests):
                    return Publication(published, complete=True)
        finally:
            self._lock.release(owner)
        return Publication(published, complete=False)

    def _publish_waiting(self, owner: str, until: float) -> int:
        """Publish the titles that wait, until a time; return their number."""
        published = 0
        renew = _Renewal(self._lock, owner, self._now)
        pages = self._read_pages()
        while waiting := self._titles.unpublished(limit=BATCH):
            published += self._publish_changed(waiting, pages, renew)
            if time.monotonic() >= until:
                return published
        if not published and self._lists_are_outdated(pages):
            self._publish_lists(pages)
        while outdated := self._titles.outdated(page_format=self._format, limit=BATCH):
            published += self._publish_outdated(outdated, pages, renew)
            if time.monotonic() >= until:
                return published
        return published

    def republish(self) -> int:
        """Request that every file of the catalogue is written again; return the number of titles that wait.

        Another call, even during a run, only restarts the run.
        """
        self._titles.mark_outdated()
        self._publish_lists(SitePages.read(self._site, self._origin))
        self._announce()
        return self.count_waiting()

    def count_waiting(self) -> int:
        """Return the number of titles that wait to be published."""
        return self._titles.count_waiting(page_format=self._format)

    def _read_pages(self) -> SitePages:
        """Return the pages' templates; if pages were written from other templates, have all pages written again."""
        pages = SitePages.read(self._site, self._origin)
        if not self._is_home_of(pages):
            self._titles.mark_outdated()
        return pages

    def _is_home_of(self, pages: SitePages) -> bool:
        """Return whether the home page was written from these templates, or there are no templates."""
        there = self._site.find_version(HOME_HTML) if pages.digest else None
        return not pages.digest or (there is not None and there.notes.get("templates") == pages.digest)

    def _publish_changed(self, waiting: list[Title], pages: SitePages, renew: Callable[[], None]) -> int:
        """Write the lists, the pages of changed titles, and pages of similar titles, which may show changed titles.

        A changed trailer changes the page of its title.
        """
        likeness = Likeness(self._publish_lists(pages))
        touched = {title.trailer_of or title.id for title in waiting}
        touched.update(other.id for title in waiting for other in likeness.related(title))
        for title_id in sorted(touched):
            self._publish_title(title_id, likeness, pages, unless_same=True)
            renew()
        self._dialogue.update(waiting, renew)
        for title in waiting:
            if not title.trailer_of:
                self._notify_graph(title.id)
            self._titles.mark_published(title.id, title.revision, page_format=self._format)
        return len(waiting)

    def _publish_outdated(self, outdated: list[Title], pages: SitePages, renew: Callable[[], None]) -> int:
        """Write the pages of titles that have not changed."""
        likeness = Likeness(self._titles.listed())
        self._dialogue.update(outdated, renew)
        for title in outdated:
            self._publish_title(title.id, likeness, pages, unless_same=False)
            self._titles.mark_published(title.id, title.revision, page_format=self._format)
            renew()
        return len(outdated)

    def _lists_are_outdated(self, pages: SitePages) -> bool:
        """Return whether a list is missing, or was written in an older format version or from other templates."""
        versions = (self._site.find_version(path) for path in (HOME, SEARCH, INDEX))
        old = any(version is None or int(version.notes.get("format", 0)) < self._format for version in versions)
        return old or not self._is_home_of(pages)

    def _publish_lists(self, pages: SitePages) -> list[Title]:
        """Write the files that list titles, each from titles that were read after the file's version.

        The result contains all listed titles.
        """
        while True:
            versions = {path: self._site.find_version(path) for path in (HOME, SEARCH, INDEX, *pages.list_paths)}
            listed = self._titles.listed()
            home = home_page(listed, self._now())
            lists = [
                _json_file(HOME, home),
                _json_file(SEARCH, SearchList.of(listed)),
                _json_file(INDEX, SearchIndex.of(listed)),
            ]
            if all(self._write(file, versions[file.path], pages) for file in lists) and all(
                self._write(file, versions[file.path], pages, unless_same=True) for file in pages.of_lists(home, listed)
            ):
                return listed

    def _publish_title(self, title_id: str, likeness: Likeness, pages: SitePages, *, unless_same: bool) -> None:
        """Write the files of a title; with `unless_same`, only if the content differs from what was written last.

        New files are compared with their title once more: the title may have been withdrawn, and its files removed,
        before these files were created. A draft has no files.
        """
        paths = f"catalogue/titles/{title_id}.json", *pages.title_paths(title_id)
        while True:
            versions = {path: self._site.find_version(path) for path in paths}
            title = self._titles.get(title_id)
            if title is None or not title.public:
                if all(self._site.remove(path, over=over) for path, over in versions.items() if over):
                    return
                continue  # another publisher has written a file since, because the title was uploaded again
            trailer = self._titles.get(trailer_id_of(title.stem))
            has_trailer = trailer is not None and trailer.is_trailer_of(title)
            published = PublishedTitle.with_similar(title, likeness.more_like(title), trailer=has_trailer)
            files = [_json_file(paths[0], published), *pages.of_title(published)]
            written = [self._write(file, versions[file.path], pages, unless_same=unless_same) for file in files]
            is_new = any(versions[file.path] is None for file in files)
            if all(written) and not is_new:
                return
            unless_same = unless_same or is_new

    def _write(self, file: SiteFile, over: FileVersion | None, pages: SitePages, *, unless_same: bool = False) -> bool:
        notes = {"format": str(self._format), "digest": hashlib.sha256(file.data).hexdigest()[:32]}
        if file.kind != JSON:
            notes["templates"] = pages.digest
        if unless_same and over and over.notes == notes:
            return True
        return self._site.write(file.path, file.data, kind=file.kind, cache=NO_CACHE, over=over, notes=notes)


def _json_file(path: str, body: object) -> SiteFile:
    return SiteFile(path, to_json(body).encode(), JSON)


class _Renewal:
    """Renews the lock of a running publisher when it is called, but at most every RENEWED_EACH_S seconds."""

    def __init__(self, lock: PublicationLock, owner: str, now: Callable[[], datetime]) -> None:
        self._lock = lock
        self._owner = owner
        self._now = now
        self._renewed_at = time.monotonic()

    def __call__(self) -> None:
        """Renew the lock if it is time."""
        if time.monotonic() - self._renewed_at >= RENEWED_EACH_S:
            self._renewed_at = time.monotonic()
            self._lock.renew(self._owner, at=self._now())
