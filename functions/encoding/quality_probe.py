"""Choose how strongly to compress a chunk, and measure the quality of the result."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from functions.encoding.ffmpeg_commands import DEFAULT_CRF, INIT, SEGMENT, default_crf
from functions.encoding.quality import crf_for, read_vmaf, target_of
from functions.encoding.quality_commands import (
    FRAMES_FILE,
    SAMPLE_FILE,
    compare_arguments,
    report_name,
    sample_arguments,
    window_arguments,
    window_of,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from functions.encoding.ffmpeg import FFmpeg
    from functions.encoding.model import Chunk, EncodePlan

log = logging.getLogger(__name__)

LIMIT_S = 300
"""Time limit of one ffmpeg run, in seconds."""


@dataclass(frozen=True, slots=True)
class ChosenQuality:
    """The CRF of each rendition of a chunk, and the CPU-seconds that it took to find them."""

    crfs: Mapping[str, float] = field(default_factory=dict)
    cpu_s: float = 0.0


@dataclass(frozen=True, slots=True)
class MeasuredQuality:
    """The VMAF of each measured second, by rendition, and when these seconds begin in the film."""

    vmafs: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    at: tuple[float, ...] = ()
    cpu_s: float = 0.0


class QualityProbe:
    """Encodes samples of chunks and compares them with the source; also compares `measured_s` seconds of each chunk.

    `vmaf` is the ffmpeg that has libvmaf; it only reads files that `ffmpeg` has written. Without `vmaf`, nothing is
    measured and every CRF is the default. `watch` is called while either ffmpeg runs; an exception that it raises ends
    the run. A failed measurement is logged: a chunk is then encoded with the default CRF, or stored without its
    quality.
    """

    def __init__(self, ffmpeg: FFmpeg, vmaf: FFmpeg | None, *, measured_s: int = 0) -> None:
        self._ffmpeg = ffmpeg
        self._vmaf = vmaf
        self._measured_s = measured_s

    def choose(
        self, plan: EncodePlan, chunk: Chunk, address: str, *, folder: Path, watch: Callable[[], None]
    ) -> ChosenQuality:
        """Return the CRFs with which the renditions of a chunk reach the target of the plan.

        The same source gives the same CRFs, even if a chunk is encoded again. The first chunk of a film of several
        chunks uses the default, so that nothing delays the first picture. Raises if the source cannot be read, because
        another attempt may succeed.
        """
        if self._vmaf is None or not plan.target_vmaf or (chunk.index == 0 and len(plan.chunks) > 1):
            return ChosenQuality()
        arguments = sample_arguments(plan, chunk, address, crf=DEFAULT_CRF)
        yields = chunk.index > 0
        made = self._ffmpeg.run(arguments, folder=folder, limit_s=LIMIT_S, watch=watch, yields=yields)
        self._ffmpeg.raise_if_unreachable(made)
        if made.status:
            log.warning("chunk %d: its samples could not be encoded: %s", chunk.index, made.last_words)
            return ChosenQuality(cpu_s=made.cpu_s)
        best = plan.renditions[0]
        reports, cpu_s = self._compare(
            self._vmaf, plan, chunk, {best.name: folder / SAMPLE_FILE}, folder=folder, watch=watch
        )
        # VMAF takes the first frame for a still picture, because no motion precedes it.
        values = [value for number, value in reports.get(best.name, {}).items() if number]
        crfs: dict[str, float] = {}
        if values:
            # With the same CRF, the smaller renditions have nearly the same quality, each in its own size.
            for each in plan.renditions:
                target = target_of(each, best, vmaf=plan.target_vmaf)
                crfs[each.name] = crf_for(target, vmaf=_mean(values), crf=default_crf(each))
        log.info("chunk %d: CRF %s, found in %.1f CPU-s", chunk.index, crfs, made.cpu_s + cpu_s)
        return ChosenQuality(crfs, made.cpu_s + cpu_s)

    def measure(
        self, plan: EncodePlan, chunk: Chunk, address: str, *, folder: Path, watch: Callable[[], None]
    ) -> MeasuredQuality:
        """Return the quality of the encoded segments of a chunk, which are in `folder`."""
        if self._vmaf is None or not self._measured_s:
            return MeasuredQuality()
        window = window_of(plan, chunk, seconds=self._measured_s)
        files = {}
        for rendition in plan.renditions:
            parts = [folder / rendition.name / name for name in (INIT, SEGMENT % window.first_segment)]
            if not all(part.exists() for part in parts):  # the film turned out shorter than planned
                return MeasuredQuality()
            files[rendition.name] = folder / f"measured-{rendition.name}.mp4"
            files[rendition.name].write_bytes(b"".join(part.read_bytes() for part in parts))
        arguments = window_arguments(plan, window, address)
        yields = chunk.index > 0
        made = self._ffmpeg.run(arguments, folder=folder, limit_s=LIMIT_S, watch=watch, yields=yields)
        if made.status:
            log.warning("chunk %d: its quality could not be measured: %s", chunk.index, made.last_words)
            return MeasuredQuality(cpu_s=made.cpu_s)
        reports, cpu_s = self._compare(self._vmaf, plan, chunk, files, folder=folder, watch=watch)
        if not reports:
            return MeasuredQuality(cpu_s=made.cpu_s + cpu_s)
        second = max(1, round(plan.grid.rate))
        count = min(max(report) + 1 for report in reports.values())
        starts = range(0, max(1, count - second // 2), second)
        vmafs = {
            name: tuple(
                round(_mean([value for number, value in report.items() if at <= number < at + second]), 2)
                for at in starts
            )
            for name, report in reports.items()
        }
        begin = [round(float(plan.grid.seconds(window.first_frame + at)), 3) for at in starts]
        return MeasuredQuality(vmafs, tuple(begin), made.cpu_s + cpu_s)

    def _compare(
        self,
        vmaf: FFmpeg,
        plan: EncodePlan,
        chunk: Chunk,
        files: Mapping[str, Path],
        *,
        folder: Path,
        watch: Callable[[], None],
    ) -> tuple[dict[str, dict[int, float]], float]:
        """Return the VMAF of each frame by rendition, empty if one could not be measured; and the CPU-seconds."""
        reports = {name: folder / report_name(name) for name in files}
        for report in reports.values():
            report.unlink(missing_ok=True)
        arguments = compare_arguments(plan, folder, files)
        result = vmaf.run(arguments, folder=folder, limit_s=LIMIT_S, watch=watch, yields=chunk.index > 0)
        (folder / FRAMES_FILE).unlink(missing_ok=True)
        if result.status or not all(report.exists() for report in reports.values()):
            log.warning("chunk %d could not be compared with the source: %s", chunk.index, result.last_words)
            return {}, result.cpu_s
        values = {name: read_vmaf(report.read_text()) for name, report in reports.items()}
        return (values if all(values.values()) else {}), result.cpu_s


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)
