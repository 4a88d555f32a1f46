"""The JSON of usage: the heartbeats and ratings that players and pages send, and the answers for pages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from msgspec import Meta, Struct, field

from functions.catalogue.schemas import Card
from functions.platform.field_types import Cursor, Day, DayCount, Limit, NextCursor, Time
from functions.platform.pagination import DEFAULT_LIMIT
from functions.usage.model import Heartbeat, Quality

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date
    from typing import Self

    from functions.catalogue.model import Title
    from functions.platform.pagination import Page
    from functions.usage.days import DayViewing
    from functions.usage.model import Mark, View, ViewerTitleState
    from functions.usage.service import HistoryItem, ListItem

Seconds = Annotated[float, Meta(ge=0, le=1_000_000)]
Count = Annotated[int, Meta(ge=0, le=2_000_000_000)]
"""The maximum is larger than any value that a session can reach, and fits into a store's 32-bit integer."""
Thumb = Annotated[Literal[1, -1], Meta(description="1: a thumb up, -1: a thumb down.")]


class QualityReport(Struct, frozen=True):
    """The quality of playback, as counted by the player since it opened the title."""

    startup_ms: Count | None = None
    rebuffers: Count = 0
    rebuffer_ms: Count = 0
    bitrate_kbps: Count | None = None
    dropped_frames: Count = 0


class HeartbeatReport(Struct, frozen=True):
    """A player's report while it plays."""

    ticket: Annotated[str, Meta(min_length=1, max_length=2000, description="The usage ticket of the session.")]
    sequence: Annotated[int, Meta(ge=0, le=2_000_000_000, description="Higher with each heartbeat of a session.")]
    position_s: Annotated[float, Meta(ge=0, le=1_000_000, description="Where the player is.")]
    watched_s: Seconds | None = None
    qoe: QualityReport = field(default_factory=QualityReport)
    av1: Annotated[
        bool, Meta(description="Whether the browser can play the film in AV1, and decrypt it if it is encrypted.")
    ] = False

    def heartbeat(self) -> Heartbeat:
        """Return the heartbeat."""
        qoe = self.qoe
        quality = Quality(qoe.startup_ms, qoe.rebuffers, qoe.rebuffer_ms, qoe.bitrate_kbps, qoe.dropped_frames)
        return Heartbeat(self.sequence, self.position_s, self.watched_s, quality, self.av1)


class RatingRequest(Struct, frozen=True):
    """A rating."""

    rating: Thumb


OtherProfile = Annotated[
    str,
    Meta(
        pattern=r"^([0-9a-f]{32})?$(?!\n)",
        description="Another profile of the account; only the main profile can read others.",
    ),
]


class HistoryQuery(Struct, frozen=True):
    """Which part of the history to list."""

    unfinished: Annotated[bool, Meta(description="Only titles that can be resumed.")] = False
    profile: OtherProfile = ""
    cursor: Cursor = ""
    limit: Limit = DEFAULT_LIMIT


class MarkQuery(Struct, frozen=True):
    """Which part of a list to return."""

    profile: OtherProfile = ""
    cursor: Cursor = ""
    limit: Limit = DEFAULT_LIMIT


class ViewingQuery(Struct, frozen=True):
    """What to report on."""

    days: DayCount = 30


class ViewingDay(Struct, frozen=True):
    """What all viewers together watched on a day."""

    day: Day
    watched_min: Annotated[int, Meta(description="Minutes, rounded for each viewing session.")]
    starts: Annotated[int, Meta(description="Playbacks that began.")]
    startup_ms: Annotated[int | None, Meta(description="Average time from click to first picture; null if none began.")]
    stalls: Annotated[int, Meta(description="How often playback stopped to load.")]
    stalled_s: Annotated[float, Meta(description="How long playback stopped to load, in all.")]

    @classmethod
    def of(cls, day: date, counted: DayViewing) -> Self:
        """Return the public form of a day."""
        startup_ms = round(counted.startup_ms / counted.starts) if counted.starts else None
        stalled_s = round(counted.stalled_ms / 1000, 1)
        return cls(day.isoformat(), counted.minutes, counted.starts, startup_ms, counted.stalls, stalled_s)


