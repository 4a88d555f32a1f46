"""Replace the edit lists of an MP4 or QuickTime file (ISO/IEC 14496-12, 8.6.6)."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from fractions import Fraction

type Parts = tuple[tuple[Fraction, Fraction], ...]

_HEADER = 8


def with_edits(film: bytes, parts: Parts) -> bytes:
    """Return the film with tracks that show only `parts` of their media, each given as start and duration, in s.

    The index must be at the end of the file, because its length changes.
    """
    start, end = next((start, end) for kind, start, end in _boxes(film) if kind == b"moov")
    assert end == len(film), "the index is not at the end"
    moov = film[start + _HEADER : end]
    timescale = _timescale(next(body for kind, body in _children(moov) if kind == b"mvhd"))
    changed = b"".join(
        _box(kind, _with_edits(body, parts, timescale) if kind == b"trak" else body) for kind, body in _children(moov)
    )
    return film[:start] + _box(b"moov", changed)


def _with_edits(trak: bytes, parts: Parts, movie_timescale: int) -> bytes:
    children = dict(_children(trak))
    media_timescale = _timescale(dict(_children(children[b"mdia"]))[b"mdhd"])
    # Reordered frames are shown later than they are decoded; the muxer's edit list compensates for that delay.
    delay = struct.unpack(">i", dict(_children(children[b"edts"]))[b"elst"][12:16])[0]
    entries = b"".join(
        struct.pack(">IiI", round(lasts * movie_timescale), delay + round(at * media_timescale), 0x10000)
        for at, lasts in parts
    )
    children[b"edts"] = _box(b"elst", struct.pack(">II", 0, len(parts)) + entries)
    order = sorted(children, key=lambda kind: (kind != b"tkhd", kind != b"edts"))
    return b"".join(_box(kind, children[kind]) for kind in order)


def _timescale(header: bytes) -> int:
    """Return the timescale of a movie or media header of version 0."""
    assert header[0] == 0
    return int(struct.unpack(">I", header[12:16])[0])


def _box(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body) + _HEADER) + kind + body


def _children(body: bytes) -> list[tuple[bytes, bytes]]:
    return [(kind, body[start + _HEADER : end]) for kind, start, end in _boxes(body)]


def _boxes(data: bytes) -> Iterator[tuple[bytes, int, int]]:
    at = 0
    while at + _HEADER <= len(data):
        size = int.from_bytes(data[at : at + 4])
        if size == 1:
            size = int.from_bytes(data[at + 8 : at + 16])
        yield data[at + 4 : at + 8], at, at + size
        at += size
