"""The video stream of a source, and how its pictures are processed before they are scaled."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction


class HdrTransfer(StrEnum):
    """The transfer function of pictures in HDR, by ffmpeg's name: PQ (SMPTE ST 2084) or HLG (ARIB STD-B67)."""

    PQ = "smpte2084"
    HLG = "arib-std-b67"

    @property
    def code(self) -> int:
        """Return the code point of the function (ITU-T H.273, table 3)."""
        return 16 if self is HdrTransfer.PQ else 18

    @property
    def video_range(self) -> str:
        """Return its name in HLS (RFC 8216bis, 4.4.6.2)."""
        return "PQ" if self is HdrTransfer.PQ else "HLG"


@dataclass(frozen=True, slots=True)
class PicturePlan:
    """The video stream of the source, and how it is processed before scaling.

    `stream` is its index in the source. `shift`, in seconds, moves its first frame onto the grid; the shift is less
    than half a frame, so the sound stays in sync. `origin` is the time, in seconds, with which the source begins.
    `field_order`, "tff" or "bff", is set if the pictures do not state their order of fields themselves. With
    `telecine`, the fields of film frames are joined again, and the grid has the frame rate of the film. With
    `tone_map`, the pictures are in HDR and are published in SDR; `hdr` is set if AV1 can keep them in HDR.
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
    hdr: HdrTransfer | None = None
