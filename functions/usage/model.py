"""The domain of usage: views, the heartbeats that update them, and the marks that viewers set on titles.

A view records how far one viewer got with one title. Opening the title creates the view; heartbeats only update it, so
a late heartbeat never restores a view that the viewer has cleared. Within a viewing session, only a higher sequence
number changes the view; among several sessions, the most recently opened one wins.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from enum import IntEnum, StrEnum
from typing import TYPE_CHECKING

from functions.platform.pagination import title_position

if TYPE_CHECKING:
    from typing import Self

FINISHED_SHARE = 0.95
"""A title counts as finished when its credits begin; credits take about a twentieth of a film."""

RESUME_FROM_S = 5.0
"""A viewer who stopped before this position starts from the beginning."""

SEEN_SHARE = 0.1
SEEN_S = 300.0
"""A title counts as watched only if a tenth of it, or five minutes if that is less, was played and not skipped."""

KEPT_FOR = timedelta(days=730)
UNWATCHED_KEPT_FOR = timedelta(days=2)
"""How long a view is kept after its last heartbeat or, without one, after its creation; tickets expire earlier."""

_WITH_ITS_SESSION = datetime.min.replace(tzinfo=UTC)


class UsageKind(StrEnum):
    """The kind of a stored item about a viewer and a title."""

    VIEW = "view"
    LISTED = "listed"
    RATED = "rated"


class Milestone(IntEnum):
    """How much of a title has been reported to the graph as watched."""

    NONE = 0
    HALF = 1
    END = 2


@dataclass(frozen=True, slots=True)
class Quality:
    """The quality of playback, as counted by the player since the viewing session began."""

    startup_ms: int | None = None
    rebuffers: int = 0
    rebuffer_ms: int = 0
    bitrate_kbps: int | None = None
    dropped_frames: int = 0


@dataclass(frozen=True, slots=True)
class ViewingSession:
    """One opening of a title by a viewer, as stored in its ticket; `opened_at` is in whole milliseconds."""

    user_id: str
    title_id: str
    playback_id: str
    opened_at: datetime
    duration_s: float

    @property
    def order(self) -> tuple[datetime, str]:
        """Return the sort key of sessions, which is greatest for the most recently opened one."""
        return self.opened_at, self.playback_id


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """A player's report: its position and, if the player counts it, the time played in this session.

    `plays_av1` says whether its browser can play the title in AV1, and decrypt it if it is encrypted.
    """

    sequence: int
    position_s: float
    watched_s: float | None = None
    quality: Quality = field(default_factory=Quality)
    plays_av1: bool = False


@dataclass(frozen=True, slots=True)
class View:
    """How far a viewer got with a title.

    `session` is the winning session, and `sequence` the number of its last heartbeat, -1 before the first. `played_s`
    is the time played in that session, or None if its player does not count; `earlier_s` is the time played in earlier
    sessions. `made_at` is when the view was created, by default the start of its session. Anything from before this
    time belongs to a cleared view. `reported` is the milestone that has been reported to the graph. If a title is
    watched again after its end, the milestones start again, and `finished_before` is true.
    """

    session: ViewingSession
    sequence: int = -1
    position_s: float = 0.0
    watched_at: datetime | None = None
    played_s: float | None = 0.0
    earlier_s: float = 0.0
    reported: Milestone = Milestone.NONE
    finished_before: bool = False
    quality: Quality = field(default_factory=Quality)
    made_at: datetime = _WITH_ITS_SESSION

    def __post_init__(self) -> None:
        if self.made_at is _WITH_ITS_SESSION:
            object.__setattr__(self, "made_at", self.session.opened_at)

    @property
    def user_id(self) -> str:
        """Return the viewer's id."""
        return self.session.user_id

    @property
    def title_id(self) -> str:
        """Return the title's id."""
        return self.session.title_id

    @property
    def duration_s(self) -> float:
        """Return the length of the title when it was last opened."""
        return self.session.duration_s

    @property
    def progress(self) -> float:
        """Return the position as a share of the length, from 0 to 1."""
        return min(1.0, self.position_s / self.duration_s) if self.duration_s > 0 else 0.0

    @property
    def finished(self) -> bool:
        """Return whether the title was watched to its credits."""
        return self.progress >= FINISHED_SHARE

    @property
    def unfinished(self) -> bool:
        """Return whether there is a position to resume from."""
        return self.watched_at is not None and not self.finished and self.position_s >= RESUME_FROM_S

    @property
    def resume_s(self) -> float:
        """Return the position at which to resume: 0 if the title is finished or was hardly begun."""
        return self.position_s if self.unfinished else 0.0

    @property
    def place(self) -> str | None:
        """Return the view's position in the history, or None if nothing was watched; later views sort higher."""
        return title_position(self.watched_at, self.title_id) if self.watched_at else None

    @property
    def kept_for(self) -> timedelta:
        """Return the time between the last change of the view and its deletion."""
        return KEPT_FOR if self.watched_at else UNWATCHED_KEPT_FOR

    @property
    def seen(self) -> bool:
        """Return whether the title has been reported to the graph as watched."""
        return self.reported > Milestone.NONE or self.finished_before

    @property
    def due(self) -> Milestone:
        """Return the milestone to report to the graph, or NONE if there is nothing new."""
        played = None if self.played_s is None else self.played_s + self.earlier_s
        if played is not None and played < min(SEEN_S, SEEN_SHARE * self.duration_s):
            return Milestone.NONE
        reached = Milestone.END if self.finished else Milestone.HALF if self.progress >= 0.5 else Milestone.NONE
        return reached if reached > self.reported else Milestone.NONE

    def after(self, beat: Heartbeat, session: ViewingSession, now: datetime) -> Self:
        """Return the view after a heartbeat of a session; the same view if the heartbeat is stale."""
        mine = session.playback_id == self.session.playback_id
        if (mine and beat.sequence <= self.sequence) or (not mine and session.order <= self.session.order):
            return self
        earlier_s, reported, finished_before = self.earlier_s, self.reported, self.finished_before
        if not mine:
            earlier_s += self.played_s or 0.0
            if reported is Milestone.END:  # the title is watched again, so it is reported again
                earlier_s, reported, finished_before = 0.0, Milestone.NONE, True
        return replace(
            self,
            session=session,
            sequence=beat.sequence,
            position_s=min(beat.position_s, session.duration_s),
            watched_at=to_milliseconds(now),
            played_s=beat.watched_s,
            earlier_s=earlier_s,
            reported=reported,
            finished_before=finished_before,
            quality=beat.quality,
        )

    def with_reported(self, milestone: Milestone) -> Self:
        """Return the view with `milestone` recorded as reported to the graph."""
        return replace(self, reported=max(self.reported, milestone))


@dataclass(frozen=True, slots=True)
class Mark:
    """A title on a viewer's list or their rating of it; `rating` is 1 for up, -1 for down, 0 for a listed title."""

    kind: UsageKind
    user_id: str
    title_id: str
    at: datetime
    rating: int = 0

    @property
    def place(self) -> str:
        """Return the mark's position among the marks of its kind; later marks sort higher."""
        return title_position(self.at, self.title_id)


@dataclass(frozen=True, slots=True)
class StoredView:
    """A view and its version in the store."""

    view: View
    version: str


@dataclass(frozen=True, slots=True)
class ViewerTitleState:
    """Everything that is stored about a viewer and one title."""

    view: View | None = None
    listed_at: datetime | None = None
    rating: int = 0


@dataclass(frozen=True, slots=True)
class ViewerUsage:
    """Everything that is stored about one viewer, in no particular order."""

    user_id: str
    views: tuple[View, ...] = ()
    marks: tuple[Mark, ...] = ()


def to_milliseconds(at: datetime) -> datetime:
    """Return a time with the precision that every store keeps."""
    return at.replace(microsecond=at.microsecond // 1000 * 1000)
