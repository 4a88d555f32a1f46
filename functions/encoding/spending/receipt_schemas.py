"""The JSON of what the encodes of a job have resulted in: its receipt, AV1, and renditions on demand."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

from msgspec import Meta, Struct

from functions.encoding.av1_encode import Av1Status
from functions.encoding.captions_encode import CaptionsStatus
from functions.encoding.on_demand_encode import OnDemandStatus

if TYPE_CHECKING:
    from functions.encoding.progress import Av1Progress, CaptionsProgress, OnDemandProgress
    from functions.encoding.spending.receipts import SoundReceipt, TitleReceipt


class JobRendition(Struct, frozen=True):
    """An encoded rendition on the receipt of a job. Its quality is null if nothing was measured."""

    name: Annotated[str, Meta(description="For example v1080.")]
    width: int
    height: int
    size: Annotated[int, Meta(description="Bytes.")]
    fixed_size: Annotated[int, Meta(description="Bytes that it would have at its maximum bitrate.")]
    lowest_crf: Annotated[float, Meta(description="The constant rate factor of its least compressed chunk.")]
    highest_crf: Annotated[float, Meta(description="The constant rate factor of its most compressed chunk.")]
    mean_vmaf: float | None
    low_vmaf: Annotated[float | None, Meta(description="What 95 % of the measured seconds exceed.")]
    worst_vmaf: Annotated[float | None, Meta(description="The quality of the worst measured second.")]
    worst_at_s: Annotated[float | None, Meta(description="When that second begins in the film.")]


class JobSound(Struct, frozen=True):
    """An audio track on the receipt of a job, whose loudness was brought to a target (EBU R 128)."""

    name: Annotated[str, Meta(description="For example a0.")]
    label: str
    target_lufs: int
    measured_lufs: Annotated[float, Meta(description="Integrated loudness before the gain.")]
    peak_dbtp: Annotated[float, Meta(description="Maximum true peak before the gain.")]
    gain_db: float
    missing_lu: Annotated[float, Meta(description="By how much it is quieter than the target, because of its peaks.")]

    @classmethod
    def of(cls, sound: SoundReceipt) -> JobSound:
        """Return a track as the API shows it."""
        found = sound.loudness
        return cls(
            sound.name, sound.label, found.target_lufs, found.lufs, found.peak_dbtp, found.gain_db, found.missing_lu
        )


class JobReceipt(Struct, frozen=True):
    """The results of the encoded renditions of a ready job; what they cost is in `cost` and `cpu_s` of the job."""

    renditions: Annotated[list[JobRendition], Meta(description="Best first.")]
    size: Annotated[int, Meta(description="Bytes of these renditions.")]
    saved: Annotated[int, Meta(description="Bytes saved, compared with their maximum bitrates.")]
    measured_s: Annotated[int, Meta(description="How many seconds of each rendition were compared with the source.")]
    search_cpu_s: Annotated[float, Meta(description="CPU-seconds that it took to choose the constant rate factors.")]
    measure_cpu_s: Annotated[float, Meta(description="CPU-seconds that it took to measure the quality.")]
    sounds: Annotated[list[JobSound], Meta(description="Empty unless LOUDNESS_LUFS is set.")]
    left_out: Annotated[
        list[str], Meta(description="Names of renditions that would show no more detail than the best.")
    ]

    @classmethod
    def of(cls, receipt: TitleReceipt) -> JobReceipt:
        """Return a receipt as the API shows it."""
        renditions = [JobRendition(**asdict(rendition)) for rendition in receipt.renditions]
        return cls(
            renditions,
            receipt.size,
            receipt.saved,
            receipt.measured_s,
            receipt.search_cpu_s,
            receipt.measure_cpu_s,
            [JobSound.of(sound) for sound in receipt.sounds],
            list(receipt.left_out),
        )


class JobAv1(Struct, frozen=True):
    """The second encode of a ready title, in AV1."""

    status: Annotated[Av1Status, Meta(description="`complete` once players are offered it.")]
    reason: Annotated[str, Meta(description="Why it began or, if it was abandoned, why.")]
    percent: float
    size: Annotated[int, Meta(description="Bytes stored so far.")]
    cpu_s: float

    @classmethod
    def of(cls, av1: Av1Progress) -> JobAv1:
        """Return the progress as the API shows it."""
        return cls(av1.status, av1.reason, av1.percent, av1.size, av1.cpu_s)


class JobCaptions(Struct, frozen=True):
    """The automatic captions of a ready title."""

    status: Annotated[CaptionsStatus, Meta(description="`complete` once players are offered them.")]
    language: Annotated[str, Meta(description="The BCP 47 tag of the language that is spoken.")]
    cues: Annotated[int, Meta(description="0 until they are complete, and for a film without speech.")]
    url: Annotated[
        str | None, Meta(description="Address of the WebVTT file, to be read with a SAS; null without cues.")
    ]
    reason: Annotated[str | None, Meta(description="Why they were given up, or cannot be made at the moment.")]
    cpu_s: Annotated[float, Meta(description="CPU-seconds that making them has taken.")]

    @classmethod
    def of(cls, found: CaptionsProgress, *, base: str) -> JobCaptions:
        """Return the captions as the API shows them; `base` is the address of blob storage."""
        url = f"{base}/{found.file}" if found.file else None
        return cls(found.status, found.language, found.cues, url, found.reason, found.cpu_s)


class JobOnDemand(Struct, frozen=True):
    """The renditions of a film that are made when viewers want them, and what is saved meanwhile."""

    renditions: Annotated[list[str], Meta(description="Their names, best first; for example v720.")]
    status: Annotated[
        OnDemandStatus | None,
        Meta(description="`complete` once players are offered them; null until somebody opens the title."),
    ]
    reason: Annotated[str | None, Meta(description="Why making them was given up.")]
    percent: float
    size: Annotated[int, Meta(description="Bytes stored so far.")]
    cpu_s: Annotated[float, Meta(description="CPU-seconds that making them has taken.")]
    saved_size: Annotated[int, Meta(description="Bytes that are not stored; an estimate until they were made once.")]
    saved_cpu_s: Annotated[float, Meta(description="Estimated CPU-seconds saved so far; 0 once they were made.")]

    @classmethod
    def of(cls, found: OnDemandProgress) -> JobOnDemand:
        """Return the renditions as the API shows them."""
        return cls(
            list(found.renditions),
            found.status,
            found.reason,
            found.percent,
            found.size,
            found.cpu_s,
            found.saved_size,
            found.saved_cpu_s,
        )
