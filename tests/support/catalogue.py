"""A catalogue in memory: fakes of title store, site, sidecars and film database that satisfy the real contracts."""

from __future__ import annotations

import io
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from threading import Lock
from typing import TYPE_CHECKING, Any

from PIL import Image

from functions.catalogue.artwork import ArtworkStore
from functions.catalogue.dialogue_index import DialogueIndex
from functions.catalogue.matching import Matcher
from functions.catalogue.model import LISTED, Details, PlayableRendition, Playback, Status, Title
from functions.catalogue.omdb import Choices, Found, Miss, Missed
from functions.catalogue.ports import CatalogueDependencies, FileVersion
from functions.catalogue.posters import PosterRefused
from functions.catalogue.publisher import CataloguePublisher
from functions.catalogue.schemas import CATALOGUE_FORMAT
from functions.catalogue.search import Search, genre_key, series_key, tokens_of
from functions.catalogue.service import Catalogue
from functions.catalogue.sidecar import Sidecars
from functions.platform.pagination import title_position
from tests.support.clock import NOON, Clock

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence


def make_title(title_id: str = "sintel-1a2b3c", *, added_s: float = 0, **changes: Any) -> Title:
    """Return a listed title; `changes` are fields of the title or its details, `added_s` is in seconds after noon."""
    details = {name: changes.pop(name) for name in list(changes) if name in Details.__dataclass_fields__}
    at = NOON + timedelta(seconds=added_s)
    made = Title(
        id=title_id,
        stem=title_id,
        details=replace(Details(name=title_id), **details),
        added_at=at,
        updated_at=at,
        status=Status.READY,
    )
    return replace(made, **changes)


def make_playback(job_id: str = "0123456789ab", **changes: Any) -> Playback:
    """Return the playback of a film of two minutes."""
    rungs = (PlayableRendition("v1080", 1920, 1080, 6000), PlayableRendition("v360", 640, 360, 800))
    return replace(Playback(job_id, 120.0, 1920, 1080, rungs, audio=("en",)), **changes)


def make_picture(width: int = 640, height: int = 360, colour: str = "teal", kind: str = "JPEG") -> bytes:
    """Return an encoded picture of one colour."""
    out = io.BytesIO()
    Image.new("RGB", (width, height), colour).save(out, kind)
    return out.getvalue()


class MemoryTitles:
    """Titles in memory; `after_reading` is called after each read, so that a test can insert a concurrent change."""

    def __init__(self) -> None:
        self.after_reading: Callable[[], None] = lambda: None
        self._titles: dict[str, Title] = {}
        self._lock = Lock()

    def add(self, title: Title) -> bool:
        with self._lock:
            if title.id in self._titles:
                return False
            self._titles[title.id] = _kept(title)
            return True

    def get(self, title_id: str) -> Title | None:
        found = self._titles.get(title_id)
        self.after_reading()
        return found

    def save(self, title: Title, *, over: int) -> bool:
        with self._lock:
            there = self._titles.get(title.id)
            if there is None or there.revision != over:
                return False
            self._titles[title.id] = _kept(title)
            return True

    def find_page(self, search: Search, *, below: str | None, limit: int, drafts: bool = False) -> list[Title]:
        return [
            title
            for title in self._newest_first()
            if (title.status in LISTED if drafts else title.listed)
            and set(search.whole) <= set(tokens_of(title.details))
            and (not search.beginning or any(word.startswith(search.beginning) for word in tokens_of(title.details)))
            and (not search.genre or search.genre in map(genre_key, title.details.genres))
            and (not below or _position(title) < below)
        ][:limit]

    def listed(self) -> list[Title]:
        found = [title for title in self._newest_first() if title.listed]
        self.after_reading()
        return found

    def some(self, title_ids: Sequence[str]) -> list[Title]:
        return [self._titles[title_id] for title_id in title_ids if title_id in self._titles]

    def episodes(self, key: str) -> list[Title]:
        return [title for title in self._titles.values() if title.listed and series_key(title.details.series) == key]

    def in_order(self, *, after: str, limit: int) -> list[Title]:
        return [self._titles[title_id] for title_id in sorted(self._titles) if title_id > after][:limit]

    def ids(self) -> list[str]:
        return [title.id for title in self._titles.values() if title.status is not Status.WITHDRAWN]

    def count(self) -> int:
        return len(self._titles)

    def best(self, *, genre: str, limit: int) -> list[Title]:
        shown = [
            title
            for title in self._newest_first()
            if title.listed and title.watchable and (not genre or genre in map(genre_key, title.details.genres))
        ]
        return sorted(shown, key=lambda title: -(title.details.imdb_rating or 0))[:limit]

    def unpublished(self, *, limit: int) -> list[Title]:
        return [title for title in self._titles.values() if not title.published][:limit]

    def outdated(self, *, page_format: int, limit: int) -> list[Title]:
        return [each for each in self._titles.values() if each.published and each.page_format < page_format][:limit]

    def count_waiting(self, *, page_format: int) -> int:
        return sum(not each.published or each.page_format < page_format for each in self._titles.values())

    def mark_outdated(self) -> int:
        with self._lock:
            changed = [title for title in self._titles.values() if title.page_format]
            for title in changed:
                self._titles[title.id] = replace(title, page_format=0, revision=title.revision + 1)
            return len(changed)

    def mark_published(self, title_id: str, revision: int, *, page_format: int) -> None:
        with self._lock:
            if (title := self._titles.get(title_id)) and title.revision == revision:
                self._titles[title_id] = replace(title, published=True, page_format=page_format)

    def due(self, now: datetime, *, limit: int) -> list[Title]:
        late = [title for title in self._titles.values() if (at := title.metadata.retry_at) and at <= now]
        return sorted(late, key=lambda title: title.metadata.retry_at or now)[:limit]

    def _newest_first(self) -> list[Title]:
        return sorted(self._titles.values(), key=_position, reverse=True)


