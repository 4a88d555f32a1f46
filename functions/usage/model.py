"""The words of usage: a view, the heartbeats that carry it on, and the marks that a viewer sets on titles.

A view is how far one viewer got with one title. Opening the title makes it; heartbeats only carry it on. So nothing
that comes late brings back what its viewer has cleared. Within a sitting only a higher sequence number changes
it; of several sittings the one that was opened last has the word.
"""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from enum import IntEnum, StrEnum
from typing import TYPE_CHECKING, Protocol

from functions.platform.errors import Malformed

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Self

FINISHED_SHARE = 0.95
"""A title is finished where its credits roll: they take about a twentieth of a film."""

RESUME_FROM_S = 5.0
"""Who stopped earlier than this begins anew."""

SEEN_SHARE = 0.1
SEEN_S = 300.0
"""Who only leaps through a title has not watched it: a tenth of it, or five minutes, must have been played."""

KEPT_FOR = timedelta(days=730)
UNWATCHED_KEPT_FOR = timedelta(days=2)
"""A view vanishes so long after its last heartbeat; one that was opened and never watched, after its tickets."""

_WITH_ITS_SITTING = datetime.min.replace(tzinfo=UTC)

_PLACE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z~[a-z0-9-]{1,60}")


class Kind(StrEnum):
    """What is kept of a viewer and a title."""

    VIEW = "view"
    LISTED = "listed"
    RATED = "rated"


class Milestone(IntEnum):
    """How much of a view the graph has been told."""

    NONE = 0
    HALF = 1
    END = 2


@dataclass(frozen=True, slots=True)
class Quality:
    """How well the picture came, as the player counts it since the sitting began."""

    startup_ms: int | None = None
    rebuffers: int = 0
    rebuffer_ms: int = 0
    bitrate_kbps: int | None = None
    dropped_frames: int = 0


@dataclass(frozen=True, slots=True)
class Sitting:
    """One opening of a title by a viewer, as its ticket tells it; `opened_at` is in whole milliseconds."""

    user_id: str
    title_id: str
    playback_id: str
    opened_at: datetime
    duration_s: float

    @property
    def order(self) -> tuple[datetime, str]:
        """Return by what sittings are ordered: the later opened has the word."""
        return self.opened_at, self.playback_id


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """What a player tells: where it is, and for how long it has played in this sitting if it counts that."""

    sequence: int
    position_s: float
    watched_s: float | None = None
    quality: Quality = field(default_factory=Quality)


@dataclass(frozen=True, slots=True)
class View:
    """How far a viewer got with a title.

    `sitting` is the one that has the word and `sequence` its last heartbeat, -1 before the first. `played_s` is what
    was played in it, None where its player does not count; `earlier_s` what was played in sittings before. It was made
    at `made_at`, with its sitting if that is not given; what happened before belongs to a view that was cleared.
    """

    sitting: Sitting
    sequence: int = -1
    position_s: float = 0.0
    watched_at: datetime | None = None
    played_s: float | None = 0.0
    earlier_s: float = 0.0
    told: Milestone = Milestone.NONE
    quality: Quality = field(default_factory=Quality)
    made_at: datetime = _WITH_ITS_SITTING

    def __post_init__(self) -> None:
        if self.made_at is _WITH_ITS_SITTING:
            object.__setattr__(self, "made_at", self.sitting.opened_at)

    @property
    def user_id(self) -> str:
        """Return whose view it is."""
        return self.sitting.user_id

    @property
    def title_id(self) -> str:
        """Return which title was viewed."""
        return self.sitting.title_id

    @property
    def duration_s(self) -> float:
        """Return the length of the title when it was last opened."""
        return self.sitting.duration_s

    @property
    def progress(self) -> float:
        """Return how far the position is, from 0 to 1."""
        return min(1.0, self.position_s / self.duration_s) if self.duration_s > 0 else 0.0

    @property
    def finished(self) -> bool:
        """Say whether the title was watched to its credits."""
        return self.progress >= FINISHED_SHARE

    @property
    def unfinished(self) -> bool:
        """Say whether there is a place to go on from."""
        return self.watched_at is not None and not self.finished and self.position_s >= RESUME_FROM_S

    @property
    def resume_s(self) -> float:
        """Return where to go on: 0 where the title is finished or has hardly begun."""
        return self.position_s if self.unfinished else 0.0

    @property
    def place(self) -> str | None:
        """Return where the view stands in the history: what was watched later sorts higher; None if nothing was."""
        return place_of(self.watched_at, self.title_id) if self.watched_at else None

    @property
    def kept_for(self) -> timedelta:
        """Return how long after its last change the view vanishes."""
        return KEPT_FOR if self.watched_at else UNWATCHED_KEPT_FOR

    @property
    def due(self) -> Milestone:
        """Return what the graph should know by now, NONE if it knows."""
        played = None if self.played_s is None else self.played_s + self.earlier_s
        if played is not None and played < min(SEEN_S, SEEN_SHARE * self.duration_s):
            return Milestone.NONE
        reached = Milestone.END if self.finished else Milestone.HALF if self.progress >= 0.5 else Milestone.NONE
        return reached if reached > self.told else Milestone.NONE

    def after(self, beat: Heartbeat, sitting: Sitting, now: datetime) -> Self:
        """Return the view after a heartbeat of a sitting; itself where the heartbeat comes too late to count."""
        mine = sitting.playback_id == self.sitting.playback_id
        if (mine and beat.sequence <= self.sequence) or (not mine and sitting.order <= self.sitting.order):
            return self
        earlier_s, told = self.earlier_s, self.told
        if not mine:
            earlier_s += self.played_s or 0.0
            if told is Milestone.END:  # it is watched once more, and told once more
                earlier_s, told = 0.0, Milestone.NONE
        return replace(
            self,
            sitting=sitting,
            sequence=beat.sequence,
            position_s=min(beat.position_s, sitting.duration_s),
            watched_at=to_milliseconds(now),
            played_s=beat.watched_s,
            earlier_s=earlier_s,
            told=told,
            quality=beat.quality,
        )

    def having_told(self, milestone: Milestone) -> Self:
        """Return the view of which the graph knows as much."""
        return replace(self, told=max(self.told, milestone))


