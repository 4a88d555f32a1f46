"""The index of a fragmented MP4 is collected from its fragments; damaged and hostile files are refused."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from functions.encoding.formats.fragment_index import read_any_tracks, read_fragments
from functions.encoding.formats.iso_bmff import MalformedSegment
from functions.encoding.formats.mp4_index import IndexedTrack, NoIndex
from tests.support.boxes import box, full_box, make_avc_entry, u32

MATRIX = u32(1 << 16, 0, 0, 0, 1 << 16, 0, 0, 0, 1 << 30)
DEPENDS = 0x10000
MEDIA = 1000
"""Bytes in the mdat box of each fragment."""


def make_movie(*, fragmented: bool = True, duration: int = 100) -> bytes:
    """Return the start of a file with one track, whose samples are in fragments."""
    table = box(
        "stbl",
        full_box("stsd", 0, 0, u32(1), make_avc_entry()),
        *(full_box(kind, 0, 0, u32(0)) for kind in ("stts", "stsc", "stco")),
        full_box("stsz", 0, 0, u32(0, 0)),
    )
    track = box(
        "trak",
        full_box("tkhd", 0, 7, u32(0, 0, 7, 0, 0), bytes(16), MATRIX, u32(320 << 16, 180 << 16)),
        box(
            "mdia",
            full_box("mdhd", 0, 0, u32(0, 0, 2500, 0), b"\x15\xc7\0\0"),
            full_box("hdlr", 0, 0, bytes(4), b"vide", bytes(13)),
            box("minf", table),
        ),
    )
    extends = box("mvex", full_box("trex", 0, 0, u32(7, 1, duration, 40, DEPENDS))) if fragmented else b""
    return box("ftyp", b"iso6", u32(0)) + box(
        "moov", full_box("mvhd", 0, 0, u32(0, 0, 1000, 0), bytes(80)), track, extends
    )


def run(*sizes: int, at: int, offsets: tuple[int, ...]) -> bytes:
    """Return a trun box with sizes and composition offsets, whose first sample is a key frame."""
    rows = b"".join(u32(size) + offset.to_bytes(4, signed=True) for size, offset in zip(sizes, offsets, strict=True))
    return full_box("trun", 1, 0xA05, u32(len(sizes), at, 0), rows)


def fragment(*runs: bytes, header: bytes = full_box("tfhd", 0, 0x020000, u32(7)), at: int | None = None) -> bytes:
    """Return a movie fragment and its media."""
    time = b"" if at is None else full_box("tfdt", 1, 0, at.to_bytes(8))
    return box("moof", full_box("mfhd", 0, 0, u32(1)), box("traf", header, time, *runs)) + box("mdat", bytes(MEDIA))


FIRST = fragment(run(10, 20, 30, at=200, offsets=(0, 100, -100)), at=0)
SECOND = fragment(run(50, 60, at=100, offsets=(0, 0)), full_box("trun", 0, 0, u32(1)), at=400)


def read(content: bytes, **options: int) -> tuple[IndexedTrack, ...]:
    """Read a file."""
    return read_fragments(lambda at, length: content[at : at + length], size=len(content), name="film.mp4", **options)


def test_samples_of_all_fragments_are_one_track() -> None:
    movie = make_movie()
    (track,) = read(movie + FIRST + SECOND)
    second = len(movie) + len(FIRST)
    assert list(track.sizes) == [10, 20, 30, 50, 60, 40], "the last one has the size that the file states for all"
    assert list(track.positions) == [
        *(len(movie) + 200 + n for n in (0, 10, 30)),
        *(second + 100 + n for n in (0, 50, 110)),
    ]
    assert list(track.decoded_at) == [0, 100, 200, 400, 500, 600]
    assert list(track.shown_at) == [0, 200, 100, 400, 500, 600]
    assert (track.keys, track.end, track.kind) == ((0, 3), 700, "vide")


def test_times_continue_if_a_fragment_states_none() -> None:
    (track,) = read(make_movie() + FIRST + fragment(full_box("trun", 0, 0, u32(2))))
    assert list(track.decoded_at) == [0, 100, 200, 300, 400]


def test_a_fragment_states_its_own_defaults() -> None:
    header = full_box("tfhd", 0, 0x39, u32(7) + (5000).to_bytes(8) + u32(50, 60, 0))
    (track,) = read(
        make_movie()
        + fragment(full_box("trun", 0, 0, u32(2)), header=header, at=0)
        + bytes(0)
        + box("free", bytes(6000))
    )
    assert list(track.decoded_at) == [0, 50]
    assert list(track.positions) == [5000, 5060]
    assert track.keys == (0, 1)


def test_other_mp4_files_are_read_by_their_own_index() -> None:
    content = make_movie(fragmented=False)
    (track,) = read_any_tracks(lambda at, length: content[at : at + length], size=len(content), name="film.mp4")
    assert len(track.sizes) == 0
    content = make_movie() + FIRST
    (track,) = read_any_tracks(lambda at, length: content[at : at + length], size=len(content), name="film.mp4")
    assert len(track.sizes) == 3


@pytest.mark.parametrize(
    ("fragments", "reason"),
    [
        (FIRST[:-1], "cut off"),
        (fragment(run(2000, at=200, offsets=(0,)), at=0), "cut off"),
        (fragment(full_box("trun", 0, 0, u32(1 << 31)), at=0), "too large"),
        (fragment(full_box("trun", 0, 0, u32(1)), header=full_box("tfhd", 0, 2, u32(7, 2))), "rare form"),
        (box("moof", bytes(5 << 20)), "too large"),
    ],
    ids=["cut off", "media is missing", "too many samples", "other description", "large fragment"],
)
def test_other_files_have_no_index(fragments: bytes, reason: str) -> None:
    with pytest.raises(NoIndex, match=reason):
        read(make_movie() + fragments)


@pytest.mark.parametrize(
    "fragments",
    [
        fragment(full_box("trun", 0, 0x200, u32(9, 10)), at=0),
        fragment(full_box("trun", 0, 0, u32(1)), header=full_box("tfhd", 0, 0x020000, u32(8))),
        fragment(run(10, at=(1 << 32) - 5000, offsets=(0,)), at=0),
        fragment(run(1 << 31, at=200, offsets=(0,)), at=0),
        fragment(at=1 << 63),
    ],
    ids=["rows are missing", "unknown track", "before the file", "enormous sample", "enormous time"],
)
def test_contradictions_are_damage(fragments: bytes) -> None:
    with pytest.raises(MalformedSegment):
        read(make_movie() + fragments)


@settings(max_examples=300, deadline=None)
@given(noise=st.binary(min_size=1, max_size=8), at=st.integers(0, 900))
def test_damage_anywhere_is_an_answer_and_no_crash(noise: bytes, at: int) -> None:
    content = bytearray(make_movie() + FIRST + SECOND)
    content[at : at + len(noise)] = noise
    with suppress(NoIndex, MalformedSegment):
        read(bytes(content))
