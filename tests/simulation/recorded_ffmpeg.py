"""ffmpeg for simulations: each command is run once, for real, and its output is replayed afterwards.

A command is identified by its arguments and by the content of the files that they name, so a replay writes the same
bytes as ffmpeg would.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from functions.encoding.ffmpeg import FFmpeg, Finished

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from tests.simulation.kernel import Simulation

_LISTED = re.compile(rb"^s\d+\.m4s$", re.MULTILINE)
PLAYLIST = "closed.m3u8"


class Recordings:
    """The commands that were run so far, shared by all runs of a test session."""

    def __init__(self) -> None:
        self.real = FFmpeg("ffmpeg", "ffprobe", 4096)
        self._probes: dict[tuple[str, ...], Finished] = {}
        self._runs: dict[tuple[str, ...], tuple[Finished, dict[str, bytes]]] = {}

    def probe(self, address: str, arguments: Sequence[str]) -> Finished:
        """Return ffprobe's result for a file."""
        key = (address, *arguments)
        if key not in self._probes:
            self._probes[key] = self.real.probe(address, *arguments)
        return self._probes[key]

    def run(self, arguments: Sequence[str], folder: Path, **limits: Any) -> tuple[Finished, dict[str, bytes]]:
        """Return ffmpeg's result, and the files that it writes, by their path in the folder; none of them is kept."""
        key = _key(arguments, folder)
        if key not in self._runs:
            before = set(_files(folder))
            result = self.real.run(arguments, folder=folder, **limits)
            made = {name: path for name, path in _files(folder).items() if name not in before}
            written = {name: path.read_bytes() for name, path in made.items()}
            for path in made.values():
                path.unlink()
            self._runs[key] = replace(result, cpu_s=1.0), written
        return self._runs[key]


class RecordedFFmpeg(FFmpeg):
    """Replays recordings; each command is an effect of the simulation, and so is each segment that it closes."""

    _simulation: Simulation
    _recordings: Recordings

    def __init__(self, simulation: Simulation, recordings: Recordings) -> None:
        super().__init__(recordings.real.ffmpeg, recordings.real.ffprobe, recordings.real.memory_mb)
        object.__setattr__(self, "_simulation", simulation)
        object.__setattr__(self, "_recordings", recordings)

    def probe(self, address: str, *arguments: str, **limits: Any) -> Finished:
        del limits  # a recording takes no time
        return self._simulation.effect("ffmpeg", "ffmpeg.probe", lambda: self._recordings.probe(address, arguments))

    def run(
        self,
        arguments: Sequence[str],
        *,
        folder: Path,
        watch: Callable[[], None] = lambda: None,
        **limits: Any,
    ) -> Finished:
        """Write the recorded files into the folder, calling `watch` after the first segment and at the end."""
        result, written = self._simulation.effect(
            "ffmpeg", "ffmpeg.run", lambda: self._recordings.run(arguments, folder, **limits)
        )
        for name, data in written.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            listed = _LISTED.findall(data) if name.endswith(PLAYLIST) else []
            (folder / name).write_bytes(listed[0] + b"\n" if listed else data)
        watch()
        for name in written:
            if name.endswith(PLAYLIST):
                (folder / name).write_bytes(written[name])
        watch()
        return result


def _files(folder: Path) -> dict[str, Path]:
    return {str(path.relative_to(folder)): path for path in folder.rglob("*") if path.is_file()}


def _key(arguments: Sequence[str], folder: Path) -> tuple[str, ...]:
    """Return what identifies a command: its arguments relative to the folder, and the content of its input there."""
    inputs = [
        hashlib.sha256(path.read_bytes()).hexdigest()
        for name, path in sorted(_files(folder).items())
        if str(path) in arguments
    ]
    return (*(argument.replace(str(folder), ".") for argument in arguments), *inputs)