class ViewingReport(Struct, frozen=True):
    """What was watched, by day, oldest first."""

    days: list[ViewingDay]
    startup_ms: Annotated[int | None, Meta(description="Average of all playbacks; null if none began.")]

    @classmethod
    def of(cls, days: Iterable[tuple[date, DayViewing]]) -> Self:
        """Return the public form of a report."""
        counted = list(days)
        starts = sum(one.starts for _, one in counted)
        total_ms = sum(one.startup_ms for _, one in counted)
        return cls([ViewingDay.of(*each) for each in counted], round(total_ms / starts) if starts else None)


class WatchedPart(Struct, frozen=True, kw_only=True):
    """How far a viewer got with a title."""

    title_id: str
    position_s: float
    duration_s: float
    progress: Annotated[float, Meta(ge=0, le=1)]
    watched_at: Time | None
    finished: Annotated[bool, Meta(description="Whether the title was watched to its credits.")]

    @classmethod
    def of(cls, view: View) -> Self:
        """Return the public form of a view."""
        return cls(
            title_id=view.title_id,
            position_s=round(view.position_s, 3),
            duration_s=view.duration_s,
            progress=round(view.progress, 4),
            watched_at=view.watched_at,
            finished=view.finished,
        )


class WatchedTitle(WatchedPart, frozen=True, kw_only=True):
    """A title in the history."""

    title: Annotated[Card | None, Meta(description="Null if the title is withdrawn.")]

    @classmethod
    def with_title(cls, view: View, title: Title | None) -> Self:
        """Return the public form of a view and its title."""
        part = WatchedPart.of(view)
        values = {name: getattr(part, name) for name in part.__struct_fields__}
        return cls(**values, title=_card(title))


class HistoryPage(Struct, frozen=True):
    """A page of the history, latest first."""

    entries: list[WatchedTitle]
    cursor: NextCursor

    @classmethod
    def of(cls, page: Page[HistoryItem]) -> Self:
        """Return the public form of a page."""
        return cls([WatchedTitle.with_title(item.view, item.title) for item in page.entries], page.cursor)


class ListedTitle(Struct, frozen=True):
    """A title on the watch list."""

    title_id: str
    listed_at: Time
    title: Annotated[Card | None, Meta(description="Null if the title is withdrawn.")]


class WatchListPage(Struct, frozen=True):
    """A page of the watch list, latest first."""

    titles: list[ListedTitle]
    cursor: NextCursor

    @classmethod
    def of(cls, page: Page[ListItem]) -> Self:
        """Return the public form of a page."""
        entries = [ListedTitle(item.mark.title_id, item.mark.at, _card(item.title)) for item in page.entries]
        return cls(entries, page.cursor)


class GivenThumb(Struct, frozen=True):
    """A rating that the viewer gave."""

    title_id: str
    rating: Thumb
    rated_at: Time


class RatingPage(Struct, frozen=True):
    """A page of ratings, latest first."""

    ratings: list[GivenThumb]
    cursor: NextCursor

    @classmethod
    def of(cls, page: Page[Mark]) -> Self:
        """Return the public form of a page."""
        thumbs = [GivenThumb(mark.title_id, 1 if mark.rating > 0 else -1, mark.at) for mark in page.entries]
        return cls(thumbs, page.cursor)


class TitleUsage(Struct, frozen=True):
    """A viewer's state of a title: how far they got, whether it is on their list, and their rating."""

    view: WatchedPart | None
    resume_s: Annotated[float, Meta(description="Where to resume.")]
    listed: bool
    rating: Annotated[Literal[-1, 0, 1], Meta(description="0: not rated.")]

    @classmethod
    def of(cls, state: ViewerTitleState) -> Self:
        """Return the public form of a viewer's state of a title."""
        view = state.view if state.view and state.view.watched_at else None
        return cls(
            view=WatchedPart.of(view) if view else None,
            resume_s=round(view.resume_s, 3) if view else 0.0,
            listed=state.listed_at is not None,
            rating=state.rating,  # type: ignore[arg-type]
        )


def _card(title: Title | None) -> Card | None:
    return Card.of(title) if title else None
