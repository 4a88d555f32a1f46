"""The encode job, the allowed changes of its status, and the plan that determines its output bytes.

Times are exact: frames on a grid, ticks of a timescale, or `Fraction` seconds; never floats.
"""

from __future__ import annotations

from collections.abc import Mapping  # noqa: TC003 - msgspec reads the annotations when it decodes a stored job
from dataclasses import dataclass, field, replace
from datetime import datetime  # noqa: TC003
from enum import Enum, StrEnum
from fractions import Fraction  # noqa: TC003

from functions.encoding.audience import NO_AUDIENCE, Audience
from functions.encoding.av1_encode import Av1Encode  # noqa: TC001
from functions.encoding.captions_encode import CaptionsEncode  # noqa: TC001
from functions.encoding.chapters import Chapter  # noqa: TC001
from functions.encoding.copying.reception import Reception  # noqa: TC001
from functions.encoding.damage import DamagedRun, DamageReport, damage_of
from functions.encoding.frame_grid import SEGMENT_S, FrameGrid
from functions.encoding.late_text import NO_LATE, LateSubtitles
from functions.encoding.on_demand_encode import OnDemandEncode, OnDemandRendition  # noqa: TC001
from functions.encoding.picture_plan import PicturePlan  # noqa: TC001
from functions.encoding.renditions import CopiedPicture, CopiedSound, Rendition  # noqa: TC001
from functions.encoding.spending.costs import NO_COST, EncodeCost
from functions.encoding.spending.receipts import ChunkResult, TitleReceipt  # noqa: TC001
from functions.encoding.text_plan import TextPlan, TrackRole  # noqa: TC001
from functions.encoding.track_state import TrackState  # noqa: TC001
from functions.encoding.upkeep.verification import Verification  # noqa: TC001
from functions.platform.identifiers import INTERMEDIATES

AAC_FRAME_SAMPLES = 1024
"""Samples of one AAC-LC frame (ISO/IEC 14496-3)."""


@dataclass(frozen=True, slots=True)
class Chunk:
    """Consecutive segments encoded by one process: frames [first_frame, end_frame), numbered from `first_segment`."""

    index: int
    first_frame: int
    end_frame: int
    first_segment: int
    segments: int


@dataclass(frozen=True, slots=True)
class SourceRef:
    """The blob from which ffmpeg reads the film, by range requests to a SAS address."""

    container: str
    blob: str


