"""Films whose headers declare any number of tracks, written directly, because no muxer writes so many."""

from __future__ import annotations

import struct

from functions.encoding.formats.mp4_index import read_tracks
from tests.support.boxes import box, full_box, make_avc_entry, u32
from tests.support.ebml import element, number


def make_mp4(tracks: int) -> bytes:
    """Return an MP4 with as many H.264 tracks, each with one sample."""
    table = box(
        "stbl",
        full_box("stsd", 0, 0, u32(1), make_avc_entry()),
        full_box("stts", 0, 0, u32(1, 1, 100)),
        full_box("stsc", 0, 0, u32(1, 1, 1, 1)),
        full_box("stsz", 0, 0, u32(4, 1)),
        full_box("stco", 0, 0, u32(1, 40)),
    )
    media = box(
        "mdia",
        full_box("mdhd", 0, 0, u32(0, 0, 2500, 100), b"\x15\xc7\0\0"),
        full_box("hdlr", 0, 0, bytes(4), b"vide", bytes(13)),
        box("minf", table),
    )
    movie = full_box("mvhd", 0, 0, u32(0, 0, 1000, 40), bytes(80))
    declared = (
        box("trak", full_box("tkhd", 0, 7, u32(0, 0, track, 0, 40), bytes(60)), media) for track in range(1, tracks + 1)
    )
    return box("ftyp", b"isom", u32(0), b"isomavc1") + box("mdat", bytes(8)) + box("moov", movie, *declared)


def make_matroska(film: bytes, tracks: int) -> bytes:
    """Return a Matroska file with the H.264 pictures of an MP4 film, and as many further tracks without frames."""
    source = next(
        track
        for track in read_tracks(lambda at, length: film[at : at + length], size=len(film), name="film.mp4")
        if track.kind == "vide"
    )
    private = source.described_by("avcC", after=78) or b""
    codec, picture = element(0x86, b"V_MPEG4/ISO/AVC"), element(0xE0, number(0xB0, 64), number(0xBA, 36))
    described = element(0x63A2, private)
    declared = (
        element(0xAE, number(0xD7, track), number(0x73C5, track), number(0x83, 1), codec, described, picture)
        for track in range(1, tracks + 2)
    )
    frames = (
        element(
            0xA3,
            struct.pack(">BhB", 0x81, 1000 * shown_at // source.timescale, 0x80 if index in (source.keys or ()) else 0),
            film[at : at + size],
        )
        for index, (shown_at, at, size) in enumerate(zip(source.shown_at, source.positions, source.sizes, strict=True))
    )
    return element(0x1A45DFA3, element(0x4282, b"matroska")) + element(
        0x18538067,
        element(0x1549A966, number(0x2AD7B1, 1_000_000), element(0x4489, struct.pack(">f", 1000.0))),
        element(0x1654AE6B, *declared),
        element(0x1F43B675, number(0xE7, 0), *frames),
    )
