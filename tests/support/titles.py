"""Encode a tiny title with ffmpeg, in chunks that consist of final segments."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

from functions.encoding.renditions import Rendition

if TYPE_CHECKING:
    from pathlib import Path

    from functions.encoding.frame_grid import FrameGrid

TINY_RENDITIONS = (Rendition("v180", 320, 180, 400), Rendition("v90", 160, 90, 200), Rendition("v54", 96, 54, 100))


def run_ffmpeg(*arguments: str) -> None:
    """Run ffmpeg; fail with its error output."""
    done = subprocess.run(
        ["ffmpeg", "-nostdin", "-hide_banner", "-loglevel", "error", "-y", *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr


def make_tiny_title(folder: Path, grid: FrameGrid, *, segments_a_chunk: int) -> None:
    """Encode a test pattern with a tone, last chunk first.

    The files are `<rung>/s%05d.m4s`, `<rung>/init-<chunk>.mp4`, and the audio in `a0/`.
    """
    source = folder / "source.mp4"
    seconds = float(grid.seconds(grid.frames))
    run_ffmpeg(
        *("-f", "lavfi", "-i", f"testsrc2=size=320x180:rate={grid.rate}"),
        *("-f", "lavfi", "-i", "sine=sample_rate=48000"),
        *("-t", f"{seconds:.6f}", "-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p"),
        *("-c:a", "aac", "-ac", "2", str(source)),
    )
    for chunk in reversed(range(-(-grid.segments // segments_a_chunk))):
        _encode_chunk(source, folder, grid, chunk, segments_a_chunk)
    sound = folder / "a0"
    sound.mkdir()
    run_ffmpeg(
        *("-i", str(source), "-vn", "-c:a", "aac", "-b:a", "96k", "-ac", "2", "-ar", "48000"),
        *_segmented(sound, "init.mp4", "movflags=+cmaf"),
    )


def _encode_chunk(source: Path, folder: Path, grid: FrameGrid, chunk: int, segments_a_chunk: int) -> None:
    first_segment = chunk * segments_a_chunk
    first = first_segment * grid.gop
    end = min(first + segments_a_chunk * grid.gop, grid.frames)
    count = len(TINY_RENDITIONS)
    branches = "".join(
        f";[s{number}]scale={rung.width}:{rung.height},setdar=16/9[v{number}]"
        for number, rung in enumerate(TINY_RENDITIONS)
    )
    graph = (
        f"[0:v:0]fps={grid.rate}:start_time=0:round=near,trim=start_pts={first}:end_pts={end},"
        f"split={count}{''.join(f'[s{number}]' for number in range(count))}{branches}"
    )
    arguments = [
        *("-copyts", "-start_at_zero", "-ss", f"{max(0, grid.seconds(first) - 1):.6f}"),
        *("-to", f"{grid.seconds(end) + 1:.6f}", "-i", str(source), "-filter_complex", graph),
    ]
    for number, rung in enumerate(TINY_RENDITIONS):
        out = folder / rung.name
        out.mkdir(exist_ok=True)
        arguments += [
            *("-map", f"[v{number}]", "-c:v", "libx264", "-preset", "veryfast", "-crf", "28", "-threads", "1"),
            *("-g", str(grid.gop), "-keyint_min", str(grid.gop), "-sc_threshold", "0", "-pix_fmt", "yuv420p"),
            *("-start_number", str(first_segment)),
            *_segmented(
                out, f"init-{chunk}.mp4", f"movflags=+cmaf+frag_discont:video_track_timescale={grid.timescale}"
            ),
        ]
    run_ffmpeg(*arguments)


def _segmented(folder: Path, init_name: str, segment_options: str) -> tuple[str, ...]:
    return (
        *("-avoid_negative_ts", "disabled", "-f", "hls", "-hls_time", "4", "-hls_playlist_type", "vod"),
        *("-hls_segment_type", "fmp4", "-hls_segment_options", segment_options, "-hls_fmp4_init_filename", init_name),
        *("-hls_segment_filename", str(folder / "s%05d.m4s"), str(folder / f"{init_name}.m3u8")),
    )
