"""Find the renditions that show no more detail than a smaller one, and need not be encoded.

A source that was enlarged, or a soft one, can be scaled down and up again without a visible difference. At the same
bitrate, the smaller rendition is then as good or better, so the larger one adds nothing to the convex hull of the
title: the best quality at each bitrate, over all sizes. Decision 60 has the figures.
"""

from __future__ import annotations

import logging
import math
import re
from dataclasses import dataclass, replace
from enum import StrEnum
from itertools import takewhile
from typing import TYPE_CHECKING

from functions.encoding.ffmpeg import RunTooLong
from functions.encoding.quality import lines_of
from functions.encoding.quality_commands import detail_arguments, detail_report_name
from functions.encoding.work_folders import work_folder

if TYPE_CHECKING:
    from collections.abc import Sequence

    from functions.encoding.ffmpeg import FFmpeg
    from functions.encoding.planning.probe import ProbedSource
    from functions.encoding.renditions import Rendition

log = logging.getLogger(__name__)

SAME_DB = 50.0
"""A smaller rendition shows the same if, enlarged, the brightness of all sampled pictures has at least this PSNR."""

FINER_PER_OCTAVE = 6.0
"""By how much the CRF of the best rendition is lowered for each halving of its lines, so that it looks as good."""

MOST_OCTAVES = 1.0
"""The best rendition has at least half of the lines; a smaller one would reach the limit of its bitrate."""

FEWEST = 2
"""How many renditions a title keeps, copied pictures included; the smallest one, for mobile networks, always stays."""

SAMPLE_AT = (0.1, 0.3, 0.5, 0.7, 0.9)
"""Positions in the film near which a key frame is compared."""

LIMIT_S, CPU_S = 5, 10
"""Seconds and CPU-seconds within which the comparison must end; otherwise, all renditions are encoded."""

_PSNR = re.compile(r"psnr_y:(inf|[\d.]+)")


class RenditionChoice(StrEnum):
    """The values of `ENCODE_RENDITIONS`."""

    NEEDED = "needed"
    ALL = "all"
    ON_DEMAND = "on-demand"


@dataclass(frozen=True, slots=True)
class NeededRenditions:
    """The renditions to encode, best first, and those that are left out."""

    encoded: tuple[Rendition, ...]
    left_out: tuple[Rendition, ...] = ()

    @property
    def note(self) -> str | None:
        """Return the sentence for the owner, or None if all are encoded."""
        if not self.left_out:
            return None
        sizes = ", ".join(f"{lines_of(each)}p" for each in self.left_out)
        best = f"{lines_of(self.encoded[0])}p"
        if len(self.left_out) == 1:
            return f"{sizes} was left out, because the film has no more detail than {best} shows."
        return f"{sizes} were left out, because the film has no more detail than {best} shows."


def find_needed(
    ffmpeg: FFmpeg, address: str, source: ProbedSource, renditions: Sequence[Rendition], *, copies: int, work_dir: str
) -> NeededRenditions:
    """Return which of the renditions of a source add detail; `copies` renditions are not encoded but copied.

    If the pictures cannot be compared in time, or are interlaced, all renditions are needed.
    """
    everything = NeededRenditions(tuple(renditions))
    picture = source.picture
    if copies + len(renditions) <= FEWEST or picture.deinterlace or picture.telecine:
        return everything
    lasts_s = float(source.grid.seconds(source.grid.frames))
    begins_s = [lasts_s * at for at in SAMPLE_AT]
    with work_folder("detail", work_dir) as folder:
        arguments = detail_arguments(renditions, address, stream=picture.stream, begins_s=begins_s)
        try:
            result = ffmpeg.run(arguments, folder=folder, limit_s=LIMIT_S, cpu_s=CPU_S)
        except RunTooLong:
            log.warning("the detail of %s takes too long to compare", source.container)
            return everything
        ffmpeg.raise_if_unreachable(result)
        reports = [folder / detail_report_name(each) for each in renditions[:-1]]
        if result.status or not all(report.exists() for report in reports):
            log.warning("the detail of the pictures could not be compared: %s", result.last_words)
            return everything
        worst = [worst_psnr(report.read_text()) for report in reports]
    log.info("detail: %s", dict(zip((each.name for each in renditions), worst, strict=False)))
    return needed_of(renditions, worst, copies=copies)


def needed_of(renditions: Sequence[Rendition], worst_db: Sequence[float | None], *, copies: int) -> NeededRenditions:
    """Return which renditions are needed; `worst_db` has, for all but the last, the PSNR of the next one, enlarged.

    It is None where no picture was telling.
    """
    smaller = list(zip(renditions[1:], worst_db, strict=True))[: max(0, copies + len(renditions) - FEWEST)]
    same = takewhile(
        lambda each: (each[1] or 0) >= SAME_DB and _octaves(renditions[0], each[0]) <= MOST_OCTAVES, smaller
    )
    first = sum(1 for _ in same)
    if not first or copies:
        return NeededRenditions(tuple(renditions[first:]), tuple(renditions[:first]))
    finer = round(FINER_PER_OCTAVE * _octaves(renditions[0], renditions[first]), 1)
    best = replace(renditions[first], finer=finer)
    return NeededRenditions((best, *renditions[first + 1 :]), tuple(renditions[:first]))


def _octaves(larger: Rendition, smaller: Rendition) -> float:
    return math.log2(lines_of(larger) / lines_of(smaller))


def worst_psnr(report: str) -> float | None:
    """Return the lowest PSNR of brightness in the report of the filter `psnr`, or None if no picture tells.

    A picture without any difference, such as a black one, does not.
    """
    values = [float(value) for value in _PSNR.findall(report) if value != "inf"]
    return min(values, default=None)
