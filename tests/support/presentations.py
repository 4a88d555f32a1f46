"""Create presentations, the content of manifests, for titles that are complete or still being encoded."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from fractions import Fraction

from functions.encoding.publication.presentation import AudioTrack, Presentation, TextTrack, TimedSegments, VideoTrack
from functions.encoding.renditions import Rendition

RENDITIONS = (
    Rendition("v1080", 1920, 1080, 5000),
    Rendition("v480", 854, 480, 1400),
    Rendition("v234", 416, 234, 400),
)


def make_video_tracks(renditions: tuple[Rendition, ...] = RENDITIONS) -> tuple[VideoTrack, ...]:
    """Return one track per rendition, each with a different codec and bandwidth."""
    return tuple(
        VideoTrack(rendition, f"avc1.6400{40 - number:02x}", rendition.maxrate_kbps * 1300)
        for number, rendition in enumerate(renditions)
    )


def make_audio_track(
    name: str = "a0",
    language: str = "en",
    label: str = "English",
    *,
    channels: int = 2,
    bandwidth_bps: int = 135_000,
    durations: tuple[int, ...] = (192_512, 191_488, 192_512, 49_152),
    stereo: str | None = None,
) -> AudioTrack:
    """Return an AAC track at 48 kHz; the default lasts 13.03 seconds, a whole number of AAC frames."""
    segments = TimedSegments(48_000, durations)
    return AudioTrack(name, language, label, channels, 48_000, "mp4a.40.2", bandwidth_bps, segments, stereo=stereo)


def make_presentation(
    *,
    renditions: tuple[Rendition, ...] = RENDITIONS,
    rate: Fraction = Fraction(24),
    durations: tuple[int, ...] = (96_000, 96_000, 96_000, 24_000),
    timescale: int = 24_000,
    audio: tuple[AudioTrack, ...] | None = None,
    text: tuple[TextTrack, ...] = (),
    key_id: str | None = None,
) -> Presentation:
    """Return a complete title; the default has three rungs, thirteen seconds and one English audio track."""
    video_segments = TimedSegments(timescale, durations)
    audio = (make_audio_track(),) if audio is None else audio
    return Presentation(
        duration=max([video_segments.end, *(track.segments.end for track in audio)]),
        complete=True,
        published_at=datetime(2026, 11, 24, 9, 30, tzinfo=UTC),
        rate=rate,
        video=make_video_tracks(renditions),
        video_segments=video_segments,
        audio=audio,
        text=text,
        key_id=key_id,
    )


def growing(presentation: Presentation, segments: int) -> Presentation:
    """Return the same title with only its first `segments` encoded; its planned length is the length of the video."""

    def first(timeline: TimedSegments) -> TimedSegments:
        return TimedSegments(timeline.timescale, timeline.durations[:segments])

    return replace(
        presentation,
        complete=False,
        duration=presentation.video_segments.end,
        video_segments=first(presentation.video_segments),
        audio=tuple(replace(track, segments=first(track.segments)) for track in presentation.audio),
        text=(),
    )
