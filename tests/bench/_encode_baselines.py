"""Other ways to encode the same film with the same ladder and x264 options, as baselines for the pipeline.

- `single`: one ffmpeg process that decodes once and encodes every rung and the audio. It is the cheapest way to get the
  same files, but nothing can be played before the process ends, a crash loses everything, and other machines stay idle.
- `bound`: x264 alone, with raw frames from pipes as input. No pipeline can use less CPU for this ladder. The CPU time
  of the process that decodes and scales the frames is not counted.
- `serial`: one pass for each of three renditions, then packaging, as in the original system.
"""

from __future__ import annotations

import os
import tempfile
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

from functions.encoding.ffmpeg_commands import chunk_arguments
from functions.encoding.frame_grid import FrameGrid
from functions.encoding.ladder import renditions_for
from functions.encoding.model import Chunk, EncodePlan, SourceRef
from functions.encoding.picture_plan import PicturePlan
from tests.bench._measure import ResourceUsage, run

if TYPE_CHECKING:
    from collections.abc import Sequence

    from functions.encoding.renditions import Rendition

RATE = Fraction(24)
SERIAL_HEIGHTS = (360, 720, 1080)
SOUND = ("-map", "0:a:0", "-c:a", "aac", "-b:a", "128k", "-ac", "2", "-ar", "48000")
QUIET = ("ffmpeg", "-nostdin", "-hide_banner", "-loglevel", "error", "-y")
X264_OPTIONS = ("-c:v", "-preset", "-threads", "-crf", "-maxrate", "-bufsize", "-g", "-keyint_min", "-sc_threshold")


@dataclass(frozen=True, slots=True)
class Baselines:
    """The baselines for one film of `frames` frames at 1080p and 24 fps; their output is written below `folder`."""

    film: Path
    frames: int
    preset: str
    folder: Path

    def single(self) -> ResourceUsage:
        """Encode every rung and the audio in one process."""
        with tempfile.TemporaryDirectory(dir=self.folder) as name:
            for rung in self._plan.renditions:
                (Path(name) / rung.name).mkdir()
            return run([*QUIET, *self._one_chunk(), *SOUND, "sound.mp4"], cwd=Path(name))

    def bound(self) -> ResourceUsage:
        """Encode all rungs in parallel from raw frames; count only the encoders."""
        with tempfile.TemporaryDirectory(dir=self.folder) as name:
            pipes = [Path(name) / rung.name for rung in self._plan.renditions]
            for pipe in pipes:
                os.mkfifo(pipe)
            feeder = [*QUIET, "-i", str(self.film), "-filter_complex", self._scaled()]
            encoders = []
            for number, (rung, pipe) in enumerate(zip(self._plan.renditions, pipes, strict=True)):
                feeder += ["-map", f"[v{number}]", "-f", "rawvideo", str(pipe)]
                raw = ("-f", "rawvideo", "-pixel_format", "yuv420p", "-video_size", f"{rung.width}x{rung.height}")
                source = (*raw, "-framerate", str(RATE), "-i", str(pipe))
                encoders.append([*QUIET, *source, *self._x264()[number], "-f", "null", "-"])
            return run(*encoders, feeder, uncounted=1)

    def serial(self) -> ResourceUsage:
        """Encode three renditions one after the other, then package them."""
        options = dict(zip((rung.height for rung in self._plan.renditions), self._x264(), strict=True))
        wall_s = cpu_s = 0.0
        with tempfile.TemporaryDirectory(dir=self.folder) as name:
            steps = [
                ["-i", str(self.film), "-map", "0:v:0", "-vf", f"scale=-2:{height}:flags=bicubic", *options[height]]
                + (list(SOUND) if height == max(SERIAL_HEIGHTS) else [])
                + [f"{height}.mp4"]
                for height in SERIAL_HEIGHTS
            ]
            inputs = [word for height in SERIAL_HEIGHTS for word in ("-i", f"{height}.mp4")]
            maps = [word for number in range(len(SERIAL_HEIGHTS)) for word in ("-map", f"{number}:v")]
            steps.append(
                [*inputs, *maps, "-map", f"{len(SERIAL_HEIGHTS) - 1}:a", "-c", "copy", "-f", "dash", "manifest.mpd"]
            )
            for step in steps:
                usage = run([*QUIET, *step], cwd=Path(name))
                wall_s, cpu_s = wall_s + usage.wall_s, cpu_s + usage.cpu_s
        return ResourceUsage(wall_s, cpu_s)

    @property
    def _plan(self) -> EncodePlan:
        grid = FrameGrid(RATE, self.frames)
        return EncodePlan(
            source=SourceRef("", ""),
            grid=grid,
            picture=PicturePlan(0, "h264", Fraction(0), False, False, False),
            renditions=renditions_for(1920, 1080),
            chunks=(Chunk(0, 0, self.frames, 0, grid.segments),),
            audio=(),
            text=(),
            preset=self.preset,
            ffmpeg_version="",
        )

    def _one_chunk(self) -> list[str]:
        """Return the pipeline's ffmpeg arguments for the whole film as one chunk."""
        return chunk_arguments(self._plan, self._plan.chunks[0], str(self.film))

    def _x264(self) -> list[list[str]]:
        """Return the x264 options for each rung, as the pipeline sets them."""
        words = self._one_chunk()
        starts = [number for number, word in enumerate(words) if word == "-map"]
        return [
            _options(words[start:end], X264_OPTIONS) for start, end in zip(starts, [*starts[1:], None], strict=True)
        ]

    def _scaled(self) -> str:
        """Return a filter graph that scales each rung from the next larger rung, as the pipeline does."""
        rungs: Sequence[Rendition] = self._plan.renditions
        steps, source = [], "[0:v:0]"
        for number, rung in enumerate(rungs):
            scaled = f"{source}scale={rung.width}:{rung.height}:flags=bicubic,format=yuv420p"
            if number == len(rungs) - 1:
                steps.append(f"{scaled}[v{number}]")
            else:
                steps.append(f"{scaled},split[v{number}][s{number}]")
                source = f"[s{number}]"
        return ";".join(steps)


def _options(words: Sequence[str], names: Sequence[str]) -> list[str]:
    found = []
    for name, value in pairwise(words):
        if name in names:
            found += [name, value]
    return found
