"""How much of a track is stored, and what is wrong with it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from functions.encoding.loudness import TrackLoudness  # noqa: TC001 - msgspec reads the annotations


class TrackFault(StrEnum):
    """Why a track of the source is left out or published only in part; a new attempt would give the same result."""

    EMPTY = "empty"
    DAMAGED = "damaged"
    CUT = "cut"
    """The track ends early; the part before that is published."""
    GAPS = "gaps"
    """Parts of the track cannot be decoded; they are published as silence."""


@dataclass(frozen=True, slots=True)
class TrackState:
    """How much of a track is stored: whole segments and their ticks; `complete` is true once all is stored.

    `size` is the size in bytes of a complete track, without its init segment; 0 if it is unknown. `loudness` is that of
    a complete audio track, if it was measured.
    """

    segments: int = 0
    ticks: int = 0
    complete: bool = False
    size: int = 0
    fault: TrackFault | None = None
    loudness: TrackLoudness | None = None

    @property
    def left_out(self) -> bool:
        """Return whether the track is not published."""
        return self.fault in (TrackFault.EMPTY, TrackFault.DAMAGED)
