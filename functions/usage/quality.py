"""Metrics of playback quality: the time to the first picture, recorded once per playback, and stalls as they happen.

The values come from the player, so implausible ones are limited or ignored.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from functions.platform.telemetry import Telemetry
    from functions.usage.model import View

LONGEST_STARTUP_S = 120.0
MOST_STALLS_BETWEEN_BEATS = 60
"""The largest plausible values. Above them, the viewer has left, the device was asleep, or the values are invented."""


def record_quality(telemetry: Callable[[], Telemetry], before: View, after: View) -> None:
    """Record the difference that a heartbeat makes to the metrics of its playback."""
    same = before.session.playback_id == after.session.playback_id
    if same and after.sequence == before.sequence:
        return  # the heartbeat is stale or repeated
    known_ms = before.quality.startup_ms if same else None
    startup_ms = after.quality.startup_ms
    if known_ms is None and startup_ms is not None and startup_ms <= LONGEST_STARTUP_S * 1000:
        telemetry().record("notflix.playback.startup_s", startup_ms / 1000)
        began = after.session.opened_at
        telemetry().root_span(
            f"playback:{after.session.playback_id}",
            "click to first picture",
            began=began,
            ended=began + timedelta(milliseconds=startup_ms),
            title=after.title_id,
        )
    stalls = after.quality.rebuffers - (before.quality.rebuffers if same else 0)
    if stalls > 0:
        telemetry().record("notflix.playback.rebuffers", min(stalls, MOST_STALLS_BETWEEN_BEATS))
