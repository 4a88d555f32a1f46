"""The index of an MP4 is read by ranges; damaged and hostile files are refused before anything large is allocated."""

from __future__ import annotations

from contextlib import suppress
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from functions.encoding.formats.iso_bmff import MalformedSegment
from functions.encoding.formats.mp4_index import Edit, IndexedTrack, NoIndex, read_tracks
from tests.support.boxes import box, full_box, make_avc_entry, u32

MATRIX = u32(1 << 16, 0, 0, 0, 1 << 16, 0, 0, 0, 1 << 30)
TWO_SIZES = full_box("stsz", 0, 0, u32(0, 4, 10, 20, 30, 40))


def make_table(**boxes: bytes) -> bytes:
    """Return a sample table of four samples in two chunks; `boxes` replace its boxes, or remove them if empty."""
    parts = {
        "stsd": full_box("stsd", 0, 0, u32(1), make_avc_entry()),
        "stts": full_box("stts", 0, 0, u32(1, 4, 100)),
        "ctts": full_box("ctts", 0, 0, u32(3, 1, 200, 1, 300, 2, (1 << 32) - 100)),
        "stss": full_box("stss", 0, 0, u32(2, 1, 3)),
        "stsz": TWO_SIZES,
        "stsc": full_box("stsc", 0, 0, u32(2, 1, 3, 1, 2, 1, 1)),
        "stco": full_box("stco", 0, 0, u32(2, 1000, 2000)),
    }
    return box("stbl", *{**parts, **boxes}.values())


def make_movie(
    table: bytes, *, edits: bytes = b"", handler: bytes = b"vide", more: bytes = b"", tracks: int = 1
) -> bytes:
    """Return a moov box."""
    track = box(
        "trak",
        full_box("tkhd", 0, 7, u32(0, 0, 1, 0, 0), bytes(16), MATRIX, u32(320 << 16, 180 << 16)),
        edits,
        box(
            "mdia",
            full_box("mdhd", 0, 0, u32(0, 0, 2500, 0), b"\x15\xc7\0\0"),
            full_box("hdlr", 0, 0, bytes(4), handler, bytes(13)),
            box("minf", table),
        ),
    )
    return box("moov", full_box("mvhd", 0, 0, u32(0, 0, 1000, 0), bytes(80)), track * tracks, more)


def read(movie: bytes, *, before: bytes = b"", rest: int = 3000, **options: int) -> tuple[IndexedTrack, ...]:
    """Read a file with the movie after `before`, followed by media of `rest` bytes."""
    content = box("ftyp", b"isom", u32(0)) + before + movie + box("mdat", bytes(rest))
    return read_tracks(lambda at, length: content[at : at + length], size=len(content), name="film.mp4", **options)


def test_times_sizes_and_places_of_samples() -> None:
    (track,) = read(make_movie(make_table()))
    assert (track.kind, track.timescale, track.language, track.upright) == ("vide", 2500, "eng", True)
    assert list(track.decoded_at) == [0, 100, 200, 300]
    assert list(track.shown_at) == [200, 400, 100, 200]
    assert list(track.sizes) == [10, 20, 30, 40]
    assert list(track.positions) == [1000, 1010, 1030, 2000]
    assert (track.keys, track.end) == ((0, 2), 400)


def test_index_at_the_end_and_long_boxes_are_found() -> None:
    media = u32(1) + b"mdat" + (16 + 3000).to_bytes(8) + bytes(3000)
    assert read(make_movie(make_table()), before=media)[0].positions


def test_edit_list_moves_times() -> None:
    edits = box("edts", full_box("elst", 0, 0, u32(2, 5000, 0xFFFFFFFF, 1 << 16, 160, 200, 1 << 16)))
    (track,) = read(make_movie(make_table(), edits=edits))
    assert track.edits == (Edit(Fraction(5), -1), Edit(Fraction(4, 25), 200))
    assert track.is_plainly_edited
    assert track.presented_at(200) == 5


@pytest.mark.parametrize(
    "boxes",
    [
        {"stts": full_box("stts", 0, 0, u32(1, 5, 100))},
        {"stts": full_box("stts", 0, 0, u32(1, 3, 100))},
        {"stts": full_box("stts", 0, 0, u32(1 << 30, 4, 100))},
        {"ctts": full_box("ctts", 0, 0, u32(1, 1 << 31, 0))},
        {"stss": full_box("stss", 0, 0, u32(1, 9))},
        {"stss": full_box("stss", 0, 0, u32(2, 3, 1))},
        {"stsz": full_box("stsz", 0, 0, u32(0, 5, 10, 20, 30, 40))},
        {"stsc": full_box("stsc", 0, 0, u32(1, 2, 4, 1))},
        {"stsc": full_box("stsc", 0, 0, u32(1, 1, 1 << 31, 1))},
        {"stsc": full_box("stsc", 0, 0, u32(0))},
        {"stco": b""},
        {"stss": full_box("stss", 0, 0, u32(5, 1, 2, 3, 4, 4))},
        {"stco": full_box("stco", 0, 0, u32(5, *[1000] * 5))},
        {"stsc": full_box("stsc", 0, 0, u32(3, *[1, 1, 1] * 3))},
    ],
)
def test_contradicting_tables_are_damage(boxes: dict[str, bytes]) -> None:
    with pytest.raises(MalformedSegment):
        read(make_movie(make_table(**boxes)))


@pytest.mark.parametrize(
    ("movie", "reason"),
    [
        (make_movie(make_table(), more=box("mvex")), "fragmented"),
        (make_movie(make_table(stco=full_box("stco", 0, 0, u32(2, 1000, 1 << 31)))), "cut off"),
        (make_movie(make_table(stsz=full_box("stsz", 0, 0, u32(1, 1 << 31)))), "too large"),
        (make_movie(make_table(), tracks=129), "too many tracks"),
        (make_movie(make_table(), edits=box("edts", full_box("elst", 0, 0, u32(1001), bytes(12012)))), "too large"),
        (b"", "not an MP4"),
    ],
)
def test_other_files_have_no_index(movie: bytes, reason: str) -> None:
    with pytest.raises(NoIndex, match=reason):
        read(movie)


def test_samples_of_all_tracks_are_limited_together() -> None:
    assert len(read(make_movie(make_table(), tracks=3), most_samples=12)) == 3
    with pytest.raises(NoIndex, match="too large"):
        read(make_movie(make_table(), tracks=3), most_samples=11)


def test_sounds_of_other_kinds_are_not_read() -> None:
    (track,) = read(make_movie(make_table(), handler=b"text"))
    assert (track.kind, len(track.sizes)) == ("text", 0)


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=400), st.integers(0, 800))
def test_damage_anywhere_is_an_answer_and_no_crash(noise: bytes, at: int) -> None:
    movie = bytearray(make_movie(make_table()))
    movie[8 + at : 8 + at + len(noise)] = noise
    with suppress(NoIndex, MalformedSegment):
        read(bytes(movie))
