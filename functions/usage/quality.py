"""How well films play, told as figures: the wait for the first picture once a playback, stalls as they come.

A player counts these itself, so whatever it says is taken for what a player can have seen and for no more.
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
"""Whoever waits longer, or stalls more often, has left, has slept, or makes it up."""


def report(telemetry: Callable[[], Telemetry], before: View, after: View) -> None:
    """Tell what a heartbeat adds to what is known of its playback."""
    same = before.sitting.playback_id == after.sitting.playback_id
    if same and after.sequence == before.sequence:
        return  # it came late, or twice
    known_ms = before.quality.startup_ms if same else None
    startup_ms = after.quality.startup_ms
    if known_ms is None and startup_ms is not None and startup_ms <= LONGEST_STARTUP_S * 1000:
        telemetry().record("notflix.playback.startup_s", startup_ms / 1000)
        began = after.sitting.opened_at
        telemetry().root_span(
            f"playback:{after.sitting.playback_id}",
            "click to first picture",
            began=began,
            ended=began + timedelta(milliseconds=startup_ms),
            title=after.title_id,
        )
    stalls = after.quality.rebuffers - (before.quality.rebuffers if same else 0)
    if stalls > 0:
        telemetry().record("notflix.playback.rebuffers", min(stalls, MOST_STALLS_BETWEEN_BEATS))
