"""Headers of frames in AV1 end, and their tiles are, where another parser says: that of ffmpeg."""

from __future__ import annotations

import random
from dataclasses import astuple
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest

from functions.encoding.formats.av1_headers import FrameHeaders
from functions.encoding.formats.av1_sequence import (
    CHOSEN_BY_FRAME,
    FRAME,
    SEQUENCE_HEADER,
    Av1Bits,
    Av1Unit,
    read_sequence_header,
    units_in,
)
from functions.encoding.formats.av1_tiles import TileReader
from functions.encoding.formats.cmaf_writer import CopiedSample, media_segment
from functions.encoding.formats.h264 import MalformedStream
from tests.integration.encoding.test_encryption import joined
from tests.support.av1_streams import QUICK, STREAMS, TELLING, samples_of, segments_of, tiles_of
from tests.support.av1_traces import Unit, set_fields, traced_tiles, traced_units
from tests.support.cases import always

if TYPE_CHECKING:
    from pathlib import Path

    from functions.encoding.formats.av1_sequence import SequenceHeader

STARTS = ("as published", "film grain of all kinds", "gray", "4:4:4", "large blocks", "without order")
"""Streams from whose first frame random ones follow."""

NUMBER = 200
"""The number of random headers in a test."""

MOST = 64
"""The largest number of columns or rows of tiles."""

SEED = 0

DELIMITER = b"\x12\0"
PADDING_BYTES = 400
"""How many random bytes follow the bits of a header that are not random."""


@pytest.mark.parametrize("stream", always(QUICK, STREAMS))
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


@pytest.mark.parametrize("stream", always(("as published", "film grain of all kinds"), STARTS))
def test_headers_of_random_bits_end_where_another_parser_says(stream: str, tmp_path: Path) -> None:
    folder = segments_of(tmp_path, *STREAMS[stream])
    first = samples_of(folder / "s00000.m4s")[0]
    units = {unit.kind: unit for unit in units_in(first)}
    sequence, key = read_sequence_header(first, units[SEQUENCE_HEADER]), units[FRAME]
    chance = random.Random(stream)
    shortest = len(first) + PADDING_BYTES
    frames = [random_frame(chance, sequence, length) for length in range(shortest, shortest + NUMBER)]
    samples = [sample for frame in frames for sample in (first, unit_of(FRAME, frame))]
    traced = traced_by_length(samples, folder / "init.mp4", tmp_path / "random.mp4")
    compared = 0
    for frame in frames:
        headers = FrameHeaders()
        headers.read(Av1Bits(first, key.begin, key.end), sequence)
        compared += has_same_end(headers, frame, sequence, traced.get(len(frame)))
    assert compared > NUMBER / 2


def test_random_sequence_headers_and_their_frames_end_where_another_parser_says(tmp_path: Path) -> None:
    """The first frame is a key frame of random bits, too; the second one refers to it."""
    init = segments_of(tmp_path, *STREAMS["gray"]) / "init.mp4"
    chance = random.Random(SEED)
    made = [random_sequence(chance, length) for length in range(PADDING_BYTES, PADDING_BYTES + NUMBER)]
    traced = traced_by_length([unit_of(SEQUENCE_HEADER, each) for each in made], init, tmp_path / "sequences.mp4")
    films: list[tuple[SequenceHeader, bytes, bytes, bytes]] = []
    for content in made:
        unit = traced.get(len(content))
        end = unit.ends.get("film_grain_params_present") if unit else None
        if unit is None or end is None or unit.fields["frame_id_numbers_present_flag"]:
            continue  # ffmpeg refuses the values of a field, or this parser does
        whole = ended(content, end - 8 * unit.begin)
        sequence = read_sequence_header(whole, Av1Unit(SEQUENCE_HEADER, 0, len(whole)))
        assert values_of(sequence) == traced_values(unit.fields)
        length = 1000 + 3 * len(films)
        films.append((sequence, whole, random_key(chance, length), random_frame(chance, sequence, length + 1)))
    assert len(films) > NUMBER / 4
    samples = [
        sample
        for _, whole, key, frame in films
        for sample in (unit_of(SEQUENCE_HEADER, whole) + unit_of(FRAME, key), unit_of(FRAME, frame))
    ]
    traced = traced_by_length(samples, init, tmp_path / "frames.mp4")
    compared = [0, 0]
    for sequence, _, *frames in films:
        headers = FrameHeaders()
        for number, frame in enumerate(frames):
            if not has_same_end(headers, frame, sequence, traced.get(len(frame))):
                break
            compared[number] += 1
    assert compared[0] > len(films) / 2
    assert compared[1] > len(films) / 4


def has_same_end(headers: FrameHeaders, frame: bytes, sequence: SequenceHeader, traced: Unit | None) -> bool:
    """Check that a header ends where ffmpeg says; return False if one of the parsers has to refuse it.

    ffmpeg does not notice that there are more columns or rows than are permitted.
    """
    if traced is None or not traced.tiles or traced.fields.get("use_superres"):
        return False
    if max(traced.rows, traced.columns) == MOST and not traced.fields["uniform_tile_spacing_flag"]:
        return False
    bits = Av1Bits(frame, 0, len(frame))
    tiles = headers.read(bits, sequence)
    assert tiles
    assert (bits.position, tiles.number) == (traced.header_bits - 8 * traced.begin, traced.tiles)
    return True


