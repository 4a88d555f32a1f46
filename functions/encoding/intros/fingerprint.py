"""The fingerprint of a stretch of sound: a point of 32 bits for each eighth of a second, made by Chromaprint.

ffmpeg's muxer `chromaprint` makes them with Chromaprint's default algorithm, which turns sound into mono of 11,025 Hz,
and describes how the notes in it change (Chromaprint, `fingerprinter_configuration.cpp`). Similar sound has points that
differ in few bits, also after lossy compression.
"""

from __future__ import annotations

import sys
from array import array
from dataclasses import dataclass

SAMPLE_RATE = 11_025
FRAME_SAMPLES = 4096
STEP_SAMPLES = FRAME_SAMPLES // 3
STEP_S = STEP_SAMPLES / SAMPLE_RATE
"""Frames overlap by two thirds, so a point follows another after 0.1238 s; 30 s of sound give 221 points."""

POINT_S = 2.7
"""How much sound a point describes, in 16 rows that are smoothed over 5 frames; the last point of a stretch of sound
begins so long before its end."""

CENTRE_S = 0.75
"""The bits of a point depend most on the sound so long after its beginning; measured at the ends of shared sound."""


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """The points of a stretch of sound that begins at `begin_s` of the film."""

    begin_s: float
    points: tuple[int, ...] = ()

    def time_s(self, point: int) -> float:
        """Return the second of the film at which the sound that a point describes begins."""
        return self.begin_s + point * STEP_S


@dataclass(frozen=True, slots=True)
class EpisodeSound:
    """The fingerprints of the beginning and of the end of an episode that lasts `duration_s`."""

    duration_s: float
    beginning: Fingerprint
    ending: Fingerprint


def read_points(content: bytes) -> tuple[int, ...]:
    """Return the points that ffmpeg has written: unsigned integers of 32 bits in the byte order of the machine."""
    points = array("I")
    points.frombytes(content[: len(content) // 4 * 4])
    return tuple(points)


def to_bytes(points: tuple[int, ...]) -> bytes:
    """Return the stored form of points: unsigned little-endian integers of 32 bits."""
    stored = array("I", points)
    if sys.byteorder == "big":
        stored.byteswap()
    return stored.tobytes()
