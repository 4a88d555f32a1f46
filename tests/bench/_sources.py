"""The films for the benchmarks, cached after the first use: Big Buck Bunny's trailer at 1080p, and a loop of it."""

from __future__ import annotations

import tempfile
from pathlib import Path

from infra.local.demo.films import fetch
from infra.local.demo.library import Clip
from tests.bench._measure import run, say

TRAILER = Clip(
    registry="pypi",
    package="moviepy==2.2.1",
    member="docs/_static/medias/getting_started/moviepy_10_minutes/trailer_bbb.mp4",
    still_s=0,
    still_x=0,
)
OCEAN = Clip(registry="npm", package="vide@0.5.1", member="package/test/video/ocean.mp4", still_s=0, still_x=0)
STREET = Clip(
    registry="npm", package="vrview@0.2.0", member="package/examples/video/congo_2048.mp4", still_s=0, still_x=0
)
SHORT_S = 55.125
BRIEF_S = 27
TWO_MINUTES_S = 120
LONG_S = 600
HOUR_S = 3600
FEATURE_S = 7200


def short_film(cache: Path) -> Path:
    """Return a film of 55 seconds at 1080p and 24 fps, with audio."""
    target = cache / "short.mp4"
    if not target.exists():
        trailer = _trailer(cache)
        say("Scaling it to 1080p …")
        picture = ("-vf", "scale=1920:1080:flags=lanczos", "-c:v", "libx264", "-preset", "fast", "-crf", "14")
        sound = ("-pix_fmt", "yuv420p", "-c:a", "aac", "-b:a", "192k", "-ar", "48000")
        _make(target, "-i", str(trailer), *picture, *sound)
    return target


def brief_film(cache: Path) -> Path:
    """Return the first BRIEF_S seconds of the short film."""
    return _looped(cache, "brief.mp4", BRIEF_S)


def two_minute_film(cache: Path) -> Path:
    """Return a film of two minutes, made by looping the short film."""
    return _looped(cache, "two-minutes.mp4", TWO_MINUTES_S)


def long_film(cache: Path) -> Path:
    """Return a film of ten minutes, made by looping the short film; its index is at the front of the file."""
    return _looped(cache, "long.mp4", LONG_S)


def hour_film(cache: Path) -> Path:
    """Return a film of an hour at 720p, made by looping the trailer; its index is at the front of the file."""
    target = cache / "hour.mp4"
    if not target.exists():
        say("Looping the trailer to an hour …")
        _loop(_trailer(cache), target, HOUR_S)
    return target


QUALITY_S = 20
"""The longest part of a clip that the benchmark of quality encodes."""


def quality_clips(cache: Path) -> dict[str, Path]:
    """Return parts of three clips of different kinds, without sound: animation, water, and a hand-held camera.

    In MP4, the mark of a panorama is lost; the VMAF filter does not accept pictures with this mark.
    """
    clips = {"animation": _trailer(cache), "water": cache / "ocean.mp4", "street": cache / "street.mp4"}
    for clip, path in ((OCEAN, clips["water"]), (STREET, clips["street"])):
        if not path.exists():
            say(f"Downloading {path.stem} from a package on npm …")
            fetch(clip, path)
    parts = {}
    for name, path in clips.items():
        parts[name] = cache / f"quality-{name}.mp4"
        if not parts[name].exists():
            begin = ("-ss", "14.2") if name == "animation" else ()  # a key frame after the titles
            _make(parts[name], *begin, "-i", str(path), "-map", "0:v:0", "-c", "copy", "-t", str(QUALITY_S))
    return parts


def tiny_film(cache: Path) -> Path:
    """Return a film of four seconds, which an encoder encodes first so that its warm-up is not measured."""
    target = cache / "tiny.mp4"
    if not target.exists():
        say("Making a film for the warm-up …")
        picture, sound = ("-f", "lavfi", "-i", "testsrc2=s=320x180:r=24:d=4"), ("-f", "lavfi", "-i", "sine=d=4")
        _make(target, *picture, *sound, "-c:v", "libx264", "-pix_fmt", "yuv420p", "-c:a", "aac")
    return target