@dataclass(frozen=True, slots=True)
class AudioPlan:
    """An audio track of AAC-LC: stream `stream` of the source, encoded as a whole, or copied if `copied` is set.

    `lasts` is its length in seconds, or None if the source does not state it. `stereo` is the name of the stereo track
    with the same sound, if this one is in 5.1.
    """

    name: str
    stream: int
    language: str
    label: str
    channels: int
    sample_rate: int
    bitrate_kbps: int
    lasts: Fraction | None
    roles: tuple[TrackRole, ...] = ()
    copied: CopiedSound | None = None
    stereo: str | None = None

    @property
    def segment_ticks(self) -> int:
        """Number of samples per full segment: the fewest whole AAC frames that reach the nominal length."""
        return -(-SEGMENT_S * self.sample_rate // AAC_FRAME_SAMPLES) * AAC_FRAME_SAMPLES


@dataclass(frozen=True, slots=True)
class EncodePlan:
    """Everything that determines the output bytes of one encode job; a plan never changes once written.

    `missing` is the number of frames after the end of the grid that the source announces but does not contain.
    `notes` has a sentence for the owner about each kind of track, and about sizes, that are left out. `renditions` are
    the encoded ones. `passthrough` is the sentence that says whether the pictures of the source are used, and if not,
    why. `target_vmaf` is the quality that determines how strongly each chunk is compressed, or 0 if all chunks are
    compressed equally. `chapters` are those of the film, in order. `target_lufs` is the loudness to which sound is
    brought, or 0 if it is not changed. `left_out` has the names of renditions that would show no more detail than the
    best one. `on_demand` has those that are made when viewers want them.
    """

    source: SourceRef
    grid: FrameGrid
    picture: PicturePlan
    renditions: tuple[Rendition, ...]
    chunks: tuple[Chunk, ...]
    audio: tuple[AudioPlan, ...]
    text: tuple[TextPlan, ...]
    preset: str
    ffmpeg_version: str
    missing: int = 0
    notes: tuple[str, ...] = ()
    copied: CopiedPicture | None = None
    passthrough: str | None = None
    target_vmaf: int = 0
    chapters: tuple[Chapter, ...] = ()
    target_lufs: int = 0
    left_out: tuple[str, ...] = ()
    on_demand: tuple[Rendition, ...] = ()

    @property
    def duration(self) -> Fraction:
        """Return the planned length of the picture in seconds."""
        return self.grid.seconds(self.grid.frames)

    @property
    def tracks(self) -> tuple[str, ...]:
        """Return the names of all tracks, each of which is made as a whole: copied pictures, audio and subtitles."""
        copied = (self.copied.rendition.name,) if self.copied else ()
        return (*copied, *(track.name for track in self.audio), *(track.name for track in self.text))

    def without_failed_copies(self, tracks: Mapping[str, TrackState]) -> EncodePlan:
        """Return the plan in which whatever could not be copied is encoded; `tracks` are the states of its tracks."""
        failed = {name for name, state in tracks.items() if state.left_out}
        renditions, copied = self.renditions, self.copied
        if copied and copied.rendition.name in failed:
            renditions, copied = ((copied.replaces,) if copied.replaces else ()) + renditions, None
        audio = tuple(
            replace(track, name=track.copied.replaces, copied=None) if track.copied and track.name in failed else track
            for track in self.audio
        )
        if (renditions, audio) == (self.renditions, self.audio) and copied is self.copied:
            return self
        return replace(self, renditions=renditions, audio=audio, copied=copied)


class JobStatus(StrEnum):
    """The state of an encode job; `receiving` until its upload is whole."""

    RECEIVING = "receiving"
    QUEUED = "queued"
    PLANNING = "planning"
    ENCODING = "encoding"
    READY = "ready"
    FAILED = "failed"


OPEN = (JobStatus.RECEIVING, JobStatus.QUEUED, JobStatus.PLANNING, JobStatus.ENCODING)
"""The states of a job that still needs work."""


class Transition(Enum):
    """The allowed changes of a job's status: for each, the states in which it may start, and the resulting state.

    A store applies a transition atomically and only from its `sources`, so only one of two conflicting transitions
    succeeds.
    """

    RECEIVED = (JobStatus.RECEIVING,), JobStatus.QUEUED
    GIVE_UP = (JobStatus.RECEIVING,), JobStatus.FAILED
    """The upload stopped, was cancelled, or was followed by another one before it was whole."""
    RESUME = (JobStatus.FAILED,), JobStatus.RECEIVING
    """An upload that had been given up continues."""
    END_UPLOAD = (JobStatus.FAILED,), JobStatus.FAILED
    """An upload that had been given up must not continue, because its title was withdrawn."""
    START_PLANNING = (JobStatus.QUEUED, JobStatus.PLANNING), JobStatus.PLANNING
    """Also allowed from `planning`, because the previous planner may have been killed."""
    FINISH_PLANNING = (JobStatus.PLANNING,), JobStatus.ENCODING
    COMPLETE = (JobStatus.ENCODING,), JobStatus.READY
    FAIL = OPEN, JobStatus.FAILED
    REPAIR = (JobStatus.READY,), JobStatus.ENCODING
    LOSE = (JobStatus.READY,), JobStatus.FAILED
    RETRY_PLANNING = (JobStatus.FAILED,), JobStatus.QUEUED
    RETRY_ENCODING = (JobStatus.FAILED,), JobStatus.ENCODING

    def __init__(self, sources: tuple[JobStatus, ...], target: JobStatus) -> None:
        self.sources = sources
        self.target = target


RECEPTION_CHANGES: dict[Transition, dict[str, bool]] = {
    Transition.RECEIVED: {"is_whole": True},
    Transition.GIVE_UP: {"has_stopped": True},
    Transition.RESUME: {"has_stopped": False},
    Transition.END_UPLOAD: {"has_stopped": False},
}
"""The fields of a job's `reception` that change together with its status."""


@dataclass(frozen=True, slots=True)
class StepFault:
    """The error of the last attempt at a step; `passing` is true if its cause is temporary (an unavailable store).

    `attempts` counts the failed attempts. The step is not tried again before `retry_at`.
    """

    detail: str
    passing: bool = False
    attempts: int = 1
    retry_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class EncodeJob:
    """A stored encode job.

    `live` has the number of stored segments of each unfinished chunk. `faults` has the fault of each step whose last
    attempt failed, keyed by the step's name, such as "chunk 3"; `fault` is the detail of the latest fault.
    `tail_frames` is the number of frames of the whole film, known once its last chunk is done. `damage` has the damaged
    frames of each finished chunk that has any. `chunk_sizes` has the bytes of each finished chunk. At `verify_at`, a
    ready job is due to be verified, and repaired if `verify_repairs`. `remakes` is the number of times that lost parts
    had to be encoded again. `results` has the results of each finished chunk; `receipt` has their sum once the job has
    become ready. `audience` says for which chunks viewers wait. `prepares` is true if making the plan takes long, and
    is therefore a step of its own. `reception` says how much of an upload that is committed in steps has arrived, also
    once it is whole; None for one that was committed at once. `av1` is the encode in AV1 that followed, None if there
    is none. `key_id` is the id, in hexadecimal, of the key with which segments are encrypted; None if they are not.
    `on_demand` is the encode of the renditions on demand, None until the first. `captions` are the automatic captions,
    None if there are none. `late` are the subtitles that are not in the plan; `late_asked` is the number of times that
    some arrived.
    """

    id: str
    title_id: str
    upload: SourceRef
    etag: str
    size: int
    status: JobStatus
    created_at: datetime
    updated_at: datetime
    uploaded_at: datetime | None = None
    reason: str | None = None
    fault: str | None = None
    faults: Mapping[str, StepFault] = field(default_factory=dict)
    plan: EncodePlan | None = None
    chunks_done: frozenset[int] = frozenset()
    tail_frames: int | None = None
    codecs: Mapping[str, str] = field(default_factory=dict)
    tracks: Mapping[str, TrackState] = field(default_factory=dict)
    live: Mapping[str, int] = field(default_factory=dict)
    damage: Mapping[str, tuple[DamagedRun, ...]] = field(default_factory=dict)
    cpu_s: float = 0.0
    planning_at: datetime | None = None
    planned_at: datetime | None = None
    playable_at: datetime | None = None
    ended_at: datetime | None = None
    chunk_sizes: Mapping[str, int] = field(default_factory=dict)
    verify_at: datetime | None = None
    verify_repairs: bool = False
    verified: Verification | None = None
    remakes: int = 0
    results: Mapping[str, ChunkResult] = field(default_factory=dict)
    receipt: TitleReceipt | None = None
    audience: Audience = NO_AUDIENCE
    prepares: bool = False
    reception: Reception | None = None
    av1: Av1Encode | None = None
    key_id: str | None = None
    on_demand: OnDemandEncode | None = None
    captions: CaptionsEncode | None = None
    late: LateSubtitles = NO_LATE
    late_asked: int = 0

    @property
    def name(self) -> str:
        """Return the name of the uploaded file without its folders."""
        return file_name(self.upload)

    @property
    def is_open(self) -> bool:
        """Return whether the job still needs work."""
        return self.status in OPEN

    @property
    def missing_chunks(self) -> tuple[int, ...]:
        """Return the indices of the chunks that are not done, in order."""
        return tuple(c.index for c in self.plan.chunks if c.index not in self.chunks_done) if self.plan else ()

    @property
    def missing_tracks(self) -> tuple[str, ...]:
        """Return the names of the tracks that are not done."""
        done = {name for name, state in self.tracks.items() if state.complete}
        plan = self.current_plan
        return tuple(name for name in plan.tracks if name not in done) if plan else ()

    @property
    def current_plan(self) -> EncodePlan | None:
        """The plan in which whatever could not be copied is encoded; without a provisional copy once that is over."""
        plan = self.plan.without_failed_copies(self.tracks) if self.plan else None
        is_over = plan and plan.copied and plan.copied.is_provisional and self.receipt
        return replace(plan, copied=None) if plan and is_over else plan

    @property
    def all_done(self) -> bool:
        """Return whether every chunk and every track is in storage."""
        return self.plan is not None and not self.missing_chunks and not self.missing_tracks

    def damage_with(self, runs: Mapping[str, tuple[DamagedRun, ...]] | None = None) -> DamageReport | None:
        """Return the damage found so far, None without damage; `runs` replaces the recorded runs of its chunks."""
        return damage_of(self.plan.grid, {**self.damage, **(runs or {})}, self.plan.missing) if self.plan else None


@dataclass(frozen=True, slots=True)
class JobSummary:
    """The part of a job that is shown to people, without its plan; updated as steps finish, so that lists are cheap.

    `segments` and `chunks` are the planned numbers, 0 until there is a plan; `grid` and `missing` are the plan's.
    `segments_stored` includes segments of running chunks. `tracks` has the stored share of each audio and subtitle
    track, from 0 to 1. `front_s` is the length of film, in seconds, that the published manifests list. `notes` are
    sentences about tracks that are not published; `passthrough` is the plan's sentence about the source's pictures, and
    `provisional` the name of the copied rendition if it is published only until the encoded ones are complete. `av1`
    and `on_demand` lack the results of their chunks, `captions` the cues. `renditions_on_demand` are those of the plan.
    """

    id: str
    title_id: str
    upload: SourceRef
    size: int
    status: JobStatus
    created_at: datetime
    updated_at: datetime
    uploaded_at: datetime | None
    reason: str | None
    fault: str | None
    cpu_s: float
    planning_at: datetime | None
    planned_at: datetime | None
    playable_at: datetime | None
    ended_at: datetime | None
    duration_s: float | None = None
    chunks: int = 0
    chunks_done: int = 0
    segments: int = 0
    segments_stored: int = 0
    tracks: Mapping[str, float] = field(default_factory=dict)
    front_s: float = 0.0
    verify_at: datetime | None = None
    verified: Verification | None = None
    grid: FrameGrid | None = None
    missing: int = 0
    damage: Mapping[str, tuple[DamagedRun, ...]] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    passthrough: str | None = None
    provisional: str = ""
    cost: EncodeCost = NO_COST
    receipt: TitleReceipt | None = None
    audience: Audience = NO_AUDIENCE
    reception: Reception | None = None
    av1: Av1Encode | None = None
    on_demand: OnDemandEncode | None = None
    renditions_on_demand: tuple[OnDemandRendition, ...] = ()
    captions: CaptionsEncode | None = None

    @property
    def name(self) -> str:
        """Return the name of the uploaded file without its folders."""
        return file_name(self.upload)

    @property
    def damage_report(self) -> DamageReport | None:
        """Return the damage found so far, or None if there is none."""
        return damage_of(self.grid, self.damage, self.missing) if self.grid else None


def copy_of(job_id: str) -> SourceRef:
    """Return where the remuxed copy of the upload of a job is stored, if its encode reads one."""
    return SourceRef(INTERMEDIATES, f"{job_id}/source.mkv")


def needs_copy(job: EncodeJob | JobSummary) -> bool:
    """Return whether the copy of the upload may still be read: by the encode of a job, or by one that follows."""
    return job.ended_at is None or any(each is not None and each.ended_at is None for each in (job.av1, job.on_demand))


def file_name(upload: SourceRef) -> str:
    """Return the name of an uploaded file without its folders."""
    return upload.blob.rpartition("/")[2]
