"""The title, and every change that can be made to it.

A `Title` is immutable; each change is a method that returns the changed title, or the same one if nothing changes. The
store saves a title only if the revision from which it was derived is still current, so no concurrent change is lost.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import TYPE_CHECKING

from functions.catalogue.certificates import is_suitable

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime


class Status(StrEnum):
    """The state of a title; FAILED only if no earlier version of the title can be played."""

    ANNOUNCED = "announced"
    ENCODING = "encoding"
    READY = "ready"
    FAILED = "failed"
    WITHDRAWN = "withdrawn"


LISTED = frozenset({Status.ANNOUNCED, Status.ENCODING, Status.READY})
"""The states of titles that appear in the catalogue's lists."""


class DescriptionSource(StrEnum):
    """The source of a title's description."""

    SIDECAR = "sidecar"
    OMDB = "omdb"
    FILENAME = "filename"


@dataclass(frozen=True, slots=True)
class Rating:
    """A rating in the notation of its source, such as "7.9/10" or "93%"."""

    source: str
    value: str


@dataclass(frozen=True, slots=True)
class Details:
    """The description of a film or episode; an unknown value is None or empty.

    `name` is the name shown on the site; `series` is the name of the series that an episode belongs to.
    """

    name: str
    year: int | None = None
    kind: str = "movie"
    series: str | None = None
    season: int | None = None
    episode: int | None = None
    rated: str | None = None
    released: str | None = None
    runtime_min: int | None = None
    genres: tuple[str, ...] = ()
    directors: tuple[str, ...] = ()
    writers: tuple[str, ...] = ()
    actors: tuple[str, ...] = ()
    plot: str | None = None
    languages: tuple[str, ...] = ()
    countries: tuple[str, ...] = ()
    awards: str | None = None
    ratings: tuple[Rating, ...] = ()
    imdb_id: str | None = None
    imdb_rating: float | None = None
    imdb_votes: int | None = None

    @property
    def people(self) -> tuple[str, ...]:
        """Return all credited people without duplicates: actors, then directors, then writers."""
        return tuple(dict.fromkeys((*self.actors, *self.directors, *self.writers)))

    @property
    def number(self) -> tuple[int, int] | None:
        """Return season and episode number, by which a series' episodes are sorted; None without an episode number."""
        return None if self.episode is None else (self.season or 0, self.episode)

    def is_suitable(self, age_limit: int | None) -> bool:
        """Return whether a profile with an age limit may play the title; without a known age, none with a limit may."""
        return is_suitable(self.rated, age_limit)


@dataclass(frozen=True, slots=True)
class Metadata:
    """How a description was found.

    `reason` explains why there is no better description; `retry_at` is the time of the next lookup; `attempts` counts
    consecutive misses.
    """

    source: DescriptionSource = DescriptionSource.FILENAME
    matched: bool = False
    reason: str | None = None
    retry_at: datetime | None = None
    attempts: int = 0


@dataclass(frozen=True, slots=True)
class Artwork:
    """Site-relative addresses of the existing pictures; each address contains a hash of the picture."""

    poster: str | None = None
    card: str | None = None
    backdrop: str | None = None


@dataclass(frozen=True, slots=True)
class PlayableRendition:
    """A playable rung; sizes are in pixels, `kbps` is the peak bitrate."""

    name: str
    width: int
    height: int
    kbps: int


@dataclass(frozen=True, slots=True)
class PlayableSubtitles:
    """A subtitle track: the file `<name>.vtt` in the job's folder; `automatic` if a machine made it from the sound."""

    name: str
    language: str
    label: str
    automatic: bool = False


class PartKind(StrEnum):
    """The kind of a part of an episode that a viewer may skip."""

    INTRO = "intro"
    CREDITS = "credits"


@dataclass(frozen=True, slots=True)
class SkippablePart:
    """A part of an episode that a viewer may skip, in seconds; it was found because other episodes share its sound."""

    kind: PartKind
    start_s: float
    end_s: float


