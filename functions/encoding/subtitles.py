"""Subtitles: sidecars and streams of films as WebVTT, and whether a stream could be read."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from functions.encoding.formats.ass import cues_of_ass
from functions.encoding.formats.cues import arranged, webvtt_file
from functions.encoding.formats.subrip import cues_of_subrip, cues_of_webvtt
from functions.encoding.track_state import TrackFault
from functions.encoding.work_folders import DISK_FAILS
from functions.platform.errors import DiskUnavailable

if TYPE_CHECKING:
    from fractions import Fraction
    from pathlib import Path

    from functions.encoding.ffmpeg import Finished

SIDECAR_BYTES = 8 << 20
"""How much of a sidecar is read; the subtitles of a long film are less than 1 MB, those with many signs 5 MB."""

MOST_CUES = 20_000

EXTRACTED_BYTES = 32 << 20
"""The maximum size of the subtitles in a film, before they are converted."""

VTT_BYTES = 16 << 20

CPU_S, CPU_S_PER_GB = 30, 20
"""CPU-seconds in which subtitles must be extracted; if they are a stream of the film, ffmpeg reads the whole film."""

_WEBVTT = re.compile(r"\s*WEBVTT\b")
_ASS = re.compile(r"^[ \t]*\[(?:script info|v4\+? styles\+?|events)\]", re.IGNORECASE | re.MULTILINE)
_BEGINNING = 4096
_LONGEST_LETTER = 4
"""Bytes of a letter in UTF-8."""


def convert_subtitles(source: Path, target: Path, *, shift: Fraction) -> TrackFault | None:
    """Write the subtitles of a file as WebVTT, with their times minus `shift`; return why they cannot be published."""
    converted = webvtt_of(text_of(source.read_bytes()), shift=shift)
    if converted is None:
        return TrackFault.EMPTY
    target.write_text(converted, encoding="utf-8")
    return TrackFault.DAMAGED if target.stat().st_size > VTT_BYTES else None


def text_of(raw: bytes) -> str:
    """Return the text of a subtitle file in UTF-8, UTF-16 or, if it is neither, Windows-1252."""
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        encoding = "utf-16" if raw.startswith((b"\xff\xfe", b"\xfe\xff")) else "cp1252"
        if len(raw) == SIDECAR_BYTES and error.start > len(raw) - _LONGEST_LETTER:
            encoding = "utf-8-sig"  # the file is longer than what was read, which ends inside a letter
        text = raw.decode(encoding, "replace")
    return text.replace("\r\n", "\n").replace("\r", "\n").replace("\0", "")


def webvtt_of(text: str, *, shift: Fraction) -> str | None:
    """Return the subtitles of a file in ASS, SSA, SubRip or WebVTT as WebVTT, with its times minus `shift` seconds.

    The format is recognised by the text, since files often have the wrong extension. Return None if there is no cue.
    """
    if _WEBVTT.match(text):
        cues = cues_of_webvtt(text)
    elif _ASS.search(text[:_BEGINNING]):
        cues = arranged(cues_of_ass(text))
    else:
        cues = arranged(cues_of_subrip(text))
    if earlier_ms := round(shift * 1000):
        moved = (replace(c, start_ms=max(0, c.start_ms - earlier_ms), end_ms=c.end_ms - earlier_ms) for c in cues)
        cues = [cue for cue in moved if cue.start_ms < cue.end_ms]
    return webvtt_file(cues[:MOST_CUES]) if cues else None


def subtitle_cpu_s(size: int) -> int:
    """Return the CPU-seconds that the extraction of subtitles may take for a film of `size` bytes."""
    return CPU_S + CPU_S_PER_GB * size // 1_000_000_000


def fault_of_extracted(result: Finished, target: Path) -> TrackFault | None:
    """Return why the extracted subtitles cannot be converted, or None if they can.

    Raises DiskUnavailable if the file is empty although ffmpeg does not say that there was nothing to write.
    """
    if result.ran_out or result.status or not target.exists() or target.stat().st_size > EXTRACTED_BYTES:
        return TrackFault.DAMAGED
    if not target.stat().st_size and not result.is_empty:
        raise DiskUnavailable(DISK_FAILS)
    return None
