"""Headers of frames in AV1 end, and their tiles are, where another parser says: that of ffmpeg."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest

from functions.encoding.formats.av1_headers import FrameHeaders
from functions.encoding.formats.av1_sequence import FRAME, SEQUENCE_HEADER, Av1Bits, read_sequence_header, units_in
from functions.encoding.formats.av1_tiles import TileReader
from functions.encoding.formats.cmaf_writer import CopiedSample, media_segment
from functions.encoding.formats.h264 import MalformedStream
from tests.integration.encoding.test_encryption import joined
from tests.support.av1_streams import STREAMS, TELLING, samples_of, segments_of, tiles_of
from tests.support.av1_traces import Unit, set_fields, traced_tiles, traced_units

if TYPE_CHECKING:
    from pathlib import Path

RANDOM = ("as published", "film grain of all kinds", "gray", "4:4:4", "large blocks", "without order")
"""Streams of which frames are replaced by random ones, so that their headers have all fields."""

HEADERS = 200


@pytest.mark.parametrize("stream", STREAMS)
def test_tiles_are_where_another_parser_says(stream: str, tmp_path: Path) -> None:
    folder = segments_of(tmp_path, *STREAMS[stream])
    traced = traced_units(joined(folder, tmp_path / "film.mp4"))
    segments = sorted(folder.glob("s*.m4s"))
    samples = [sample for path in segments for sample in samples_of(path)]
    expected = [list(traced_tiles(units, sample)) for units, sample in zip(traced, samples, strict=True)]
    assert [tiles for path in segments for tiles in tiles_of(path)] == expected
    assert sum(map(len, expected)) >= 4
    if stream in TELLING:
        assert set_fields(traced)[TELLING[stream]] > 0


@pytest.mark.parametrize("stream", RANDOM)
def test_headers_of_random_bits_end_where_another_parser_says(stream: str, tmp_path: Path) -> None:
    folder = segments_of(tmp_path, *STREAMS[stream])
    first = samples_of(folder / "s00000.m4s")[0]
    units = {unit.kind: unit for unit in units_in(first)}
    sequence, key = read_sequence_header(first, units[SEQUENCE_HEADER]), units[FRAME]
    chance = random.Random(stream)
    lengths = range(len(first) + 400, len(first) + 400 + HEADERS)  # each frame has another length, so it can be found
    frames = [random_frame(chance, sequence.hint_bits, length) for length in lengths]
    traced = traced_frames(folder / "init.mp4", first, frames, tmp_path / "random.mp4")
    compared = 0
    for frame in frames:
        headers = FrameHeaders()
        headers.read(Av1Bits(first, key.begin, key.end), sequence)
        bits = Av1Bits(frame, 0, len(frame))
        unit = traced.get(len(frame))
        if unit is None or not unit.tiles:
            continue  # ffmpeg refuses the values of a field
        tiles = headers.read(bits, sequence)
        assert tiles
        header_bytes = 1 + unit.size_bits // 8
        assert (bits.next_byte, tiles.number) == (-(-unit.header_bits // 8) - header_bytes, unit.tiles)
        compared += 1
    assert compared > HEADERS / 2


def random_frame(chance: random.Random, hint_bits: int, length: int) -> bytes:
    """Return a frame of random bits, except that it has a supported kind: it refers to earlier frames one by one."""
    fixed = "00110" + chance.choice("01") + "0" + chance.choice("01")
    fixed += "".join(chance.choices("01", k=hint_bits + 3 + 8)) + ("0" if hint_bits else "")
    count = 8 * length - len(fixed)
    return (int(fixed, 2) << count | chance.getrandbits(count)).to_bytes(length)


def traced_frames(init: Path, key: bytes, frames: list[bytes], target: Path) -> dict[int, Unit]:
    """Let ffmpeg parse frames, each of them after the same key frame; return their traces by length."""
    header = (FRAME << 3 | 2).to_bytes()
    samples = [
        CopiedSample(512, 0, sample, is_key)
        for frame in frames
        for sample, is_key in ((key, True), (header + sized(len(frame)) + frame, False))
    ]
    target.write_bytes(init.read_bytes() + media_segment(0, 0, samples))
    return {unit.fields.get("obu_size", 0): unit for units in traced_units(target, refusable=True) for unit in units}


def sized(length: int) -> bytes:
    """Return a length as the size of a unit, in three bytes (leb128)."""
    return bytes([length & 0x7F | 0x80, length >> 7 & 0x7F | 0x80, length >> 14])


def test_cut_samples_and_those_without_a_beginning_are_refused(tmp_path: Path) -> None:
    (path, *_) = sorted(segments_of(tmp_path, *STREAMS["tiles"]).glob("s*.m4s"))
    samples = samples_of(path)
    for cut in range(1, len(samples[0]), 97):
        with pytest.raises(MalformedStream):
            TileReader().tiles_in(samples[0][:cut])
    with pytest.raises(MalformedStream):
        TileReader().tiles_in(samples[1])
    reader = TileReader()
    reader.tiles_in(samples[0])
    with pytest.raises(MalformedStream):
        reader.tiles_in(samples[1][:-1])
