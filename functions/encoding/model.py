"""The encode job with the changes that its status may make, and the plan that decides its bytes.

Times are exact: frames on a grid, ticks of a timescale, or `Fraction` seconds; never floats.
"""

from __future__ import annotations

from collections.abc import Mapping  # noqa: TC003 - msgspec reads the annotations when it decodes a stored job
from dataclasses import dataclass, field
from datetime import datetime  # noqa: TC003
from enum import Enum, StrEnum
from fractions import Fraction  # noqa: TC003

from functions.platform.time import to_sortable_text

SEGMENT_S = 4
"""Nominal length of a segment, in seconds; the real one is the nearest whole number of frames."""

AAC_FRAME_SAMPLES = 1024
"""Samples of one AAC-LC frame (ISO/IEC 14496-3)."""


@dataclass(frozen=True, slots=True)
class FrameGrid:
    """The constant-rate grid on which every published frame lies: frame n is shown at n / rate seconds."""

    rate: Fraction
    frames: int

    @property
    def gop(self) -> int:
        """Frames of a whole segment, each of which is one closed group of pictures."""
        return max(1, round(SEGMENT_S * self.rate))

    @property
    def timescale(self) -> int:
        """Ticks a second of the published video: a whole number of them to a frame at any rational rate."""
        return self.rate.numerator * (1 if self.rate.numerator >= 10_000 else 1000)

    @property
    def frame_ticks(self) -> int:
        """Ticks of one frame."""
        return self.timescale * self.rate.denominator // self.rate.numerator

    @property
    def segments(self) -> int:
        """Number of segments that hold all frames; the last may be short."""
        return -(-self.frames // self.gop)

    def seconds(self, frame: int) -> Fraction:
        """Return when `frame` is shown, in seconds from the start."""
        return frame / self.rate


@dataclass(frozen=True, slots=True)
class Rendition:
    """A rung of the ladder: `name` is its folder; sizes in pixels, both even; `maxrate_kbps` caps its bitrate."""

    name: str
    width: int
    height: int
    maxrate_kbps: int


@dataclass(frozen=True, slots=True)
class Chunk:
    """A run of whole segments made by one process: frames [first_frame, end_frame), numbered from `first_segment`."""

    index: int
    first_frame: int
    end_frame: int
    first_segment: int
    segments: int


@dataclass(frozen=True, slots=True)
class SourceRef:
    """Where ffmpeg reads the film: a blob that it reaches by range through a SAS address."""

    container: str
    blob: str


@dataclass(frozen=True, slots=True)
class AudioPlan:
    """One audio track to encode whole: stream `stream` of the source to AAC-LC.

    `lasts` is its length in seconds, None if the source does not state it.
    """

    name: str
    stream: int
    language: str
    label: str
    channels: int
    sample_rate: int
    bitrate_kbps: int
    lasts: Fraction | None

    @property
    def segment_ticks(self) -> int:
        """Samples of a whole segment: the whole AAC frames that reach the nominal length, so that all are equal."""
        return -(-SEGMENT_S * self.sample_rate // AAC_FRAME_SAMPLES) * AAC_FRAME_SAMPLES


@dataclass(frozen=True, slots=True)
class TextPlan:
    """One subtitle track to turn into WebVTT: stream `stream` of the source, or the sidecar `blob` in `uploads`."""

    name: str
    language: str
    label: str
    stream: int | None
    blob: str | None


@dataclass(frozen=True, slots=True)
class PicturePlan:
    """The video stream of the source and how it is processed before it is scaled.

    `stream` is its index in the source; `shift`, in seconds, moves its first frame onto the grid: less than half a
    frame, so that the sound stays in sync.
    """

    stream: int
    codec: str
    shift: Fraction
    variable_rate: bool
    deinterlace: bool
    tone_map: bool


@dataclass(frozen=True, slots=True)
class EncodePlan:
    """Everything that decides the bytes of one encode job; it never changes once written."""

    source: SourceRef
    grid: FrameGrid
    picture: PicturePlan
    renditions: tuple[Rendition, ...]
    chunks: tuple[Chunk, ...]
    audio: tuple[AudioPlan, ...]
    text: tuple[TextPlan, ...]
    preset: str
    ffmpeg_version: str

    @property
    def duration(self) -> Fraction:
        """Return the planned length of the picture in seconds."""
        return self.grid.seconds(self.grid.frames)

    @property
    def tracks(self) -> tuple[str, ...]:
        """Return the names of all tracks that are not video."""
        return (*(track.name for track in self.audio), *(track.name for track in self.text))


class JobStatus(StrEnum):
    """The state of an encode job."""

    QUEUED = "queued"
    PLANNING = "planning"
    ENCODING = "encoding"
    READY = "ready"
    FAILED = "failed"


OPEN = (JobStatus.QUEUED, JobStatus.PLANNING, JobStatus.ENCODING)
"""The states in which work on a job is still wanted."""


class Transition(Enum):
    """The changes of a job's status: the states that each may start from, and the state that it leads to.

    A store applies a transition atomically and only from its `sources`, so of two that exclude each other one happens.
    """

    START_PLANNING = (JobStatus.QUEUED, JobStatus.PLANNING), JobStatus.PLANNING
    """From `planning` too: the planner before may have been killed."""
    FINISH_PLANNING = (JobStatus.PLANNING,), JobStatus.ENCODING
    COMPLETE = (JobStatus.ENCODING,), JobStatus.READY
    FAIL = OPEN, JobStatus.FAILED
    RETRY_PLANNING = (JobStatus.FAILED,), JobStatus.QUEUED
    RETRY_ENCODING = (JobStatus.FAILED,), JobStatus.ENCODING

    def __init__(self, sources: tuple[JobStatus, ...], target: JobStatus) -> None:
        self.sources = sources
        self.target = target


@dataclass(frozen=True, slots=True)
class TrackState:
    """How much of an audio track is stored: whole segments and their ticks; `complete` once all of it is."""

    segments: int = 0
    ticks: int = 0
    complete: bool = False


@dataclass(frozen=True, slots=True)
class StepFault:
    """What made the last attempt at a step fail; `passing` if the cause lies outside the film, as with a store."""

    detail: str
    passing: bool = False


@dataclass(frozen=True, slots=True)
class EncodeJob:
    """An encode job as it is stored.

    `live` counts the stored segments of each chunk that is not done. `faults` has the fault of each step whose last
    attempt failed, by the step's name, such as "chunk 3"; `fault` is the detail of the latest. `tail_frames` is the
    number of frames of the whole film, known when its last chunk is done.
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
    cpu_s: float = 0.0
    planning_at: datetime | None = None
    planned_at: datetime | None = None
    playable_at: datetime | None = None
    ended_at: datetime | None = None

    @property
    def name(self) -> str:
        """Return the name of the uploaded file without its folders."""
        return file_name(self.upload)

    @property
    def is_open(self) -> bool:
        """Return whether work on it is still wanted."""
        return self.status in OPEN

    @property
    def missing_chunks(self) -> tuple[int, ...]:
        """Return the indices of the chunks that are not done, in order."""
        return tuple(c.index for c in self.plan.chunks if c.index not in self.chunks_done) if self.plan else ()

    @property
    def missing_tracks(self) -> tuple[str, ...]:
        """Return the names of the audio and subtitle tracks that are not done."""
        done = {name for name, state in self.tracks.items() if state.complete}
        return tuple(name for name in self.plan.tracks if name not in done) if self.plan else ()

    @property
    def all_done(self) -> bool:
        """Return whether every chunk and every track is in storage."""
        return self.plan is not None and not self.missing_chunks and not self.missing_tracks


@dataclass(frozen=True, slots=True)
class JobSummary:
    """What people see of a job, without its plan; kept up to date as steps finish, so that lists are cheap.

    `segments` and `chunks` are the planned numbers, 0 until there is a plan. `segments_stored` includes those of
    running chunks. `front_s` is how far the published manifests reach.
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
    front_s: float = 0.0

    @property
    def name(self) -> str:
        """Return the name of the uploaded file without its folders."""
        return file_name(self.upload)


def file_name(upload: SourceRef) -> str:
    """Return the name of an uploaded file without its folders."""
    return upload.blob.rpartition("/")[2]


def position_of(job: EncodeJob | JobSummary) -> str:
    """Return the sort position of a job among all jobs, by age: the moment it was opened, and its id."""
    return f"{to_sortable_text(job.created_at)}/{job.id}"