def _kept(title: Title) -> Title:
    """Return a title as a store would return it, with times in milliseconds as in Mongo."""
    added_at, updated_at = (
        at.replace(microsecond=at.microsecond // 1000 * 1000) for at in (title.added_at, title.updated_at)
    )
    return replace(title, added_at=added_at, updated_at=updated_at)


def _position(title: Title) -> str:
    return title_position(title.added_at, title.id)


@dataclass
class MemorySite:
    """A static site in memory; `before_write` and `before_remove` are called with the path, for concurrent changes."""

    files: dict[str, bytes] = field(default_factory=dict)
    before_write: Callable[[str], None] = lambda path: None
    before_remove: Callable[[str], None] = lambda path: None

    def __post_init__(self) -> None:
        self._versions: dict[str, FileVersion] = {}
        self._writes = 0
        self._lock = Lock()

    def find_version(self, path: str) -> FileVersion | None:
        return self._versions.get(path)

    def read_file(self, path: str) -> bytes | None:
        return self.files.get(path)

    def write(
        self,
        path: str,
        data: bytes,
        *,
        kind: str,
        cache: str,
        over: FileVersion | None,
        notes: Mapping[str, str] | None = None,
    ) -> bool:
        self.before_write(path)
        with self._lock:
            if self._versions.get(path) != over:
                return False
            self._writes += 1
            self.files[path] = data
            self._versions[path] = FileVersion(f"v{self._writes}", dict(notes or {}))
            return True

    def remove(self, path: str, *, over: FileVersion | None = None) -> bool:
        self.before_remove(path)
        with self._lock:
            if over and self._versions.get(path, over) != over:
                return False
            self.files.pop(path, None)
            self._versions.pop(path, None)
            return True


class MemoryPublicationLock:
    """The lock of publishers in memory."""

    def __init__(self) -> None:
        self._requests = 0
        self._owner: str | None = None
        self._renewed_at = NOON
        self._lock = Lock()

    def add_request(self) -> None:
        with self._lock:
            self._requests += 1

    def take(self, owner: str, *, at: datetime, expired: datetime) -> int | None:
        with self._lock:
            if not self._requests or (self._owner not in (None, owner) and self._renewed_at >= expired):
                return None
            self._owner, self._renewed_at = owner, at
            return self._requests

    def renew(self, owner: str, *, at: datetime) -> None:
        with self._lock:
            if self._owner == owner:
                self._renewed_at = at

    def release(self, owner: str, *, requests: int | None = None) -> bool:
        with self._lock:
            if self._owner != owner or requests not in (None, self._requests):
                return False
            self._owner = None
            return True


@dataclass
class MemorySubtitles:
    """Subtitle tracks by title, job and name; `before_reading` is called before each is read."""

    tracks: dict[tuple[str, str, str], str] = field(default_factory=dict)
    before_reading: Callable[[], None] = lambda: None

    def read_subtitles(self, title_id: str, job_id: str, track: str) -> str | None:
        self.before_reading()
        return self.tracks.get((title_id, job_id, track))


@dataclass
class MemorySidecars:
    """Sidecars by stem."""

    films: dict[str, Sidecars] = field(default_factory=dict)

    def beside(self, stem: str) -> Sidecars:
        return self.films.get(stem, Sidecars())

    def store_poster(self, stem: str, jpeg: bytes) -> None:
        self.films[stem] = replace(self.beside(stem), poster=jpeg)


@dataclass
class MemoryFilms:
    """A film database with given answers, by IMDb id or by name and year; it records the queries."""

    answers: dict[object, Found | Missed] = field(default_factory=dict)
    asked: list[object] = field(default_factory=list)
    choices: Choices | Missed = field(default_factory=lambda: Choices(()))

    def by_id(self, imdb_id: str) -> Found | Missed:
        return self._answer(imdb_id)

    def by_name(self, name: str, *, year: int | None, kind: str) -> Found | Missed:
        return self._answer((name, year))

    def search(self, name: str, *, year: int | None) -> Choices | Missed:
        self.asked.append((name, year))
        return self.choices

    def _answer(self, question: object) -> Found | Missed:
        self.asked.append(question)
        return self.answers.get(question, Missed(Miss.NOT_FOUND, "OMDb does not know the film: Movie not found!"))


@dataclass
class MemoryPosters:
    """Posters by address."""

    pictures: dict[str, bytes | PosterRefused] = field(default_factory=dict)

    def fetch(self, url: str) -> bytes:
        found = self.pictures.get(url, PosterRefused("The poster's host answered with HTTP 404."))
        if isinstance(found, PosterRefused):
            raise found
        return found


class World:
    """A catalogue with everything it depends on in memory."""

    def __init__(self, *, reviewed: bool = False) -> None:
        self.clock = Clock()
        self.titles = MemoryTitles()
        self.site = MemorySite()
        self.lock = MemoryPublicationLock()
        self.subtitles = MemorySubtitles()
        self.sidecars = MemorySidecars()
        self.films = MemoryFilms()
        self.posters = MemoryPosters()
        self.announced = 0
        self.rivals = 0
        self.fetched: list[tuple[str, str]] = []
        self.graph_notified: list[str] = []
        dependencies = CatalogueDependencies(self._announce, lambda *request: self.fetched.append(request), self.clock)
        matcher = Matcher(self.sidecars, self.films, self.posters, self.clock)
        artwork = ArtworkStore(self.site)
        self.catalogue = Catalogue(self.titles, lambda: matcher, artwork, dependencies, reviewed=reviewed)
        self.publisher = self.publisher_of(CATALOGUE_FORMAT)

    def publisher_of(self, page_format: int) -> CataloguePublisher:
        """Return the publisher of a release that writes pages in the format `page_format`."""
        return CataloguePublisher(
            self.titles,
            self.site,
            self.clock,
            lock=self.lock,
            dialogue=DialogueIndex(self.titles, self.site, self.subtitles),
            announce=self._announce,
            notify_graph=self.graph_notified.append,
            origin="https://films.example.org",
            page_format=page_format,
        )

    def with_titles(self, titles: Iterable[Title]) -> World:
        """Put titles into the store and return self."""
        for title in titles:
            assert self.titles.add(title)
        return self

    def with_rival(self, act: Callable[[], object]) -> World:
        """Make a concurrent change right after the next read of a title or list, and return self."""

        def come_in() -> None:
            self.titles.after_reading = lambda: None
            act()
            self.rivals += 1

        self.titles.after_reading = come_in
        return self

    def _announce(self) -> None:
        self.announced += 1
