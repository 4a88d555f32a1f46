"""What the manifests of a job say now: the front of its finished chunks, and as much sound as goes with it."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

from functions.encoding.model import AudioTrack, Presentation, TextTrack, TimedSegments, VideoTrack

if TYPE_CHECKING:
    from datetime import datetime

    from functions.encoding.jobs import EncodeJob, TrackState
    from functions.encoding.model import AudioPlan, EncodePlan, FrameGrid

PEAK_OVER_CAP = Fraction(11, 10)
"""Declared peak over the cap of a rung: a segment may take from a full buffer what the one before left."""

SLACK_S = Fraction(1, 5)
"""How far listed picture may run ahead of listed sound."""


def presentation_of(job: EncodeJob, plan: EncodePlan, *, at: datetime) -> Presentation | None:
    """Return what may be listed, or None while there is no picture with its sound.

    No sound is listed that begins after the picture's end, nor picture whose sound is still to come: a player that
    meets either stops for good.
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


def revision_of(presentation: Presentation) -> int:
    """Return a number that grows with what is listed, so that an older manifest never covers a newer one."""
    listed = len(presentation.video_segments.durations) + sum(len(t.segments.durations) for t in presentation.audio)
    return listed + (1_000_000_000 if presentation.complete else 0)


def front_segments(job: EncodeJob, plan: EncodePlan) -> int:
    """Return how many segments from the start are in storage without a gap."""
    front = 0
    for chunk in plan.chunks:
        if chunk.index not in job.chunks_done:
            # How long the film's last segment is, is known only when its chunk is done.
            certain = chunk.segments - (chunk.end_frame == plan.grid.frames)
            return front + min(job.live.get(str(chunk.index), 0), certain)
        front = chunk.first_segment + chunk.segments
    return -(-(job.tail_frames or plan.grid.frames) // plan.grid.gop)


def video_segments(grid: FrameGrid, count: int, *, total_frames: int) -> TimedSegments:
    """Return the times of the first `count` segments of a film of `total_frames`; only its last may be short."""
    frames = [min(grid.gop, total_frames - number * grid.gop) for number in range(count)]
    return TimedSegments(grid.timescale, tuple(length * grid.frame_ticks for length in frames))


def _with_sound(grid: FrameGrid, audio: AudioPlan, state: TrackState | None) -> int:
    """Return how many segments of picture have their sound in storage."""
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