def random_frame(chance: random.Random, sequence: SequenceHeader, length: int) -> bytes:
    """Return a frame of random bits, except that it has a supported kind: it refers to earlier frames one by one."""
    chosen = "".join("0" for tool in (sequence.screen_content,) if tool == CHOSEN_BY_FRAME)
    if sequence.screen_content == 1 and sequence.integer_vectors == CHOSEN_BY_FRAME:
        chosen = bits_of(chance, 1)
    resilient = "0" if sequence.hint_bits else bits_of(chance, 1)
    primary = "" if resilient == "1" else bits_of(chance, 3)
    fixed = "0011" + resilient + bits_of(chance, 1) + chosen + bits_of(chance, 1 + sequence.hint_bits) + primary
    return filled(chance, fixed + bits_of(chance, 8) + ("0" if sequence.hint_bits else ""), length)


def random_key(chance: random.Random, length: int) -> bytes:
    """Return a key frame of random bits that is shown."""
    return filled(chance, "0001", length)


def random_sequence(chance: random.Random, length: int) -> bytes:
    """Return a sequence header of random bits, except that it has one operating point and no decoder model.

    Its frames have at most 16,384 lines, because ffmpeg keeps the height of a tile, in blocks, in eight bits.
    """
    clock = chance.choice(("0", "1" + bits_of(chance, 64) + chance.choice(("00", "10100"))))
    profile = chance.choice(("000", "001", "010"))
    level = chance.choice(("00" + bits_of(chance, 3), "01" + bits_of(chance, 4), "1" + bits_of(chance, 5)))
    has_delay, delay = chance.choice((("0", ""), ("1", "0"), ("1", "1" + bits_of(chance, 4))))
    sizes = "".join(f"{chance.randrange(14):04b}" for _ in range(2))
    return filled(chance, profile + "00" + clock + has_delay + "0" * 17 + level + delay + sizes, length)


def bits_of(chance: random.Random, count: int) -> str:
    return "".join(chance.choices("01", k=count))


def filled(chance: random.Random, fixed: str, length: int) -> bytes:
    """Return bytes that begin with these bits and continue with random ones."""
    count = 8 * length - len(fixed)
    return (int(fixed, 2) << count | chance.getrandbits(count)).to_bytes(length)


def ended(content: bytes, bits: int) -> bytes:
    """Return the first bits of a unit with its trailing bits."""
    length = bits // 8 + 1
    kept = int.from_bytes(content[:length]) >> 8 * length - bits
    return (kept << 8 * length - bits | 1 << 8 * length - bits - 1).to_bytes(length)


def unit_of(kind: int, payload: bytes) -> bytes:
    """Return a unit; its size has three bytes (leb128)."""
    length = len(payload)
    return bytes([kind << 3 | 2, length & 0x7F | 0x80, length >> 7 & 0x7F | 0x80, length >> 14]) + payload


def traced_by_length(samples: list[bytes], init: Path, target: Path) -> dict[int, Unit]:
    """Let ffmpeg parse samples; return the traces of their units by the lengths of their payloads."""
    content = [CopiedSample(512, 0, DELIMITER + sample, True) for sample in samples]
    target.write_bytes(init.read_bytes() + media_segment(0, 0, content))
    return {unit.fields.get("obu_size", 0): unit for units in traced_units(target, refusable=True) for unit in units}


def values_of(sequence: SequenceHeader) -> tuple[int, ...]:
    return tuple(map(int, astuple(sequence)))


def traced_values(fields: dict[str, int]) -> tuple[int, ...]:
    """Return the fields of a SequenceHeader as ffmpeg has read them."""
    has = fields.get
    profile, hints, gray = fields["seq_profile"], fields["enable_order_hint"], has("mono_chrome", 0)
    halves = bool(gray) or (has("chroma_sample_position") is not None)
    screen = CHOSEN_BY_FRAME if fields["seq_choose_screen_content_tools"] else fields["seq_force_screen_content_tools"]
    chooses = not screen or fields["seq_choose_integer_mv"]
    assert profile in range(3)
    return (
        fields["frame_width_bits_minus_1"] + 1,
        fields["frame_height_bits_minus_1"] + 1,
        fields["max_frame_width_minus_1"] + 1,
        fields["max_frame_height_minus_1"] + 1,
        fields["use_128x128_superblock"],
        fields["enable_warped_motion"],
        fields["order_hint_bits_minus_1"] + 1 if hints else 0,
        has("enable_ref_frame_mvs", 0),
        screen,
        CHOSEN_BY_FRAME if chooses else fields["seq_force_integer_mv"],
        fields["enable_superres"],
        fields["enable_cdef"],
        fields["enable_restoration"],
        1 if gray else 3,
        int(halves),
        has("separate_uv_delta_q", 0),
        fields["film_grain_params_present"],
    )


@pytest.mark.parametrize("stream", ["tiles", "groups of tiles"])
def test_frames_without_some_of_their_tiles_are_refused(stream: str, tmp_path: Path) -> None:
    (path, *_) = sorted(segments_of(tmp_path, *STREAMS[stream]).glob("s*.m4s"))
    sample = samples_of(path)[0]
    ends = [0, *(unit.end for unit in units_in(sample))]
    for begin, end in pairwise(ends):
        if end < len(sample) or stream != "tiles":  # without its only frame, a sample is a sequence header
            with pytest.raises(MalformedStream):
                TileReader().tiles_in(sample[:begin] + sample[end:])


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
