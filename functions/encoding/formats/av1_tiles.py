"""Where the data of the tiles of an AV1 picture are (AV1 Bitstream & Decoding Process, 5.9.1, 5.10 and 5.11)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from functions.encoding.formats.av1_headers import FrameHeaders
from functions.encoding.formats.av1_sequence import (
    DAMAGED,
    FRAME,
    FRAME_HEADER,
    METADATA,
    PADDING,
    SEQUENCE_HEADER,
    TEMPORAL_DELIMITER,
    TILE_GROUP,
    Av1Bits,
    read_sequence_header,
    units_in,
)
from functions.encoding.formats.h264 import MalformedStream

if TYPE_CHECKING:
    from functions.encoding.formats.av1_headers import FrameTiles
    from functions.encoding.formats.av1_sequence import Av1Unit, SequenceHeader

_WITHOUT_PICTURES = frozenset({TEMPORAL_DELIMITER, METADATA, PADDING})


class TileReader:
    """Finds the tiles of the samples of a segment, one after another; the first sample has a sequence header.

    The one in the box av1C is not used: ffmpeg writes it before SVT-AV1 has decided which tools it uses.
    """

    def __init__(self) -> None:
        self._headers = FrameHeaders()
        self._sequence: SequenceHeader | None = None
        self._tiles: FrameTiles | None = None
        self._next = 0

    def tiles_in(self, sample: bytes) -> list[range]:
        """Return the positions of the bytes of each tile of the next sample. Raises MalformedStream."""
        found: list[range] = []
        for unit in units_in(sample):
            if unit.kind == SEQUENCE_HEADER:
                self._sequence = read_sequence_header(sample, unit)
            elif unit.kind in (FRAME, FRAME_HEADER):
                self._read_header(bits := Av1Bits(sample, unit.begin, unit.end), unit)
                if unit.kind == FRAME:
                    found += self._read_group(sample, bits, unit)
            elif unit.kind == TILE_GROUP:
                found += self._read_group(sample, Av1Bits(sample, unit.begin, unit.end), unit)
            elif unit.kind not in _WITHOUT_PICTURES:
                raise MalformedStream(f"A picture in AV1 has a unit of the unknown type {unit.kind}.")
        if self._tiles:
            raise MalformedStream(DAMAGED)
        return found

    def _read_header(self, bits: Av1Bits, unit: Av1Unit) -> None:
        """Read the header of a frame (5.9.1), and what is between it and its tiles or the end of the unit."""
        if self._tiles or self._sequence is None:
            raise MalformedStream(DAMAGED)
        self._tiles, self._next = self._headers.read(bits, self._sequence), 0
        if unit.kind == FRAME_HEADER:
            bits.finish()
        else:
            bits.align()

    def _read_group(self, sample: bytes, bits: Av1Bits, unit: Av1Unit) -> list[range]:
        """Return the tiles of a group (5.11.1). Raises MalformedStream unless they follow those of the last group."""
        tiles = self._tiles
        if tiles is None:
            raise MalformedStream(DAMAGED)
        first, last = 0, tiles.number - 1
        if tiles.number > 1 and bits.flag():
            first, last = bits.take(tiles.number_bits), bits.take(tiles.number_bits)
        bits.align()
        if first != self._next or not first <= last < tiles.number:
            raise MalformedStream(DAMAGED)
        found: list[range] = []
        at = bits.position // 8
        for number in range(first, last + 1):
            end = unit.end
            if number < last:
                size_end = at + tiles.size_bytes
                end = size_end + int.from_bytes(sample[at:size_end], "little") + 1
                at = size_end
            if not at < end <= unit.end:
                raise MalformedStream(DAMAGED)
            found.append(range(at, end))
            at = end
        self._next = last + 1
        if self._next == tiles.number:
            self._tiles = None
        return found
