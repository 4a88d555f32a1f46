"""The receipt of a title: what was spent on each of its renditions, and how good the pictures are.

A chunk records its result with its segments. When the title is ready, the results of all chunks make up the receipt,
which is small enough to be read with every job in a list.
"""

from __future__ import annotations

from collections.abc import Mapping  # noqa: TC003 - msgspec reads the annotations when it decodes a stored job
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from functions.encoding.loudness import TrackLoudness  # noqa: TC001

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from functions.encoding.model import EncodeJob, EncodePlan
    from functions.encoding.renditions import Rendition

LOW_SHARE = 0.05
"""`low_vmaf` is the VMAF below which this share of the measured seconds lies."""


@dataclass(frozen=True, slots=True)
class RenditionResult:
    """The result of a chunk in one rendition: the CRF of x264, bytes, and the VMAF of each measured second."""

    crf: float
    size: int
    vmafs: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class ChunkResult:
    """The results of a chunk; `measured_at` has the second of the film at which each measured second begins.

    `search_cpu_s` is the CPU time spent on finding the CRFs, `measure_cpu_s` that spent on measuring the quality.
    """

    renditions: Mapping[str, RenditionResult] = field(default_factory=dict)
    measured_at: tuple[float, ...] = ()
    search_cpu_s: float = 0.0
    measure_cpu_s: float = 0.0


@dataclass(frozen=True, slots=True)
class RenditionReceipt:
    """The sum of all chunks of a rendition: bytes, the range of its CRFs, and its quality in VMAF.

    `fixed_size` is the size that the rendition would have at its maximum bitrate. `low_vmaf` is exceeded by 95 % of the
    measured seconds; the worst second begins at `worst_at_s`. The quality is None if nothing was measured.
    """

    name: str
    width: int
    height: int
    size: int
    fixed_size: int
    lowest_crf: float
    highest_crf: float
    mean_vmaf: float | None = None
    low_vmaf: float | None = None
    worst_vmaf: float | None = None
    worst_at_s: float | None = None


@dataclass(frozen=True, slots=True)
class SoundReceipt:
    """An audio track whose loudness was brought to a target: its label, what was measured, and the applied gain."""

    name: str
    label: str
    loudness: TrackLoudness


@dataclass(frozen=True, slots=True)
class TitleReceipt:
    """The receipt of a title: its encoded renditions, best first, and how many seconds of each were measured.

    Of the CPU-seconds of its job, `search_cpu_s` were spent on finding the CRFs, `measure_cpu_s` on measuring. `sounds`
    has the audio tracks whose loudness was measured. `left_out` is that of the plan.
    """

    renditions: tuple[RenditionReceipt, ...]
    measured_s: int = 0
    search_cpu_s: float = 0.0
    measure_cpu_s: float = 0.0
    sounds: tuple[SoundReceipt, ...] = ()
    left_out: tuple[str, ...] = ()

    @property
    def size(self) -> int:
        """Return the bytes of all encoded renditions."""
        return sum(rendition.size for rendition in self.renditions)

    @property
    def saved(self) -> int:
        """Return how many bytes smaller the encoded renditions are than they would be at their maximum bitrates."""
        return sum(rendition.fixed_size for rendition in self.renditions) - self.size


def receipt_of(job: EncodeJob) -> TitleReceipt | None:
    """Return the receipt of a job whose parts are all done; None if a chunk has no result (of a version before 0.4)."""
    plan = job.current_plan
    if plan is None:
        return None
    results = [job.results.get(str(chunk.index)) for chunk in plan.chunks]
    known = [result for result in results if result and all(r.name in result.renditions for r in plan.renditions)]
    if len(known) < len(results):
        return None
    renditions = tuple(_rendition_receipt(plan, rendition, known) for rendition in plan.renditions)
    return TitleReceipt(
        renditions,
        sum(len(result.measured_at) for result in known),
        round(sum(result.search_cpu_s for result in known), 2),
        round(sum(result.measure_cpu_s for result in known), 2),
        tuple(_sound_receipts(job, plan)),
        plan.left_out,
    )


def _sound_receipts(job: EncodeJob, plan: EncodePlan) -> Iterator[SoundReceipt]:
    for track in plan.audio:
        state = job.tracks.get(track.name)
        if state and state.loudness:
            yield SoundReceipt(track.name, track.label, state.loudness)


def _rendition_receipt(plan: EncodePlan, rendition: Rendition, results: Sequence[ChunkResult]) -> RenditionReceipt:
    parts = [result.renditions[rendition.name] for result in results]
    measured = sorted(
        (vmaf, at)
        for result, part in zip(results, parts, strict=True)
        for vmaf, at in zip(part.vmafs, result.measured_at, strict=False)
    )
    sizes = RenditionReceipt(
        rendition.name,
        rendition.width,
        rendition.height,
        size=sum(part.size for part in parts),
        fixed_size=int(rendition.maxrate_kbps * 125 * plan.duration),
        lowest_crf=min(part.crf for part in parts),
        highest_crf=max(part.crf for part in parts),
    )
    if not measured:
        return sizes
    worst, at_s = measured[0]
    return replace(
        sizes,
        mean_vmaf=round(sum(vmaf for vmaf, _ in measured) / len(measured), 1),
        low_vmaf=round(measured[int(len(measured) * LOW_SHARE)][0], 1),
        worst_vmaf=round(worst, 1),
        worst_at_s=round(at_s, 3),
    )
