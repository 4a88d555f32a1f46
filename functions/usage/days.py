"""Viewing by day, without a trace of who watched what: hours, start-ups and stalls of all viewers together.

Time is counted in whole minutes, rounded for each viewing session, so most heartbeats change nothing.
"""

from __future__ import annotations

from dataclasses import astuple, dataclass
from typing import TYPE_CHECKING

from functions.usage.quality import LONGEST_STARTUP_S, MOST_STALLS_BETWEEN_BEATS

if TYPE_CHECKING:
    from functions.usage.model import View


@dataclass(frozen=True, slots=True)
class DayViewing:
    """What was counted: minutes watched, playbacks that began, their startup times, and stalls."""

    minutes: int = 0
    starts: int = 0
    startup_ms: int = 0
    stalls: int = 0
    stalled_ms: int = 0

    def __add__(self, other: DayViewing) -> DayViewing:
        """Return the sum of each count."""
        return DayViewing(*(mine + its for mine, its in zip(astuple(self), astuple(other), strict=True)))


NO_VIEWING = DayViewing()


def viewing_between(before: View, after: View) -> DayViewing:
    """Return what a heartbeat adds to its day, given the view before and after it.

    The values come from the player, so no more is counted than can have happened in the time that has passed.
    """
    same = before.session.playback_id == after.session.playback_id
    if after.watched_at is None or (same and after.sequence == before.sequence):
        return NO_VIEWING
    since = before.watched_at if same and before.watched_at else after.session.opened_at
    passed_s = max(0.0, (after.watched_at - since).total_seconds())
    startup_ms = after.quality.startup_ms
    begins = startup_ms is not None and startup_ms <= LONGEST_STARTUP_S * 1000
    is_new = begins and (not same or before.quality.startup_ms is None)
    stalls = after.quality.rebuffers - (before.quality.rebuffers if same else 0)
    stalled_ms = after.quality.rebuffer_ms - (before.quality.rebuffer_ms if same else 0)
    minutes = _minutes(after.played_s) - (_minutes(before.played_s) if same else 0)
    return DayViewing(
        minutes=min(max(0, minutes), int(passed_s // 60) + 1),
        starts=int(is_new),
        startup_ms=startup_ms or 0 if is_new else 0,
        stalls=min(max(0, stalls), MOST_STALLS_BETWEEN_BEATS),
        stalled_ms=min(max(0, stalled_ms), int(passed_s * 1000)),
    )


def _minutes(played_s: float | None) -> int:
    """Return the time that a session has played, rounded to whole minutes; 0 if its player does not count it."""
    return int((played_s or 0.0) + 30) // 60
