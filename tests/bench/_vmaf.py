"""VMAF of an encoded film, measured by a build of ffmpeg that has libvmaf, which the product's ffmpeg lacks."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import imageio_ffmpeg

from tests.bench._measure import run

if TYPE_CHECKING:
    from collections.abc import Sequence


def vmaf_of_file(encoded: Path, source: Path, *, width: int, height: int, every: int = 1) -> list[float]:
    """Return the VMAF of every `every`-th frame; both films are first scaled to this size, in pixels.

    The films must have the same frames. The model is `vmaf_v0.6.1`: a display with 1080 lines, watched from three times
    its height.
    """
    size = f"scale={width}:{height}:flags=bicubic,setsar=1,format=yuv420p,settb=1/1000,setpts=N*40"
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "vmaf.json"
        # `ignore_editlist`: the times of our segments follow from their boxes, and only the order of frames is needed
        compared = f"[0:v:0]{size}[a];[1:v:0]{size}[b];[a][b]libvmaf=log_fmt=json:n_threads=2"
        run(
            [
                *(imageio_ffmpeg.get_ffmpeg_exe(), "-nostdin", "-hide_banner", "-loglevel", "error", "-y"),
                *("-ignore_editlist", "1", "-i", str(encoded), "-i", str(source)),
                *("-filter_complex", f"{compared}:n_subsample={every}:log_path={report}", "-f", "null", "-"),
            ]
        )
        frames = json.loads(report.read_text())["frames"]
        return [float(frame["metrics"]["vmaf"]) for frame in frames]


def worst_second(frames: Sequence[float], *, per_second: int) -> float:
    """Return the mean of the second with the lowest mean."""
    seconds = [frames[at : at + per_second] for at in range(0, max(1, len(frames) - per_second // 2), per_second)]
    return min(sum(second) / len(second) for second in seconds)
