"""Write init and media segments of CMAF tracks whose samples are copied (ISO/IEC 23000-19, ISO/IEC 14496-12).

A media segment is one movie fragment. Composition offsets may be negative, so the decode time of a segment is the time
at which its first picture is shown, as in the encoded renditions.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING

from functions.encoding.formats.iso_bmff import box, full_box
from functions.encoding.formats.segments import SAMPLE_IS_NON_SYNC

if TYPE_CHECKING:
    from collections.abc import Sequence

_TRACK_ID = 1
_MATRIX = struct.pack(">9i", 1 << 16, 0, 0, 0, 1 << 16, 0, 0, 0, 1 << 30)
_UNDETERMINED = 0x55C4
"""The language "und" in its packed form; the actual language of a track is stated in the manifests."""

_INDEPENDENT, _DEPENDENT = 0x02000000, 0x01000000 | SAMPLE_IS_NON_SYNC
"""Sample flags (8.8.3.1)."""


@dataclass(frozen=True, slots=True)
class CopiedSample:
    """A sample in decoding order: its duration and composition offset in ticks, its bytes, and whether it is a key."""

    duration: int
    offset: int
    content: bytes
    is_key: bool


def picture_init(configuration: bytes, *, timescale: int, width: int, height: int) -> bytes:
    """Return the init segment of an H.264 track; `configuration` is the content of its avcC box."""
    entry = box(
        b"avc1",
        bytes(6) + b"\0\1" + bytes(16),
        struct.pack(">HH", width, height),
        struct.pack(">IIIH", 72 << 16, 72 << 16, 0, 1),
        bytes(32),
        struct.pack(">Hh", 24, -1),
        box(b"avcC", configuration),
    )
    header = full_box(b"vmhd", 0, 1, bytes(8))
    return _init(b"vide", entry, header, timescale=timescale, size=(width, height))


def sound_init(specific: bytes, *, sample_rate: int, channels: int, priming: int) -> bytes:
    """Return the init segment of an AAC track, whose first `priming` samples are not heard."""
    decoder = bytes([0x40, 0x15]) + bytes(11) + _descriptor(5, specific)
    stream = struct.pack(">HB", _TRACK_ID, 0) + _descriptor(4, decoder) + _descriptor(6, b"\2")
    entry = box(
        b"mp4a",
        bytes(6) + b"\0\1" + bytes(8),
        struct.pack(">HHI", channels, 16, 0),
        struct.pack(">I", sample_rate << 16),
        full_box(b"esds", 0, 0, _descriptor(3, stream)),
    )
    edits = box(b"edts", full_box(b"elst", 0, 0, struct.pack(">IIiI", 1, 0, priming, 1 << 16))) if priming else b""
    return _init(b"soun", entry, full_box(b"smhd", 0, 0, bytes(4)), timescale=sample_rate, edits=edits)


def media_segment(number: int, start: int, samples: Sequence[CopiedSample]) -> bytes:
    """Return a media segment; `number` counts from 0, and its first sample is decoded at the tick `start`."""
    entries = b"".join(
        struct.pack(
            ">IIIi",
            sample.duration,
            len(sample.content),
            _INDEPENDENT if sample.is_key else _DEPENDENT,
            sample.offset,
        )
        for sample in samples
    )
    length = 8 + 16 + 8 + 16 + 20 + 20 + len(entries)
    run = full_box(b"trun", 1, 0xF01, struct.pack(">Ii", len(samples), length + 8), entries)
    fragment = box(
        b"moof",
        full_box(b"mfhd", 0, 0, struct.pack(">I", number + 1)),
        box(
            b"traf",
            full_box(b"tfhd", 0, 0x020000, struct.pack(">I", _TRACK_ID)),
            full_box(b"tfdt", 1, 0, struct.pack(">Q", start)),
            run,
        ),
    )
    return fragment + box(b"mdat", *(sample.content for sample in samples))


def _init(
    handler: bytes, entry: bytes, header: bytes, *, timescale: int, size: tuple[int, int] = (0, 0), edits: bytes = b""
) -> bytes:
    tables = b"".join(full_box(kind, 0, 0, bytes(4)) for kind in (b"stts", b"stsc"))
    tables += full_box(b"stsz", 0, 0, bytes(8)) + full_box(b"stco", 0, 0, bytes(4))
    volume = 0x0100 if handler == b"soun" else 0
    track = box(
        b"trak",
        full_box(
            b"tkhd",
            0,
            7,
            struct.pack(">IIIII", 0, 0, _TRACK_ID, 0, 0) + bytes(8) + struct.pack(">hhHH", 0, 0, volume, 0),
            _MATRIX,
            struct.pack(">II", size[0] << 16, size[1] << 16),
        ),
        edits,
        box(
            b"mdia",
            full_box(b"mdhd", 0, 0, struct.pack(">IIIIHH", 0, 0, timescale, 0, _UNDETERMINED, 0)),
            full_box(b"hdlr", 0, 0, bytes(4) + handler + bytes(12) + b"\0"),
            box(
                b"minf",
                header,
                box(b"dinf", full_box(b"dref", 0, 0, struct.pack(">I", 1), full_box(b"url ", 0, 1))),
                box(b"stbl", full_box(b"stsd", 0, 0, struct.pack(">I", 1), entry), tables),
            ),
        ),
    )
    movie = full_box(
        b"mvhd",
        0,
        0,
        struct.pack(">IIII", 0, 0, timescale, 0) + struct.pack(">IH", 1 << 16, 0x0100) + bytes(10),
        _MATRIX,
        bytes(24) + struct.pack(">I", _TRACK_ID + 1),
    )
    defaults = box(b"mvex", full_box(b"trex", 0, 0, struct.pack(">IIIII", _TRACK_ID, 1, 0, 0, 0)))
    return box(b"ftyp", b"iso6", bytes(4), b"iso6", b"cmfc", b"mp41") + box(b"moov", movie, track, defaults)


def _descriptor(tag: int, content: bytes) -> bytes:
    """Return a descriptor (ISO/IEC 14496-1, 8.3.3); all of these are shorter than 128 bytes."""
    return bytes([tag, len(content)]) + content
