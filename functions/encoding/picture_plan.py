"""The video stream of a source, and how its pictures are processed before they are scaled."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction


@dataclass(frozen=True, slots=True)
class PicturePlan:
    """The video stream of the source, and how it is processed before scaling.

    `stream` is its index in the source. `shift`, in seconds, moves its first frame onto the grid; the shift is less
    than half a frame, so the sound stays in sync. `origin` is the time, in seconds, with which the source begins.
    `field_order`, "tff" or "bff", is set if the pictures do not state their order of fields themselves. With
    `telecine`, the fields of film frames are joined again, and the grid has the frame rate of the film.
    """

    stream: int
    codec: str
    shift: Fraction
    variable_rate: bool
    deinterlace: bool
    tone_map: bool
    origin: Fraction = Fraction(0)
    field_order: str = ""
    telecine: bool = False
