"""How a picture is scanned: frame by frame, interlaced, or film that was converted to television (telecine).

Containers often do not say which. For sources that may be affected, a few seconds are decoded.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from functions.encoding.ffmpeg_commands import scan_arguments
from functions.encoding.frame_rates import FILM, TELEVISION_RATES
from functions.encoding.work_folders import work_folder

if TYPE_CHECKING:
    from collections.abc import Sequence
    from fractions import Fraction

    from functions.encoding.ffmpeg import FFmpeg
    from functions.encoding.planning.probe import ProbedSource

SAMPLE_AT = (0.1, 0.5, 0.9)
"""Positions in the film at which a sample is taken."""

SAMPLE_S = 3
SCAN_LIMIT_S = 60

SAMPLE_CPU_S = 4
"""CPU-seconds in which a sample must be decoded; the largest interlaced pictures, those of 1080i, take about one."""

_STANDARD_HEIGHT = 576
"""The largest height of standard definition. Above this height, the stream of an interlaced picture says that it is
interlaced."""

_FLAGGED = {"tt": "tff", "bb": "bff", "tb": "tff", "bt": "bff"}
_COUNT = re.compile(r"lavfi\.idet\.(repeated|multiple)\.(\w+)=([\d.]+)")
_FEWEST_FRAMES = 40


@dataclass(frozen=True, slots=True)
class Scan:
    """The scan of a picture: `field_order` is "tff" or "bff" if it has fields from different times, else ""."""

    field_order: str = ""
    telecine: bool = False


@dataclass(frozen=True, slots=True)
class ScanSample:
    """What ffmpeg's `idet` counted in a sample: frames that repeat a field, and frames by the order of their fields."""

    neither: float
    top: float
    bottom: float
    tff: float
    bff: float
    progressive: float

    @property
    def is_telling(self) -> bool:
        """Return whether enough frames differ from the previous one to tell how they were made."""
        return self.neither + self.top + self.bottom >= _FEWEST_FRAMES and self.neither >= self.total * 0.4

    @property
    def total(self) -> float:
        """Return the number of frames."""
        return self.neither + self.top + self.bottom

    @property
    def is_telecine(self) -> bool:
        """Return whether the sample is film in 30000/1001 frames a second: of five frames, two repeat a field each."""
        share = (self.top / self.total, self.bottom / self.total)
        return all(0.17 <= part <= 0.23 for part in share) and self.tff + self.bff > 0

    @property
    def order(self) -> str:
        """Return the order of fields if nearly all frames are interlaced in the same order, else ""."""
        known = self.tff + self.bff + self.progressive
        return next((n for n, count in (("tff", self.tff), ("bff", self.bff)) if count > known * 0.9), "")


def find_scan(
    ffmpeg: FFmpeg, address: str, source: ProbedSource, *, work_dir: str, limit_s: float = SCAN_LIMIT_S
) -> Scan:
    """Return the scan of a source's picture; decode samples if the source does not state it reliably.

    Raises RunTooLong if one of them takes longer than `limit_s` seconds.
    """
    grid = source.grid
    if not _is_doubtful(grid.rate, source.field_order, source.height):
        return Scan(source.field_order)
    lasts = float(grid.seconds(grid.frames))
    places = [lasts * at for at in SAMPLE_AT] if lasts > SAMPLE_S * 10 else [0.0]
    samples = [_sample(ffmpeg, address, source.picture.stream, at, work_dir, limit_s) for at in places]
    return scan_of([sample for sample in samples if sample and sample.is_telling], source.field_order, grid.rate)


def stated_field_order(stream: dict[str, Any]) -> str:
    """Return the order of fields that ffprobe found in a stream, "tff" or "bff", or "" if frames have no fields."""
    return _FLAGGED.get(str(stream.get("field_order", "")), "")


def scan_of(samples: Sequence[ScanSample], flagged: str, rate: Fraction) -> Scan:
    """Return how a picture is scanned, judged by its conclusive samples.

    `flagged` is the order of fields that the stream states, or ""; it prevails over the order in the samples.
    """
    orders = {sample.order for sample in samples}
    order = flagged or (orders.pop() if len(orders) == 1 else "")
    # Only if every sample is telecined: in a mixture, the conversion would drop frames of video.
    if samples and rate == FILM * 5 / 4 and all(sample.is_telecine for sample in samples):
        return Scan(order or "tff", telecine=True)
    return Scan(order)


def _is_doubtful(rate: Fraction, flagged: str, height: int) -> bool:
    return rate == FILM * 5 / 4 if flagged else rate in TELEVISION_RATES and height <= _STANDARD_HEIGHT


def _sample(ffmpeg: FFmpeg, address: str, stream: int, at_s: float, work_dir: str, limit_s: float) -> ScanSample | None:
    """Decode a sample; return None if nothing can be decoded there."""
    with work_folder("scan", work_dir) as folder:
        arguments = scan_arguments(address, stream=stream, at_s=at_s, lasts_s=SAMPLE_S)
        result = ffmpeg.run(arguments, folder=folder, limit_s=limit_s, cpu_s=SAMPLE_CPU_S)
    ffmpeg.raise_if_unreachable(result)
    # The counts grow from frame to frame; the last counts are those of the whole sample.
    counts = {f"{kind}.{name}": float(count) for kind, name, count in _COUNT.findall(result.output)}
    if not counts:
        return None
    repeated = (counts.get(f"repeated.{name}", 0) for name in ("neither", "top", "bottom"))
    multiple = (counts.get(f"multiple.{name}", 0) for name in ("tff", "bff", "progressive"))
    return ScanSample(*repeated, *multiple)
