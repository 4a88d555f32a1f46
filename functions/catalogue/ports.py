"""The interfaces that the catalogue needs: stores, OMDb, and functions of other slices."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

    from functions.catalogue.model import Title
    from functions.catalogue.omdb import Choices, Found, Missed
    from functions.catalogue.search import Search
    from functions.catalogue.sidecar import Sidecars


class TitleStore(Protocol):
    """Stores titles. Every method raises StoreUnavailable while the store is unavailable or busy.

    A "summary" is a title without the fields that are not shown in lists.
    """

    def add(self, title: Title) -> bool:
        """Store a new title; if its id is taken, change nothing and return False."""

    def get(self, title_id: str) -> Title | None:
        """Return a title, or None."""

    def save(self, title: Title, *, over: int) -> bool:
        """Replace revision `over` of a title; if it is not the current revision, change nothing and return False."""

    def find_page(self, search: Search, *, below: str | None, limit: int, drafts: bool = False) -> list[Title]:
        """Return the listed titles that match `search` and follow the position `below`, newest first.

        With `drafts`, drafts and trailers are included.
        """

    def listed(self) -> list[Title]:
        """Return summaries of all listed titles, newest first."""

    def some(self, title_ids: Sequence[str]) -> list[Title]:
        """Return summaries of the titles with these ids, in any order; unknown ids are skipped."""

    def episodes(self, series_key: str) -> list[Title]:
        """Return summaries of all listed episodes of a series, in any order."""

    def in_order(self, *, after: str, limit: int) -> list[Title]:
        """Return summaries sorted by id, starting after the id `after`; withdrawn titles are included."""

    def ids(self) -> list[str]:
        """Return the ids of all titles that are not withdrawn, in any order."""

    def count(self) -> int:
        """Return the approximate number of titles."""

    def best(self, *, genre: str, limit: int) -> list[Title]:
        """Return summaries of watchable titles, highest rated first, then newest; of any genre if `genre` is empty."""

    def unpublished(self, *, limit: int) -> list[Title]:
        """Return titles with changes that the static catalogue does not show yet."""

    def outdated(self, *, page_format: int, limit: int) -> list[Title]:
        """Return published titles whose page was written in an older format version."""

    def count_waiting(self, *, page_format: int) -> int:
        """Return the number of titles that are unpublished or outdated."""

    def mark_outdated(self) -> int:
        """Mark the page of every title as written in an older format version; return the number of changed titles."""

    def mark_published(self, title_id: str, revision: int, *, page_format: int) -> None:
        """Record that the page of a revision has been written; does nothing if the title has a newer revision."""

    def due(self, now: datetime, *, limit: int) -> list[Title]:
        """Return titles whose description is due for another lookup, longest overdue first."""


@dataclass(frozen=True, slots=True)
class FileVersion:
    """A version of a file: `etag` identifies the version, `notes` are the metadata stored with it."""

    etag: str
    notes: Mapping[str, str]


class SiteFiles(Protocol):
    """Stores the files of the static site; paths are relative to the site's root.

    Every method raises StoreUnavailable.
    """

    def find_version(self, path: str) -> FileVersion | None:
        """Return the current version of a file, or None if it does not exist."""

    def read_file(self, path: str) -> bytes | None:
        """Return the content of a file, or None if it does not exist."""

    def write(
        self, path: str, data: bytes, *, kind: str, cache: str, over: FileVersion | None, notes: Mapping[str, str] = ...
    ) -> bool:
        """Write a file of media type `kind` if its current version is still `over`; return whether it was written."""

    def remove(self, path: str, *, over: FileVersion | None = None) -> bool:
        """Remove a file if it exists, with `over` only if that is its current version; return whether it is gone."""


class PublicationLock(Protocol):
    """Lets one publisher run at a time, and counts requests, so that it serves those that arrive while it runs.

    `at` is the current time; the lock of a publisher that renewed it before `expired` may be taken over.
    """

    def add_request(self) -> None:
        """Count a request for a publication."""

    def take(self, owner: str, *, at: datetime, expired: datetime) -> int | None:
        """Take the lock and return the number of requests so far; None if another publisher has the lock."""

    def renew(self, owner: str, *, at: datetime) -> None:
        """Record that the publisher `owner` still runs, if it has the lock."""

    def release(self, owner: str, *, requests: int | None = None) -> bool:
        """Release a publisher's lock, with `requests` only if no other was counted; return whether it was released."""


class SubtitleFiles(Protocol):
    """Reads the subtitles of playable titles."""

    def read_subtitles(self, title_id: str, job_id: str, track: str) -> str | None:
        """Return a track of a title as WebVTT, or None if it does not exist. Raises StoreUnavailable.

        Only the beginning of a very large file is returned.
        """


class SidecarStore(Protocol):
    """Finds the files that accompany films."""

    def beside(self, stem: str) -> Sidecars:
        """Return the sidecars of the film with this stem; the newest of each kind. Raises StoreUnavailable."""

    def store_poster(self, stem: str, jpeg: bytes) -> None:
        """Put a poster beside the film with this stem; it replaces an existing poster. Raises StoreUnavailable."""


class FilmDatabase(Protocol):
    """Describes films."""

    def by_id(self, imdb_id: str) -> Found | Missed:
        """Return the film with an IMDb id."""

    def by_name(self, name: str, *, year: int | None, kind: str) -> Found | Missed:
        """Return the film or series with a name; `kind` has the values of `Details.kind`."""

    def search(self, name: str, *, year: int | None) -> Choices | Missed:
        """Return at most ten films and series whose names contain these words; an unknown name has none."""


class Posters(Protocol):
    """Fetches posters."""

    def fetch(self, url: str) -> bytes:
        """Return the poster's bytes. Raises PosterRefused."""


@dataclass(frozen=True, slots=True)
class CatalogueDependencies:
    """The functions of other slices that the catalogue calls.

    `announce` requests publication, and `fetch` requests the description of a title by its id and stem; both enqueue a
    message.
    """

    announce: Callable[[], None]
    fetch: Callable[[str, str], None]
    now: Callable[[], datetime]
