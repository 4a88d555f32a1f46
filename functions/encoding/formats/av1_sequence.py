"""Units and sequence headers of an AV1 stream; section numbers are those of the AV1 Bitstream & Decoding Process.

A unit is an open bitstream unit (OBU). What SVT-AV1 never writes raises MalformedStream, so nothing is misread.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from functions.encoding.formats.h264 import MalformedStream

if TYPE_CHECKING:
    from collections.abc import Iterator

SEQUENCE_HEADER, TEMPORAL_DELIMITER, FRAME_HEADER, TILE_GROUP, METADATA, FRAME, PADDING = 1, 2, 3, 4, 5, 6, 15
"""Types of units (6.2.2)."""

CHOSEN_BY_FRAME = 2
"""SELECT_SCREEN_CONTENT_TOOLS and SELECT_INTEGER_MV: each frame says whether it uses the tool (6.4.1)."""

DAMAGED = "A picture in AV1 is damaged."
_SRGB = (1, 13, 0)
"""Primaries, transfer characteristics and matrix coefficients with which colours are RGB in 4:4:4 (5.5.2)."""

_MOST_BYTES_OF_SIZE = 8
_MOST_BITS = 32


class Av1Unit(NamedTuple):
    """A unit of a sample: its type, and where its payload begins and ends, in bytes."""

    kind: int
    begin: int
    end: int


@dataclass(frozen=True, slots=True)
class SequenceHeader:
    """The fields of a sequence header on which the lengths of frame headers depend.

    `width_bits` and `height_bits` are the lengths of the fields with another size than `width` by `height`, and
    `hint_bits` is that of an order hint, 0 if frames have none. `screen_content` and `integer_vectors` are 0, 1 or
    CHOSEN_BY_FRAME. `planes` is 1 without colours. `halves_colour` is true for 4:2:0.
    """

    width_bits: int
    height_bits: int
    width: int
    height: int
    large_blocks: bool
    warped_motion: bool
    hint_bits: int
    reference_vectors: bool
    screen_content: int
    integer_vectors: int
    superres: bool
    cdef: bool
    restoration: bool
    planes: int
    halves_colour: bool
    separate_quantizers: bool
    film_grain: bool


class Av1Bits:
    """The bits of a unit, read one field after another from `begin` to `end`, in bytes."""

    def __init__(self, content: bytes, begin: int, end: int) -> None:
        self._content = content
        self._at = begin * 8
        self._end = end * 8

    @property
    def position(self) -> int:
        """Return the position of the next bit in the content."""
        return self._at

    def take(self, count: int) -> int:
        """Read an unsigned number, f(n) (4.10.2). Raises MalformedStream if the unit ends before."""
        begin, end = self._at, self._at + count
        if end > self._end:
            raise MalformedStream(DAMAGED)
        self._at = end
        return int.from_bytes(self._content[begin >> 3 : (end + 7) >> 3]) >> (-end & 7) & ((1 << count) - 1)

    def flag(self) -> bool:
        """Read a single bit."""
        return self.take(1) == 1

    def signed(self, count: int) -> int:
        """Read a signed number, su(n) (4.10.6)."""
        value = self.take(count)
        return value - (1 << count) if value >> (count - 1) else value

    def below(self, limit: int) -> int:
        """Read a number that is less than `limit`, ns(n) (4.10.7)."""
        width = limit.bit_length()
        short = (1 << width) - limit
        value = self.take(width - 1)
        return value if value < short else (value << 1) - short + self.take(1)

    def counted(self, least: int, most: int) -> int:
        """Return `least`, increased by one for each bit that is set, up to `most`."""
        value = least
        while value < most and self.take(1):
            value += 1
        return value

    def skip_golomb(self) -> None:
        """Skip a number of variable length, uvlc() (4.10.3)."""
        zeros = 0
        while not self.take(1):
            zeros += 1
            if zeros >= _MOST_BITS:
                return
        self.take(zeros)

    def finish(self) -> None:
        """Read the trailing bits. Raises MalformedStream unless they are a one and zeros (5.3.4)."""
        left = self._end - self._at
        if left <= 0 or self.take(left) != 1 << (left - 1):
            raise MalformedStream(DAMAGED)

    def align(self) -> None:
        """Skip the bits before the next byte. Raises MalformedStream unless they are zero (5.3.5)."""
        if self.take(-self._at & 7):
            raise MalformedStream(DAMAGED)


def units_in(sample: bytes) -> Iterator[Av1Unit]:
    """Yield the units of a sample (5.3.1). Raises MalformedStream unless they fill it."""
    at = 0
    while at < len(sample):
        header, at = sample[at], at + 1
        if header & 0x85:  # the forbidden bit, layers, the reserved bit
            raise MalformedStream(
                DAMAGED if header & 0x80 else "A picture in AV1 has layers, or is of a later version."
            )
        size = len(sample) - at
        if header & 2:
            size, at = _size(sample, at)
        if at + size > len(sample):
            raise MalformedStream(DAMAGED)
        yield Av1Unit(header >> 3 & 15, at, at + size)
        at += size


def read_sequence_header(content: bytes, unit: Av1Unit) -> SequenceHeader:
    """Read a sequence header (5.5.1). Raises MalformedStream."""
    bits = Av1Bits(content, unit.begin, unit.end)
    profile, still, reduced = bits.take(3), bits.flag(), bits.flag()
    if still or reduced or profile > 2:
        raise MalformedStream("The video in AV1 is a still picture, or of a later version.")
    _skip_times_and_levels(bits)
    width_bits, height_bits = bits.take(4) + 1, bits.take(4) + 1
    width, height = bits.take(width_bits) + 1, bits.take(height_bits) + 1
    if bits.flag():
        raise MalformedStream("The frames of the video in AV1 are numbered.")
    large_blocks = bits.flag()
    bits.take(4)
    warped_motion = bits.flag()
    bits.take(1)
    has_hints = bits.flag()
    reference_vectors = bool(bits.take(2) & 1) if has_hints else False
    screen_content = CHOSEN_BY_FRAME if bits.flag() else bits.take(1)
    integer_vectors = CHOSEN_BY_FRAME
    if screen_content and not bits.flag():
        integer_vectors = bits.take(1)
    hint_bits = bits.take(3) + 1 if has_hints else 0
    superres, cdef, restoration = bits.flag(), bits.flag(), bits.flag()
    planes, halves_colour, separate_quantizers = _read_colours(bits, profile)
    header = SequenceHeader(
        width_bits,
        height_bits,
        width,
        height,
        large_blocks,
        warped_motion,
        hint_bits,
        reference_vectors,
        screen_content,
        integer_vectors,
        superres,
        cdef,
        restoration,
        planes,
        halves_colour,
        separate_quantizers,
        film_grain=bits.flag(),
    )
    bits.finish()
    return header


def _size(content: bytes, at: int) -> tuple[int, int]:
    """Return a size, leb128(), and the position of the byte after it (4.10.5)."""
    size = 0
    for number in range(_MOST_BYTES_OF_SIZE):
        if at >= len(content):
            break
        size |= (content[at] & 0x7F) << 7 * number
        at += 1
        if not content[at - 1] & 0x80:
            return size, at
    raise MalformedStream(DAMAGED)


def _skip_times_and_levels(bits: Av1Bits) -> None:
    """Skip the clock, the delays and the level (5.5.3). Raises MalformedStream for several operating points."""
    if bits.flag():
        bits.take(64)
        if bits.flag():
            bits.skip_golomb()
        if bits.flag():
            raise MalformedStream("The video in AV1 has a decoder model.")
    has_delay = bits.flag()
    if bits.take(5) or bits.take(12):
        raise MalformedStream("The video in AV1 has several operating points.")
    if bits.take(5) > 7:
        bits.take(1)
    if has_delay and bits.flag():
        bits.take(4)


def _read_colours(bits: Av1Bits, profile: int) -> tuple[int, bool, bool]:
    """Return the number of planes, whether colours have half the size, and whether their quantizers differ (5.5.2)."""
    deep = bits.flag()
    twelve = bits.flag() if profile == 2 and deep else False
    gray = bits.flag() if profile != 1 else False
    colours = (bits.take(8), bits.take(8), bits.take(8)) if bits.flag() else (2, 2, 2)
    if gray:
        bits.take(1)
        return 1, True, False
    if colours == _SRGB:
        return 3, False, bits.flag()
    bits.take(1)
    across = down = profile == 0
    if profile == 2:
        across = bits.flag() if twelve else True
        down = bits.flag() if twelve and across else False
    if across and down:
        bits.take(2)
    return 3, across and down, bits.flag()