@dataclass(frozen=True, slots=True)
class Playback:
    """The playable files of a title: the encode job's folder and its contents.

    `Title.playable` sets `complete`; until then, the job is still encoding and `duration_s` is the planned length.
    `opened_at` is the time at which the job was opened; None in a document of an earlier version. `key_id` is the id of
    the key with which the segments are encrypted; None if they are not. `on_demand` is true if some renditions are
    made when viewers want them; `renditions` lacks these. `skippable` is in order.
    """

    job_id: str
    duration_s: float
    width: int
    height: int
    renditions: tuple[PlayableRendition, ...]
    audio: tuple[str, ...] = ()
    subtitles: tuple[PlayableSubtitles, ...] = ()
    thumbnails: bool = False
    complete: bool = False
    chapters: bool = False
    opened_at: datetime | None = None
    key_id: str | None = None
    on_demand: bool = False
    skippable: tuple[SkippablePart, ...] = ()

    def is_older(self, than: Playback | None) -> bool:
        """Return whether these files belong to an earlier job than the files `than`."""
        return bool(than and than.opened_at and self.opened_at and self.opened_at < than.opened_at)


@dataclass(frozen=True, slots=True)
class Title:
    """A title of the catalogue.

    `edits` are fields of `details` that were set by hand; a refresh never overwrites them. `published` is true if the
    static catalogue shows this revision; `page_format` is the format version in which the title's page was last
    written. `film` is the name of the upload that the title is made from; it is None until a film arrives, and for
    titles of earlier versions. A `draft` is seen only by the owner, until it is released. `trailer_of` is the id of the
    title that a trailer belongs to; that title may not exist yet.
    """

    id: str
    stem: str
    details: Details
    added_at: datetime
    updated_at: datetime
    status: Status = Status.ANNOUNCED
    failure: str | None = None
    metadata: Metadata = field(default_factory=Metadata)
    artwork: Artwork = field(default_factory=Artwork)
    playback: Playback | None = None
    edits: Mapping[str, object] = field(default_factory=dict)
    published: bool = False
    page_format: int = 0
    revision: int = 1
    film: str | None = None
    draft: bool = False
    trailer_of: str | None = None

    @property
    def listed(self) -> bool:
        """Return whether the title appears in the catalogue's lists."""
        return self.status in LISTED and self.public

    @property
    def public(self) -> bool:
        """Return whether everybody may see the title's page; a draft, a withdrawn title and a trailer have none."""
        return self.status is not Status.WITHDRAWN and not self.draft and self.trailer_of is None

    @property
    def runtime_min(self) -> int | None:
        """Return the length in minutes: from the description, or else the measured length."""
        if self.details.runtime_min or not self.playback:
            return self.details.runtime_min
        return max(1, round(self.playback.duration_s / 60))

    @property
    def watchable(self) -> bool:
        """Return whether the title can be played, at least in part."""
        return self.playback is not None and self.status in (Status.READY, Status.ENCODING)

    def is_trailer_of(self, title: Title) -> bool:
        """Return whether this is the trailer of a title, and all of it can be played."""
        return self.trailer_of == title.id and self.watchable and self._has_whole_film()

    def reopened(self, status: Status) -> Title:
        """Return the title after a new upload. A withdrawn title is listed again; ANNOUNCED replaces no other state."""
        if self.status is Status.WITHDRAWN:
            return replace(self, status=status, failure=None, playback=None)
        return self.encoding() if status is Status.ENCODING else self

    def made_from(self, film: str, *, over: str | None, as_draft: bool = False) -> Title:
        """Return the title being encoded from the upload `film`; unchanged if it has another film that is not `over`.

        With `as_draft`, a title that had no film yet becomes a draft. A repeated call for the same upload makes no
        draft, also after a failure, because the title may have been released since the first call.
        """
        if self.film not in (None, film, over):
            return self
        is_known = self.film == film and self.status is not Status.WITHDRAWN
        draft = self.draft or (as_draft and self.playback is None and not is_known)
        return replace(self.reopened(Status.ENCODING), film=film, draft=draft)

    def released(self) -> Title:
        """Return the title as one that everybody sees."""
        return replace(self, draft=False)

    def encoding(self) -> Title:
        """Return the title with an encode in progress; a complete earlier version stays online."""
        if self.status is Status.WITHDRAWN:
            return self
        return replace(self, status=Status.READY if self._has_whole_film() else Status.ENCODING, failure=None)

    def failed(self, reason: str) -> Title:
        """Return the title after its encode failed; a complete earlier version stays online."""
        if self.status is Status.WITHDRAWN:
            return self
        return replace(self, status=Status.READY if self._has_whole_film() else Status.FAILED, failure=reason)

    def playable(self, playback: Playback, *, complete: bool) -> Title:
        """Return the title with new playable files.

        A complete version is replaced only by another complete one. A version of an earlier job, whose publication may
        end late, replaces nothing.
        """
        if self.status is Status.WITHDRAWN or (self._has_whole_film() and not complete):
            return self
        if playback.is_older(than=self.playback):
            return self
        status = Status.READY if complete else Status.ENCODING
        known = self.playback.skippable if self.playback and self.playback.job_id == playback.job_id else ()
        playing = replace(playback, complete=complete, skippable=known)
        return replace(self, status=status, failure=None, playback=playing)

    def with_skippable(self, job_id: str, parts: tuple[SkippablePart, ...]) -> Title:
        """Return the title with the parts that viewers may skip; unchanged if it does not play the files of a job."""
        if self.playback is None or self.playback.job_id != job_id:
            return self
        return replace(self, playback=replace(self.playback, skippable=parts))

    def damaged(self, job_id: str) -> Title:
        """Return the title after some of its files were lost; unchanged if it plays the files of another job."""
        if self.status is Status.WITHDRAWN or self.playback is None or self.playback.job_id != job_id:
            return self
        return replace(self, status=Status.ENCODING, playback=replace(self.playback, complete=False))

    def lost(self, job_id: str, reason: str) -> Title:
        """Return the title without a film, after all files of a job were lost; unchanged if it plays another job."""
        damaged = self.damaged(job_id)
        return self if damaged == self else replace(damaged, status=Status.FAILED, failure=reason)

    def described(self, details: Details, metadata: Metadata) -> Title:
        """Return the title with a new description; a guess does not replace a match, and neither replaces an edit."""
        if self.status is Status.WITHDRAWN:
            return self
        if self.metadata.matched and not metadata.matched:
            again = metadata.retry_at if self.metadata.retry_at else None
            kept = replace(self.metadata, reason=metadata.reason, retry_at=again, attempts=metadata.attempts)
            return replace(self, metadata=kept)
        return replace(self, details=replace(details, **self.edits), metadata=metadata)  # type: ignore[arg-type]

    def remarked(self, reason: str | None, *, retry_at: datetime | None = None) -> Title:
        """Return the title with the reason why its description or artwork is not better."""
        retry_at = retry_at or self.metadata.retry_at
        return replace(self, metadata=replace(self.metadata, reason=reason, retry_at=retry_at))

    def pictured(self, artwork: Artwork) -> Title:
        """Return the title with this artwork, unless the title is withdrawn."""
        return self if self.status is Status.WITHDRAWN else replace(self, artwork=artwork)

    def edited(self, changes: Mapping[str, object]) -> Title:
        """Return the title with fields of its details set by hand."""
        edits = {**self.edits, **changes}
        return replace(self, details=replace(self.details, **changes), edits=edits)  # type: ignore[arg-type]

    def withdrawn(self) -> Title:
        """Return the title as withdrawn; only a new upload restores it."""
        return replace(self, status=Status.WITHDRAWN, failure=None, playback=None, artwork=Artwork())

    def _has_whole_film(self) -> bool:
        return self.playback is not None and self.playback.complete
