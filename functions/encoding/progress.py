"""The progress of a job, computed from its summary alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from functions.encoding.copying.reception import is_partial
from functions.encoding.model import OPEN, JobStatus
from functions.encoding.on_demand_encode import OnDemandStatus
from functions.encoding.spending.costs import replica_microusd, storage_microusd
from functions.encoding.tracks import COPY_FAILED
from functions.platform.identifiers import container_for

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from functions.encoding.av1_encode import Av1Status
    from functions.encoding.captions_encode import CaptionsStatus
    from functions.encoding.damage import DamageReport
    from functions.encoding.model import EncodeJob, JobSummary
    from functions.encoding.spending.receipts import TitleReceipt
    from functions.encoding.upkeep.verification import Verification

PUBLISHED_SHARE = 0.01
"""The share of the final publication in the progress of a job."""

PUBLICATION_S = 2
"""Seconds that the final publication takes."""

TRACK_COST = 0.05
"""The work of encoding a second of a track, relative to a second of picture; a stereo track takes about a thirtieth."""


@dataclass(frozen=True, slots=True)
class StageTimes:
    """Seconds that each stage took, None until it has ended; `first_picture_s` counts from the end of the upload."""

    queued_s: float | None
    planning_s: float | None
    first_picture_s: float | None
    encoding_s: float | None
    total_s: float | None


@dataclass(frozen=True, slots=True)
class Av1Progress:
    """The progress of an encode in AV1: why it began or was abandoned, its stored share in percent, and its bytes."""

    status: Av1Status
    reason: str
    percent: float
    size: int
    cpu_s: float


@dataclass(frozen=True, slots=True)
class CaptionsProgress:
    """Automatic captions: their language, their number, and the name of their file in the title's container.

    A film without speech has no cues and no file. `reason` says why they were given up or cannot be made at the moment.
    """

    status: CaptionsStatus
    language: str
    cues: int
    file: str | None
    reason: str | None
    cpu_s: float


@dataclass(frozen=True, slots=True)
class OnDemandProgress:
    """The renditions of a film that are made when viewers want them, best first, and what is saved meanwhile.

    `status` is None until somebody has wanted them. `percent` is their stored share, `size` their bytes, `cpu_s` what
    making them has taken. `saved_size` are the bytes that they would take, and `saved_cpu_s` the CPU time that making
    them would have taken; both are 0 once it has been spent.
    """

    renditions: tuple[str, ...]
    status: OnDemandStatus | None
    reason: str | None
    percent: float
    size: int
    cpu_s: float
    saved_size: int
    saved_cpu_s: float


@dataclass(frozen=True, slots=True)
class JobProgress:
    """The progress of an encode job: `front_s` seconds of `duration_s` can be watched; `eta_s` seconds remain.

    `fault` is the error of the last failed attempt at a step, which is retried. `damage` is the damage found so far,
    `notes` are sentences about tracks that are not published. `passthrough` says whether pictures are copied; it is
    None if `notes` say that they turned out unsuitable.
    `manifest` and `hls` are the names of the manifests, or None until they are published. `verified` is the last
    verification of the published files; `verifying` is true while another one is due. `paused` says why the limit of
    the month makes an open job wait. `estimate_microusd` and `storage_microusd` are None until the job is planned.
    `storage_microusd` is the price of storing upload and film for a month; it is an estimate until the files are
    verified. `receipt` is None until the job is ready. `av1` is None unless the title is encoded in AV1 too.
    `on_demand` is None if all renditions are made at once, `captions` if the title gets no automatic captions.
    `uploaded_percent` is set while the upload is not complete.
    """

    job_id: str
    title_id: str
    name: str
    size: int
    status: JobStatus
    reason: str | None
    fault: str | None
    damage: DamageReport | None
    notes: tuple[str, ...]
    passthrough: str | None
    percent: float
    eta_s: float | None
    front_s: float
    duration_s: float | None
    chunks_done: int
    chunks: int
    cpu_s: float
    stages: StageTimes
    manifest: str | None
    hls: str | None
    created_at: datetime
    updated_at: datetime
    verifying: bool
    verified: Verification | None
    paused: str | None
    estimate_microusd: int | None
    encode_microusd: int
    storage_microusd: int | None
    receipt: TitleReceipt | None
    av1: Av1Progress | None = None
    on_demand: OnDemandProgress | None = None
    uploaded_percent: float | None = None
    captions: CaptionsProgress | None = None


def progress_of(
    job: JobSummary, *, others: Iterable[JobSummary], now: datetime, paused: str | None = None
) -> JobProgress:
    """Return the progress of a job at the time `now`; `others` are all open jobs, which share the encoders with it."""
    work = _work_of(job)
    share = work.done_s / work.total_s * (1 - PUBLISHED_SHARE) if work else 0.0
    moves = job.status in OPEN and not paused
    eta_s = _eta_s(job, [other for other in others if other.id != job.id], now) if moves else None
    folder = f"{container_for(job.title_id)}/{job.id}" if job.playable_at else None
    film_size = job.verified.size if job.verified else job.cost.estimate_size
    return JobProgress(
        job_id=job.id,
        title_id=job.title_id,
        name=job.name,
        size=job.size,
        status=job.status,
        reason=job.reason,
        fault=job.fault,
        damage=job.damage_report,
        notes=(*job.notes, *_reception_notes(job)),
        passthrough=None if COPY_FAILED in job.notes else job.passthrough,
        percent=100.0 if job.status is JobStatus.READY else round(share * 100, 1),
        eta_s=eta_s,
        front_s=job.front_s,
        duration_s=job.duration_s,
        chunks_done=job.chunks_done,
        chunks=job.chunks,
        cpu_s=round(job.cpu_s, 2),
        stages=stage_times_of(job),
        manifest=f"{folder}/manifest.mpd" if folder else None,
        hls=f"{folder}/master.m3u8" if folder else None,
        created_at=job.created_at,
        updated_at=job.updated_at,
        verifying=job.verify_at is not None,
        verified=job.verified,
        paused=paused,
        estimate_microusd=replica_microusd(job.cost.estimate_s) if job.cost.estimate_s else None,
        encode_microusd=replica_microusd(job.cost.replica_s),
        storage_microusd=storage_microusd(job.size + film_size) if film_size else None,
        receipt=job.receipt,
        av1=_av1_of(job),
        on_demand=_on_demand_of(job),
        uploaded_percent=_uploaded_percent(job),
        captions=_captions_of(job),
    )


def _uploaded_percent(job: JobSummary) -> float | None:
    """Return how much of an upload has arrived that is still running or was given up."""
    if not is_partial(job) or job.reception is None or not job.size:
        return None
    return round(100 * job.reception.stored / job.size, 1)


def _reception_notes(job: JobSummary) -> tuple[str, ...]:
    """Return a sentence about an upload that cannot be watched before it is whole."""
    reason = job.reception.waits_because if job.reception and job.status is JobStatus.RECEIVING else None
    return (f"It can be watched once the upload is complete, because {reason}.",) if reason else ()


def _av1_of(job: JobSummary) -> Av1Progress | None:
    """Return the progress of the encode in AV1, or None if there is none."""
    encode = job.av1
    if encode is None:
        return None
    percent = round(100 * len(encode.done) / job.chunks, 1) if job.chunks else 0.0
    return Av1Progress(encode.status, encode.reason, percent, encode.size, round(encode.cpu_s, 2))


def _captions_of(job: JobSummary) -> CaptionsProgress | None:
    """Return the automatic captions, or None if there are none."""
    captions = job.captions
    if captions is None:
        return None
    file = f"{container_for(job.title_id)}/{job.id}/{captions.track}.vtt" if captions.is_complete else None
    return CaptionsProgress(
        captions.status,
        captions.language,
        captions.cues,
        file if captions.cues else None,
        captions.reason,
        round(captions.cpu_s, 2),
    )


def _on_demand_of(job: JobSummary) -> OnDemandProgress | None:
    """Return the progress of the renditions on demand, or None if there are none."""
    planned, encode = job.renditions_on_demand, job.on_demand
    if not planned:
        return None
    names = tuple(each.name for each in planned)
    if encode is None:
        size, cpu_s = sum(each.size for each in planned), sum(each.cpu_s for each in planned)
        return OnDemandProgress(names, None, None, 0.0, 0, 0.0, saved_size=size, saved_cpu_s=round(cpu_s, 2))
    is_removed = encode.status is OnDemandStatus.REMOVED
    percent = round(100 * len(encode.done) / job.chunks, 1) if job.chunks and not is_removed else 0.0
    return OnDemandProgress(
        names,
        encode.status,
        encode.reason,
        percent,
        size=0 if is_removed else encode.size,
        cpu_s=round(encode.cpu_s, 2),
        saved_size=encode.size if is_removed else 0,
        saved_cpu_s=0.0,
    )


class _Work(NamedTuple):
    """The work of a job, expressed in seconds of picture."""

    total_s: float
    done_s: float

    @property
    def left_s(self) -> float:
        return self.total_s - self.done_s


def _work_of(job: JobSummary) -> _Work | None:
    """Return the work of a planned job, or None if the job is not planned yet."""
    if not job.segments or not job.duration_s:
        return None
    units = min(1.0, job.segments_stored / job.segments) + TRACK_COST * sum(job.tracks.values())
    return _Work(job.duration_s * (1 + TRACK_COST * len(job.tracks)), job.duration_s * units)


def _eta_s(job: JobSummary, others: Sequence[JobSummary], now: datetime) -> float | None:
    """Return in how many seconds an open job will be ready, or None while no job has made any progress.

    Encoders serve all films in turn. So while this film's remaining work is done, the same amount of work is done for
    each other film, or less if a film needs less. A film that is not planned yet is taken to be as long as the others
    on average.
    """
    planned = [(each, work) for each in (job, *others) if (work := _work_of(each))]
    speed = sum(
        work.done_s / elapsed_s
        for each, work in planned
        if each.planned_at and (elapsed_s := (now - each.planned_at).total_seconds()) > 0
    )
    if not speed:
        return None
    usual_s = sum(work.total_s for _, work in planned) / len(planned)
    own_s, *others_s = (work.left_s if (work := _work_of(each)) else usual_s for each in (job, *others))
    ahead_s = sum(min(own_s, other_s) for other_s in others_s)
    return round((own_s + ahead_s) / speed + PUBLICATION_S, 1)


def stage_times_of(job: EncodeJob | JobSummary) -> StageTimes:
    """Return how long each stage of a job took."""
    began = job.uploaded_at or job.created_at
    return StageTimes(
        queued_s=_between(began, job.planning_at),
        planning_s=_between(job.planning_at, job.planned_at),
        first_picture_s=_between(began, job.playable_at),
        encoding_s=_between(job.planned_at, job.ended_at),
        total_s=_between(began, job.ended_at),
    )


def _between(begin: datetime | None, end: datetime | None) -> float | None:
    """Return seconds; 0 if a stage ended before it began, because the film could be watched during the upload."""
    return max(0.0, round((end - begin).total_seconds(), 2)) if begin and end else None