@dataclass(frozen=True, slots=True)
class Mark:
    """A title on a viewer's list, or their rating of it: 1 up, -1 down, 0 for a title that is listed."""

    kind: Kind
    user_id: str
    title_id: str
    at: datetime
    rating: int = 0


@dataclass(frozen=True, slots=True)
class Kept:
    """A view as it lies in the store: `version` names this state of it."""

    view: View
    version: str


@dataclass(frozen=True, slots=True)
class Traces:
    """All that is kept of a viewer and one title."""

    view: View | None = None
    listed_at: datetime | None = None
    rating: int = 0


@dataclass(frozen=True, slots=True)
class Everything:
    """All that is kept of one viewer, in no order."""

    user_id: str
    views: tuple[View, ...] = ()
    marks: tuple[Mark, ...] = ()


class UsageStore(Protocol):
    """Where usage is kept. Every method raises StoreUnavailable while the store is away or has too much to do."""

    def view(self, user_id: str, title_id: str) -> Kept | None:
        """Return a view, or None."""

    def add(self, view: View) -> bool:
        """Keep a new view; return False, changing nothing, if there is one."""

    def change(self, view: View, *, over: str) -> bool:
        """Keep a view in place of that version; return False, changing nothing, if that is no longer there."""

    def views(self, user_id: str, *, unfinished: bool, below: str | None, limit: int) -> list[View]:
        """Return what a viewer watched, the latest first, from below a place on; only unfinished ones if asked."""

    def put(self, mark: Mark) -> None:
        """Keep a mark in place of any earlier one of its kind on the title."""

    def marks(self, user_id: str, kind: Kind) -> list[Mark]:
        """Return all marks of a kind that a viewer set, the latest first."""

    def traces(self, user_id: str, title_id: str) -> Traces:
        """Return all that is kept of a viewer and a title."""

    def everyone(self, *, after: str) -> Iterator[Everything]:
        """Yield the viewers of whom anything is kept, by id from above one on."""

    def remove(self, user_id: str, kind: Kind, title_id: str) -> None:
        """Remove one thing; what is not there is removed already."""

    def remove_all(self, user_id: str, *kinds: Kind) -> None:
        """Remove all things of these kinds that are kept of a viewer."""


def to_milliseconds(at: datetime) -> datetime:
    """Return a time as precisely as every store keeps it."""
    return at.replace(microsecond=at.microsecond // 1000 * 1000)


def text_of(at: datetime) -> str:
    """Return a time as text that sorts as the times do."""
    utc = at.astimezone(UTC)
    return f"{utc:%Y-%m-%dT%H:%M:%S}.{utc.microsecond // 1000:03d}Z"


def place_of(at: datetime, title_id: str) -> str:
    """Return where a title that was watched at a time stands in the history; no two of a viewer's are equal."""
    return f"{text_of(at)}~{title_id}"


def cursor_after(place: str) -> str:
    """Return the opaque name of the page of history that begins below a place."""
    return base64.urlsafe_b64encode(place.encode()).decode().rstrip("=")


def read_cursor(cursor: str) -> str:
    """Return the place a cursor stands for; raise Malformed if no page ever gave it out."""
    try:
        place = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True).decode("ascii")
    except ValueError:
        place = ""
    if not _PLACE.fullmatch(place):
        raise Malformed("The cursor is not one that a page of the history gave; begin again without it.")
    return place
