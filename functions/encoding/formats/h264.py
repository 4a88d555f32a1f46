"""Properties of an H.264 stream (ITU-T H.264): its sequence parameters, and the units of a coded picture.

Clause numbers are those of the standard. The configuration record is that of ISO/IEC 14496-15, 5.3.3.
"""

from __future__ import annotations

from dataclasses import dataclass

IDR, SEQUENCE, PICTURE = 5, 7, 8
"""Types of units (7.4.1): a slice of a picture from which decoding can start, and parameter sets."""

SLICES = frozenset(range(1, 6))

_HIGH = {44, 83, 86, 100, 110, 118, 122, 128, 134, 135, 138, 139, 244}
"""Profiles whose sequence parameters also have the chroma format and the bit depth (7.3.2.1.1)."""

_EXTENDED_RATIO = 255
_RATIOS = {0: (1, 1), 1: (1, 1)}
_MOST_BITS = 32


class MalformedStream(Exception):
    """A configuration or a coded picture does not follow the standard."""


@dataclass(frozen=True, slots=True)
class AvcConfiguration:
    """A configuration record: the length of the field before each unit, in bytes, and the parameter sets."""

    length_size: int
    sequences: tuple[bytes, ...]
    pictures: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class SequenceParameters:
    """What the sequence parameter set says: sizes in pixels after cropping, pixel ratio, and how pictures are coded.

    `level` is the number of the level times ten. `transfer` is the number of the transfer characteristics, 2 if
    unspecified. The last fields describe slice headers: the length of frame numbers in bits, how the order of pictures
    is coded (pic_order_cnt_type), the length of its numbers in bits, whether their differences are left out, and
    whether the colour planes are coded one by one.
    """

    profile: int
    constraints: int
    level: int
    chroma: int
    bit_depth: int
    width: int
    height: int
    progressive: bool
    square: bool
    transfer: int
    number_bits: int
    order: int
    order_bits: int
    order_is_constant: bool
    separate_planes: bool


def read_configuration(record: bytes) -> AvcConfiguration:
    """Read the content of an avcC box. Raises MalformedStream."""
    if len(record) < 7 or record[0] != 1:
        raise MalformedStream("The configuration of the video is damaged.")
    at = 5
    sets: list[tuple[bytes, ...]] = []
    for mask in (0x1F, 0xFF):
        if at >= len(record):
            raise MalformedStream("The configuration of the video is damaged.")
        count, at = record[at] & mask, at + 1
        found = []
        for _ in range(count):
            length = int.from_bytes(record[at : at + 2])
            found.append(record[at + 2 : at + 2 + length])
            at += 2 + length
        sets.append(tuple(found))
    if at > len(record) or not sets[0] or not sets[1] or not all((*sets[0], *sets[1])):
        raise MalformedStream("The configuration of the video is damaged.")
    return AvcConfiguration((record[4] & 3) + 1, *sets)


def read_sequence(unit: bytes) -> SequenceParameters:
    """Read a sequence parameter set (7.3.2.1.1), with the part of its usability information that matters (E.1.1)."""
    bits = UnitBits(unit[1:])
    profile, constraints, level = bits.take(8), bits.take(8), bits.take(8)
    bits.golomb()
    chroma, depth, separate_planes = 1, 8, False
    if profile in _HIGH:
        chroma = bits.golomb()
        if chroma == 3:
            separate_planes = bool(bits.take(1))
        depth = 8 + max(bits.golomb(), bits.golomb())
        bits.take(1)
        if bits.take(1):
            for number in range(12 if chroma == 3 else 8):
                if bits.take(1):
                    _skip_scaling_list(bits, 16 if number < 6 else 64)
    number_bits = bits.golomb() + 4
    order = bits.golomb()
    order_bits, order_is_constant = 0, False
    if order == 0:
        order_bits = bits.golomb() + 4
    elif order == 1:
        order_is_constant = bool(bits.take(1))
        for _ in range(2):
            bits.signed_golomb()
        for _ in range(bits.golomb() & 0xFF):
            bits.signed_golomb()
    bits.golomb()
    bits.take(1)
    width, height = (bits.golomb() + 1) * 16, (bits.golomb() + 1) * 16
    progressive = bool(bits.take(1))
    if not progressive:
        height *= 2
        bits.take(1)
    bits.take(1)
    if bits.take(1):
        left, right, top, bottom = (bits.golomb() for _ in range(4))
        across = 2 if chroma in (1, 2) else 1
        down = (2 if chroma == 1 else 1) * (1 if progressive else 2)
        width, height = width - (left + right) * across, height - (top + bottom) * down
    ratio, transfer = (1, 1), 2
    if bits.take(1):
        ratio, transfer = _usability(bits)
    return SequenceParameters(
        profile,
        constraints,
        level,
        chroma,
        depth,
        width,
        height,
        progressive,
        ratio[0] == ratio[1],
        transfer,
        number_bits,
        order,
        order_bits,
        order_is_constant,
        separate_planes,
    )


def units_of(picture: bytes, length_size: int) -> list[bytes]:
    """Return the units of a coded picture. Raises MalformedStream unless their lengths add up to the picture's."""
    units = []
    at = 0
    while at < len(picture):
        length = int.from_bytes(picture[at : at + length_size])
        at += length_size
        if length == 0 or at + length > len(picture):
            raise MalformedStream("A picture is damaged.")
        units.append(picture[at : at + length])
        at += length
    return units


def unit_type(unit: bytes) -> int:
    """Return the type of a unit. Raises MalformedStream if its forbidden bit is set (7.4.1)."""
    if unit[0] & 0x80:
        raise MalformedStream("A picture is damaged.")
    return unit[0] & 0x1F


def _usability(bits: UnitBits) -> tuple[tuple[int, int], int]:
    """Return the ratio of a pixel's sides, and the transfer characteristics."""
    ratio, transfer = (1, 1), 2
    if bits.take(1):
        kind = bits.take(8)
        ratio = (bits.take(16), bits.take(16)) if kind == _EXTENDED_RATIO else _RATIOS.get(kind, (1, 2))
    if bits.take(1):
        bits.take(1)
    if bits.take(1):
        bits.take(4)
        if bits.take(1):
            bits.take(8)
            transfer = bits.take(8)
    return ratio, transfer


def _skip_scaling_list(bits: UnitBits, size: int) -> None:
    """Skip a scaling list (7.3.2.1.1.1)."""
    last = following = 8
    for _ in range(size):
        if following:
            following = (last + bits.signed_golomb()) % 256
        last = following or last


class UnitBits:
    """The bits of a unit's payload, without the bytes that prevent start codes (7.4.1.1)."""

    def __init__(self, payload: bytes) -> None:
        raw = payload.replace(b"\0\0\3", b"\0\0")
        self._bits = int.from_bytes(raw)
        self._left = self._length = len(raw) * 8

    @property
    def taken(self) -> int:
        """Return the number of bits that have been read."""
        return self._length - self._left

    def take(self, count: int) -> int:
        if count > self._left:
            raise MalformedStream("The configuration of the video is damaged.")
        self._left -= count
        return self._bits >> self._left & ((1 << count) - 1)

    def golomb(self) -> int:
        """Read an unsigned number in Exp-Golomb code (9.1)."""
        zeros = 0
        while not self.take(1):
            zeros += 1
            if zeros > _MOST_BITS:
                raise MalformedStream("The configuration of the video is damaged.")
        return (1 << zeros) - 1 + self.take(zeros)

    def signed_golomb(self) -> int:
        """Read a signed number (9.1.1)."""
        number = self.golomb()
        return -(number // 2) if number % 2 == 0 else number // 2 + 1
