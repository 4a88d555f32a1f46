"""The encode job, the allowed changes of its status, and the plan that determines its output bytes.

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
"""Nominal length of a segment, in seconds; the actual length is the nearest whole number of frames."""

AAC_FRAME_SAMPLES = 1024
"""Samples of one AAC-LC frame (ISO/IEC 14496-3)."""


@dataclass(frozen=True, slots=True)
class FrameGrid:
    """The constant-rate grid that all published frames are aligned to: frame n is shown at n / rate seconds."""

    rate: Fraction
    frames: int

    @property
    def gop(self) -> int:
        """Number of frames per full segment; a segment is one closed group of pictures."""
        return max(1, round(SEGMENT_S * self.rate))

    @property
    def timescale(self) -> int:
        """Ticks per second of the published video, chosen so that a frame lasts a whole number of ticks."""
        return self.rate.numerator * (1 if self.rate.numerator >= 10_000 else 1000)

    @property
    def frame_ticks(self) -> int:
        """Number of ticks per frame."""
        return self.timescale * self.rate.denominator // self.rate.numerator

    @property
    def segments(self) -> int:
        """Number of segments needed for all frames; the last may be short."""
        return -(-self.frames // self.gop)

    def seconds(self, frame: int) -> Fraction:
        """Return the time at which `frame` is shown, in seconds from the start."""
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
    """An audio track, encoded as a whole from stream `stream` of the source to AAC-LC.

    `lasts` is its length in seconds, or None if the source does not state it.
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
        """Number of samples per full segment: the fewest whole AAC frames that reach the nominal length."""
        return -(-SEGMENT_S * self.sample_rate // AAC_FRAME_SAMPLES) * AAC_FRAME_SAMPLES


@dataclass(frozen=True, slots=True)
class TextPlan:
    """A subtitle track to convert to WebVTT: stream `stream` of the source, or the sidecar `blob` in `uploads`."""

    name: str
    language: str
    label: str
    stream: int | None
    blob: str | None


@dataclass(frozen=True, slots=True)
class PicturePlan:
    """The video stream of the source, and how it is processed before scaling.

    `stream` is its index in the source. `shift`, in seconds, moves its first frame onto the grid; the shift is less
    than half a frame, so the sound stays in sync.
    """

    stream: int
    codec: str
    shift: Fraction
    variable_rate: bool
    deinterlace: bool
    tone_map: bool


@dataclass(frozen=True, slots=True)
class EncodePlan:
    """Everything that determines the output bytes of one encode job; a plan never changes once written."""

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
        """Return the names of all audio and subtitle tracks."""
        return (*(track.name for track in self.audio), *(track.name for track in self.text))


class JobStatus(StrEnum):
    """The state of an encode job."""

    QUEUED = "queued"
    PLANNING = "planning"
    ENCODING = "encoding"
    READY = "ready"
    FAILED = "failed"


OPEN = (JobStatus.QUEUED, JobStatus.PLANNING, JobStatus.ENCODING)
"""The states of a job that still needs work."""


class Transition(Enum):
    """The allowed changes of a job's status: for each, the states in which it may start, and the resulting state.

    A store applies a transition atomically and only from its `sources`, so only one of two conflicting transitions
    succeeds.
    """

    START_PLANNING = (JobStatus.QUEUED, JobStatus.PLANNING), JobStatus.PLANNING
    """Also allowed from `planning`, because the previous planner may have been killed."""
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
    """How much of an audio track is stored: whole segments and their ticks; `complete` is true once all is stored."""

    segments: int = 0
    ticks: int = 0
    complete: bool = False


@dataclass(frozen=True, slots=True)
class StepFault:
    """The error of the last attempt at a step; `passing` is true if its cause is temporary (an unavailable store)."""

    detail: str
    passing: bool = False


@dataclass(frozen=True, slots=True)
class EncodeJob:
    """A stored encode job.

    `live` has the number of stored segments of each unfinished chunk. `faults` has the fault of each step whose last
    attempt failed, keyed by the step's name, such as "chunk 3"; `fault` is the detail of the latest fault.
    `tail_frames` is the number of frames of the whole film, known once its last chunk is done.
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
        """Return whether the job still needs work."""
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
    """The part of a job that is shown to people, without its plan; updated as steps finish, so that lists are cheap.

    `segments` and `chunks` are the planned numbers, 0 until there is a plan. `segments_stored` includes segments of
    running chunks. `front_s` is the length of film, in seconds, that the published manifests list.
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
    """Return the position of a job in a list sorted by age: the time at which it was opened, and its id."""
    return f"{to_sortable_text(job.created_at)}/{job.id}"
