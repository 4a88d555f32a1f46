"""The content of a job's manifests at a given time: the finished chunks from the start, and their sound."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from functions.encoding.model import AudioPlan, EncodeJob, EncodePlan, FrameGrid, Rendition, TrackState

PEAK_OVER_CAP = Fraction(11, 10)
"""Ratio of the declared peak to a rung's maximum bitrate: a segment may use buffer space left by the previous one."""

SLACK_S = Fraction(1, 5)
"""How many seconds the listed picture may be ahead of the listed sound."""


@dataclass(frozen=True, slots=True)
class TimedSegments:
    """Consecutive segments from time 0: their durations in ticks of `timescale`."""

    timescale: int
    durations: tuple[int, ...]

    @property
    def end(self) -> Fraction:
        """Return the end of the last segment, in seconds."""
        return Fraction(sum(self.durations), self.timescale)


@dataclass(frozen=True, slots=True)
class VideoTrack:
    """A published rendition: its rung, its RFC 6381 codec, and the peak bitrate that manifests declare."""

    rendition: Rendition
    codec: str
    bandwidth_bps: int

    @property
    def name(self) -> str:
        """Return the name of the folder with the rendition's segments."""
        return self.rendition.name


@dataclass(frozen=True, slots=True)
class AudioTrack:
    """A published audio track: `name` is its folder, `language` a BCP 47 tag or "und", `segments` the listed ones."""

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
    """A published subtitle track: one WebVTT file `<name>.vtt`; `language` is a BCP 47 tag or "und"."""

    name: str
    language: str
    label: str


@dataclass(frozen=True, slots=True)
class Presentation:
    """The content of the manifests of one encode job at a given time.

    Every segment counted here is stored, as `<track>/s%05d.m4s` numbered from 0, with `<track>/init.mp4`.
    All renditions share `video_segments`. While `complete` is false, `duration` is the planned duration, audio that
    begins after the end of the video is not listed, and `text` is empty. Once `complete` is true, `duration` is that of
    the longest track.
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


def presentation_of(job: EncodeJob, plan: EncodePlan, *, at: datetime) -> Presentation | None:
    """Return the presentation to publish, or None until the first picture and its sound are stored.

    It lists no sound that begins after the end of the listed picture, and no picture whose sound is not stored yet,
    because either makes a player stop without recovering.
    """
    complete = job.all_done
    count = front_segments(job, plan)
    if not complete:
        count = min([count, *(_with_sound(plan.grid, audio, job.tracks.get(audio.name)) for audio in plan.audio)])
    if not count:
        return None
    picture = video_segments(plan.grid, count, total_frames=job.tail_frames or plan.grid.frames)
    audio = tuple(
        AudioTrack(
            name=track.name,
            language=track.language,
            label=track.label,
            channels=track.channels,
            sample_rate=track.sample_rate,
            codec=job.codecs[track.name],
            bandwidth_bps=int(track.bitrate_kbps * 1000 * PEAK_OVER_CAP),
            segments=_sound(track, job.tracks[track.name], until=None if complete else picture.end),
        )
        for track in plan.audio
    )
    return Presentation(
        duration=max([picture.end, *(track.segments.end for track in audio)]) if complete else plan.duration,
        complete=complete,
        published_at=at,
        rate=plan.grid.rate,
        video=tuple(
            VideoTrack(rendition, job.codecs[rendition.name], int(rendition.maxrate_kbps * 1000 * PEAK_OVER_CAP))
            for rendition in plan.renditions
        ),
        video_segments=picture,
        audio=audio,
        text=tuple(TextTrack(track.name, track.language, track.label) for track in plan.text) if complete else (),
    )


def front_s_of(job: EncodeJob) -> float:
    """Return how many seconds of the film, from its start, may be listed."""
    presentation = presentation_of(job, job.plan, at=job.updated_at) if job.plan else None
    return float(presentation.video_segments.end) if presentation else 0.0


def revision_of(presentation: Presentation) -> int:
    """Return a number that increases with the listed content, so that an older manifest never replaces a newer one."""
    listed = len(presentation.video_segments.durations) + sum(len(t.segments.durations) for t in presentation.audio)
    return listed + (1_000_000_000 if presentation.complete else 0)


def front_segments(job: EncodeJob, plan: EncodePlan) -> int:
    """Return how many consecutive segments, from the first, are stored."""
    front = 0
    for chunk in plan.chunks:
        if chunk.index not in job.chunks_done:
            # The length of the film's last segment is known only when the segment's chunk is done.
            certain = chunk.segments - (chunk.end_frame == plan.grid.frames)
            return front + min(job.live.get(str(chunk.index), 0), certain)
        front = chunk.first_segment + chunk.segments
    return -(-(job.tail_frames or plan.grid.frames) // plan.grid.gop)


def video_segments(grid: FrameGrid, count: int, *, total_frames: int) -> TimedSegments:
    """Return the times of the first `count` segments of a film of `total_frames`; only the film's last may be short."""
    gop, ticks = grid.gop, grid.frame_ticks  # outside the loop: exact fractions are slow to compute
    frames = [min(gop, total_frames - number * gop) for number in range(count)]
    return TimedSegments(grid.timescale, tuple(length * ticks for length in frames))


def _with_sound(grid: FrameGrid, audio: AudioPlan, state: TrackState | None) -> int:
    """Return how many video segments have all of their sound stored."""
    if state is None:
        return 0
    if state.complete:
        return grid.segments + 1
    heard = Fraction(state.ticks, audio.sample_rate) + SLACK_S
    return int(heard / grid.seconds(grid.gop))


def _sound(audio: AudioPlan, state: TrackState, *, until: Fraction | None) -> TimedSegments:
    """Return the times of the stored segments that begin before `until` seconds."""
    whole = audio.segment_ticks
    durations = [min(whole, state.ticks - number * whole) for number in range(state.segments)]
    if until is not None:
        durations = durations[: -int(-until * audio.sample_rate // whole)]
    return TimedSegments(audio.sample_rate, tuple(durations))
