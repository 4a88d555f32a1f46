"""Build ISO media boxes manually, so that tests control every field of a segment (ISO/IEC 14496-12)."""

from __future__ import annotations

import struct
from dataclasses import dataclass


def box(kind: str, *parts: bytes) -> bytes:
    """Return a box with the concatenated parts as its content."""
    body = b"".join(parts)
    return struct.pack(">I4s", 8 + len(body), kind.encode()) + body


def full_box(kind: str, version: int, flags: int, *parts: bytes) -> bytes:
    """Return a full box, which starts with version and flags."""
    return box(kind, struct.pack(">I", version << 24 | flags), *parts)


def u32(*values: int) -> bytes:
    """Return the values as big-endian 32-bit integers."""
    return struct.pack(f">{len(values)}I", *values)


def make_edit_list(media_time: int, *, entries: int = 1) -> bytes:
    """Return an edts box of version 0 whose edits all start at `media_time`."""
    return box("edts", full_box("elst", 0, 0, u32(entries), struct.pack(">IiI", 0, media_time, 1 << 16) * entries))


def make_avc_entry(width: int = 320, height: int = 180, profile: bytes = b"\x64\x00\x1f") -> bytes:
    """Return the sample entry of an H.264 track."""
    return box(
        "avc1",
        bytes(24),
        struct.pack(">HH", width, height),
        bytes(50),
        box("avcC", b"\x01", profile, b"\xff\xe0"),
    )


def make_aac_entry(channels: int = 2, sample_rate: int = 48000, specific: bytes = b"\x11\x90") -> bytes:
    """Return the sample entry of an AAC track; `specific` is its AudioSpecificConfig."""
    decoder = bytes([0x40]) + bytes(12) + bytes([5, 0x80, 0x80, 0x80, len(specific)]) + specific
    stream = bytes(3) + bytes([4, 0x80, 0x80, 0x80, len(decoder)]) + decoder
    return box(
        "mp4a",
        bytes(16),
        struct.pack(">H", channels),
        bytes(6),
        u32(sample_rate << 16),
        full_box("esds", 0, 0, bytes([3, 0x80, 0x80, 0x80, len(stream)]), stream),
    )


def make_init(
    entry: bytes,
    *,
    timescale: int = 24000,
    edits: bytes = b"",
    default_duration: int = 0,
    default_flags: int = 0,
    tracks: int = 1,
) -> bytes:
    """Return an init segment with `tracks` identical tracks."""
    track = box(
        "trak",
        edits,
        box(
            "mdia",
            full_box("mdhd", 0, 0, u32(0, 0, timescale, 0, 0)),
            box("minf", box("stbl", full_box("stsd", 0, 0, u32(1), entry))),
        ),
    )
    defaults = full_box("trex", 0, 0, u32(1, 1, default_duration, 0, default_flags))
    return box("ftyp", b"iso6", u32(0)) + box("moov", track * tracks, box("mvex", defaults))


@dataclass(frozen=True, slots=True)
class Sample:
    """One sample of a trun box."""

    duration: int
    size: int = 10
    flags: int = 0
    offset: int = 0


def make_fragment(
    start: int,
    samples: list[Sample],
    *,
    track_id: int = 1,
    run_flags: int = 0xF01,
    header_fields: tuple[tuple[int, int], ...] = (),
    first_flags: int | None = None,
) -> bytes:
    """Return moof and mdat with one run; `header_fields` are (flag, value) pairs of the tfhd, ordered by flag."""
    run_flags |= 0x004 if first_flags is not None else 0
    entries = b"".join(
        b"".join(
            struct.pack(">i", value)
            for field, value in (
                (0x100, sample.duration),
                (0x200, sample.size),
                (0x400, sample.flags),
                (0x800, sample.offset),
            )
            if run_flags & field
        )
        for sample in samples
    )
    run = full_box(
        "trun",
        1,
        run_flags,
        u32(len(samples)),
        u32(0) if run_flags & 0x001 else b"",
        u32(first_flags) if first_flags is not None else b"",
        entries,
    )
    header_flags = sum(flag for flag, _ in header_fields)
    header = full_box("tfhd", 0, header_flags, u32(track_id), u32(*(value for _, value in header_fields)))
    time = full_box("tfdt", 1, 0, struct.pack(">Q", start))
    media = bytes(sum(sample.size for sample in samples))
    return box("moof", box("traf", header, time, run)) + box("mdat", media)
