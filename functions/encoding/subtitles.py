"""Subtitles: sidecars as files that ffmpeg reads in bounded time, and whether a conversion to WebVTT succeeded."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from functions.encoding.track_state import TrackFault
from functions.encoding.work_folders import DISK_FAILS
from functions.platform.errors import DiskUnavailable

if TYPE_CHECKING:
    from functions.encoding.ffmpeg import Finished

SIDECAR_BYTES = 8 << 20
"""How much of a sidecar is read; the subtitles of a long film are less than 1 MB."""

MOST_CUES = 20_000
LONGEST_CUE = 4096
"""Characters of one cue. ffmpeg's time grows with the square of the length: a cue of 3 MB takes five minutes."""

VTT_BYTES = 16 << 20

CPU_S, CPU_S_PER_GB = 30, 20
"""CPU-seconds in which a conversion must end; if the subtitles are a stream of the film, it reads the whole film."""

ARROW = "-->"
"""What each cue of SubRip and WebVTT has between its times."""

_BLANK_LINES = re.compile(r"\n[ \t]*\n\s*")


def write_sidecar(raw: bytes, blob: str, folder: Path) -> Path | None:
    """Write a subtitle sidecar to a file in UTF-8, which ffmpeg expects, without oversized cues.

    Return its path, or None if it has no cue.
    """
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        encoding = "utf-16" if raw.startswith((b"\xff\xfe", b"\xfe\xff")) else "cp1252"
        text = raw.decode(encoding, "replace")
    lines = text.replace("\r\n", "\n").replace("\r", "\n").replace("\0", "")
    cues = [cue for cue in _BLANK_LINES.split(lines) if len(cue) <= LONGEST_CUE]
    if not any(ARROW in cue for cue in cues):
        return None
    path = folder / f"sidecar{Path(blob).suffix.lower()}"
    path.write_text("\n\n".join(cues[:MOST_CUES]) + "\n", encoding="utf-8")
    return path


def subtitle_cpu_s(size: int) -> int:
    """Return the CPU-seconds that a conversion may take for a film of `size` bytes."""
    return CPU_S + CPU_S_PER_GB * size // 1_000_000_000


def fault_of_subtitles(result: Finished, target: Path) -> TrackFault | None:
    """Return why the converted subtitles cannot be published, or None if they can.

    Raises DiskUnavailable if the file lacks even the header, which ffmpeg always writes, with or without cues.
    """
    if not result.status and not result.ran_out and target.exists() and not target.stat().st_size:
        raise DiskUnavailable(DISK_FAILS)
    if result.ran_out or result.status or not target.exists() or target.stat().st_size > VTT_BYTES:
        return TrackFault.DAMAGED
    return None if ARROW in target.read_text(encoding="utf-8", errors="replace") else TrackFault.EMPTY