def clip_film(cache: Path) -> Path:
    """Return a film of ten seconds; it is encoded in two renditions and a single chunk."""
    target = cache / "clip.mp4"
    if not target.exists():
        say("Making a short film …")
        picture, sound = ("-f", "lavfi", "-i", "testsrc2=s=640x360:r=24:d=10"), ("-f", "lavfi", "-i", "sine=d=10")
        _make(target, *picture, *sound, "-c:v", "libx264", "-preset", "veryfast", "-pix_fmt", "yuv420p", "-c:a", "aac")
    return target


def hevc_film(cache: Path) -> Path:
    """Return the clip in HEVC, whose pictures cannot be copied."""
    target = cache / "hevc.mkv"
    if not target.exists():
        say("Encoding it in HEVC …")
        video = ("-c:v", "libx265", "-preset", "ultrafast", "-x265-params", "log-level=none")
        _make(target, "-i", str(clip_film(cache)), *video, "-c:a", "copy")
    return target


def broadcast_film(cache: Path) -> Path:
    """Return the clip as an MPEG-2 transport stream, which is remuxed before it is encoded."""
    target = cache / "broadcast.ts"
    if not target.exists():
        say("Encoding it in MPEG-2 …")
        _make(target, "-i", str(clip_film(cache)), "-c:v", "mpeg2video", "-q:v", "4", "-c:a", "mp2")
    return target


def feature_film(cache: Path) -> Path:
    """Return a film of two hours at 1080p, made by looping a minute of a test picture."""
    target = cache / "feature-1080.mkv"
    if not target.exists():
        say("Making a film of two hours …")
        with tempfile.TemporaryDirectory(dir=cache) as name:
            minute = Path(name) / "minute.mkv"
            picture = ("-f", "lavfi", "-i", "testsrc2=s=1920x1080:r=24:d=60")
            sound = ("-f", "lavfi", "-i", "sine=d=60")
            video = ("-c:v", "libx264", "-preset", "veryfast", "-crf", "42", "-bf", "0", "-g", "48")
            _make(minute, *picture, *sound, *video, "-pix_fmt", "yuv420p", "-c:a", "aac", "-ar", "48000")
            loop = ("-stream_loop", str(FEATURE_S // 60 - 1), "-i", str(minute))
            _make(target, *loop, "-c", "copy")
    return target


def _trailer(cache: Path) -> Path:
    trailer = cache / "trailer.mp4"
    if not trailer.exists():
        say("Downloading Big Buck Bunny from a package on PyPI …")
        fetch(TRAILER, trailer)
    return trailer


def _looped(cache: Path, name: str, seconds: int) -> Path:
    """Return the short film, looped to so many seconds."""
    target = cache / name
    if not target.exists():
        say(f"Looping it to {seconds} seconds …")
        _loop(short_film(cache), target, seconds)
    return target


def _loop(film: Path, target: Path, seconds: int) -> None:
    """Repeat a film of SHORT_S; audio and video are looped separately, because they have different lengths."""
    with tempfile.TemporaryDirectory(dir=target.parent) as name:
        folder = Path(name)
        _make(folder / "picture.mp4", "-i", str(film), "-map", "0:v", "-c", "copy")
        _make(folder / "sound.wav", "-i", str(film), "-vn", "-af", f"apad,atrim=end={SHORT_S}")
        loops = ("-stream_loop", str(seconds // int(SHORT_S) + 1))
        inputs = (*loops, "-i", str(folder / "picture.mp4"), *loops, "-i", str(folder / "sound.wav"))
        codecs = ("-map", "0:v", "-map", "1:a", "-c:v", "copy", "-c:a", "aac")
        _make(target, *inputs, *codecs, "-t", str(seconds), "-movflags", "+faststart")


def _make(target: Path, *arguments: str) -> None:
    """Write the file atomically with ffmpeg."""
    fresh = target.with_stem(f"{target.stem}-new")
    run(["ffmpeg", "-nostdin", "-hide_banner", "-loglevel", "error", "-y", *arguments, str(fresh)])
    fresh.replace(target)
