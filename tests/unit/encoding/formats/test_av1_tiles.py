"""Tiles of AV1 are found in samples of SVT-AV1; damaged samples and unknown features are refused.

`tests/integration/encoding/test_av1_tiles.py` compares the parser with that of ffmpeg.
"""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.encoding.formats.av1_sequence import Av1Bits, read_sequence_header, units_in
from functions.encoding.formats.av1_tiles import TileReader
from functions.encoding.formats.h264 import MalformedStream

KEY = bytes.fromhex(
    "0a0a00000002afff8d5f300832da021400b7c090db68d221ae362ffafdb271421c1013a440c4ca27182a6ede8e2cfbb662b10e50b971d504"
    "8af002d3b11b38c675d4b84826e21086832c36a1a5a6fc653bbddf0e414cd6357208e1d684e3ec2dbe74793b1bf494a78262a651946ffbf8"
    "1628127256f42dc13668b4af0feefbeda2df021e4f5429c7b58d7b6ee1d5b4eb69259ea6485d34f5c397fa4ca61685344ac6995ea3fad28a"
    "1b4a682d4995fa3ee149dd5cc81f6260a5068967b04fa7be991d03eab1cfa0c35782066bfc79e6441c7ef6aab872afaeb15eea45e169174b"
    "1de5a96d8230e4830b2a9bc1d521c0db101e3fa12eaca893d22e739a11d0db13b49a8b0126df6d854d91b047ffd02d266daa6a39ebd655a0"
    "eb0c0ac06791367a91d18cd3902bad24566335b27f22cdb1246585d58c788f7bfc8e7f4afdcf7eea1879249371959057d425e5ba9ee43f5a"
    "6b6f505b3166ebb75ac9819deeb98ac0cb59543477cffedb80"
)
FOUR_FRAMES = bytes.fromhex(
    "323e2808002492491de9043cf1e7867de01c00daaffebe50e0f11bc506e766be99ace2c9f77e1d8a601019ce383a9deaf5f1b591f7457775"
    "d61bf9c4fd80488c32112804010492001df50000030000070097c0321128028404926d9dfb000003000007008dd8321030030009256d3bfe"
    "00000200000e009c"
)
SHOWN_AGAIN = bytes.fromhex("1a01d8")
"""The first three samples of a video of 64 by 64 pixels: the second one has hidden frames, the third one no tiles."""

SEQUENCE_END = 12


def tiles_in(*samples: bytes) -> list[range]:
    """Return the tiles of the last of these samples."""
    reader = TileReader()
    return [reader.tiles_in(sample) for sample in samples][-1]


def test_each_frame_of_a_sample_has_its_tile() -> None:
    assert tiles_in(KEY) == [range(20, 361)]
    assert tiles_in(KEY, FOUR_FRAMES) == [range(19, 64), range(81, 83), range(100, 102), range(119, 120)]
    assert tiles_in(KEY, FOUR_FRAMES, SHOWN_AGAIN) == []


def test_last_unit_needs_no_size_and_units_without_pictures_are_skipped() -> None:
    frame = KEY[SEQUENCE_END + 3 :]
    begin, metadata = b"\x12\x00", b"\x2a\x01\x80"
    assert tiles_in(begin + KEY[:SEQUENCE_END] + metadata + b"\x30" + frame) == [range(23, 364)]


@pytest.mark.parametrize("sample", [KEY, FOUR_FRAMES, SHOWN_AGAIN], ids=["key", "several", "shown"])
def test_cut_sample_is_refused_or_ends_with_a_unit(sample: bytes) -> None:
    before = () if sample is KEY else (KEY,)
    ends = {unit.end for unit in units_in(sample)}
    for cut in set(range(1, len(sample))) - ends:
        with pytest.raises(MalformedStream):
            tiles_in(*before, sample[:cut])


def test_frames_before_a_sequence_header_or_a_key_frame_are_refused() -> None:
    with pytest.raises(MalformedStream):
        tiles_in(FOUR_FRAMES)
    with pytest.raises(MalformedStream):
        tiles_in(KEY[:SEQUENCE_END], FOUR_FRAMES)
    with pytest.raises(MalformedStream):
        tiles_in(KEY[:SEQUENCE_END], SHOWN_AGAIN)


@pytest.mark.parametrize(
    ("unit", "message"),
    [
        (b"\x3a\x01\x80", "unknown type 7"),
        (b"\x42\x01\x80", "unknown type 8"),
        (b"\x36\x00\x01\x80", "layers"),
        (b"\x92\x01\x80", "damaged"),
        (b"\x1a\x01\xd9", "damaged"),
        (b"\x1a\x01\xd0", "damaged"),
        (b"\x22\x01\x80", "damaged"),
        (b"\x32\x80\x80\x80\x80\x80\x80\x80\x80\x00", "damaged"),
    ],
    ids=[
        "redundant header",
        "list of tiles",
        "layer",
        "forbidden bit",
        "trailing bits",
        "no trailing bit",
        "tiles without a header",
        "long size",
    ],
)
def test_units_that_are_not_known_are_refused(unit: bytes, message: str) -> None:
    with pytest.raises(MalformedStream, match=message):
        tiles_in(KEY, unit)


@pytest.mark.parametrize(
    ("byte", "bit", "message"),
    [
        (2, 0x10, "still picture"),
        (2, 0x08, "still picture"),
        (3, 0x10, "operating points"),
        (4, 0x40, "operating points"),
    ],
    ids=["still picture", "reduced header", "operating points", "layers"],
)
def test_video_with_what_is_never_written_is_refused(byte: int, bit: int, message: str) -> None:
    changed = bytearray(KEY[:SEQUENCE_END])
    changed[byte] |= bit
    (unit,) = units_in(bytes(changed))
    with pytest.raises(MalformedStream, match=message):
        read_sequence_header(bytes(changed), unit)


@given(st.sampled_from([KEY, FOUR_FRAMES]), st.data())
def test_changed_bits_are_refused_or_give_tiles_within_the_sample(sample: bytes, data: st.DataObject) -> None:
    changed = bytearray(sample)
    for _ in range(data.draw(st.integers(1, 3))):
        place = data.draw(st.integers(0, 200))
        changed[place // 8 % len(changed)] ^= 1 << place % 8
    with suppress(MalformedStream):
        tiles = tiles_in(*(() if sample is KEY else (KEY,)), bytes(changed))
        edges = [edge for tile in tiles for edge in (tile.start, tile.stop)]
        assert edges == sorted(edges)
        assert all(map(len, tiles))
        assert not edges or edges[-1] <= len(changed)


@given(st.binary(max_size=64))
def test_random_bytes_are_refused_or_contain_no_tile(content: bytes) -> None:
    with suppress(MalformedStream):
        assert tiles_in(content) == []


@given(st.integers(1, 300), st.data())
def test_numbers_below_a_limit_are_read_as_they_are_written(limit: int, data: st.DataObject) -> None:
    """Section 4.10.7 says how they are written."""
    number = data.draw(st.integers(0, limit - 1))
    width = limit.bit_length()
    short = (1 << width) - limit
    length, value = (width - 1, number) if number < short else (width, number + short)
    content = (value << 16 - length).to_bytes(2)
    bits = Av1Bits(content, 0, 2)
    assert bits.below(limit) == number
    assert bits.take(16 - length) == 0
