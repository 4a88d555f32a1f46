"""The vocabulary of encoding: frame grid, ladder, chunks, tracks, and the presentation that the manifests describe.

Times are exact: frames on a grid, ticks of a timescale, or `Fraction` seconds; never floats.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

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
class TimedSegments:
    """Consecutive segments from time 0: their durations in ticks of `timescale`."""

    timescale: int
    durations: tuple[int, ...]

    @property
    def end(self) -> Fraction:
        """Return where the last segment ends, in seconds."""
        return Fraction(sum(self.durations), self.timescale)


@dataclass(frozen=True, slots=True)
class VideoTrack:
    """A published rendition: its rung, RFC 6381 codec, and the peak bits a second that manifests declare."""

    rendition: Rendition
    codec: str
    bandwidth_bps: int

    @property
    def name(self) -> str:
        """Return the folder of its segments."""
        return self.rendition.name


@dataclass(frozen=True, slots=True)
class AudioTrack:
    """A published audio track: `name` is its folder, `language` BCP 47 or "und"; `segments` may be listed."""

    name: str
    language: str
    label: str
    channels: int
    sample_rate: int
    codec: str
    bandwidth_bps: int
    segments: TimedSegments


@dataclass(frozen=True, slots=True)
class TextTrack:
    """A published subtitle track: one WebVTT file `<name>.vtt`; `language` BCP 47 or "und"."""

    name: str
    language: str
    label: str


@dataclass(frozen=True, slots=True)
class Presentation:
    """What the manifests of one encode job say at one moment.

    Every segment counted here is in storage under `<track>/init.mp4` and `<track>/s%05d.m4s`, numbered from 0.
    All renditions share `video_segments`. While `complete` is false, `duration` is the planned one, no audio is
    listed that begins after the video's end, and `text` is empty; once true, `duration` is that of the longest track.
    """

    duration: Fraction
    complete: bool
    published_at: datetime
    rate: Fraction
    video: tuple[VideoTrack, ...]
    video_segments: TimedSegments
    audio: tuple[AudioTrack, ...]
    text: tuple[TextTrack, ...]

    @property
    def tracks(self) -> tuple[str, ...]:
        """Return the names of all tracks."""
        return (*(t.name for t in self.video), *(t.name for t in self.audio), *(t.name for t in self.text))


@dataclass(frozen=True, slots=True)
class SourceRef:
    """Where ffmpeg reads the film: a blob that it reaches by range through a SAS address."""

    container: str
    blob: str


@dataclass(frozen=True, slots=True)
class AudioPlan:
    """One audio track to encode whole: stream `stream` of the source to AAC-LC; `lasts` seconds where that is told."""

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
class Picture:
    """The source's picture and what has to be done to it before it is scaled.

    `stream` is its index in the source; `shift`, in seconds, moves its first frame onto the grid: less than half a
    frame, so that the sound stays with it.
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
    picture: Picture
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
