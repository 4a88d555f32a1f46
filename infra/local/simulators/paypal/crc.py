"""Text with a wanted CRC32, for forged bodies that keep their signature (CRC32 is linear over GF(2))."""

from __future__ import annotations

import zlib

PLACES = 16
"""Characters that are chosen freely: each gives four bits, twice as many as the checksum has."""

_BASE = b"@" * PLACES  # 0x40: with the low nibble varied it stays a printable ASCII character that JSON leaves alone


def text_for(before: bytes, after: bytes, wanted: int) -> bytes:
    """Return characters which between `before` and `after` make the whole's CRC32 equal `wanted`."""
    start = zlib.crc32(before + _BASE + after)
    basis: dict[
        int, tuple[int, int]
    ] = {}  # the highest bit of a difference -> the difference, the choice that makes it
    for bit in range(PLACES * 4):
        choice = 1 << bit
        difference, choice = _reduced(zlib.crc32(before + _characters(choice) + after) ^ start, choice, basis)
        if difference:
            basis[difference.bit_length()] = difference, choice
    rest, choice = _reduced(start ^ wanted, 0, basis)
    if rest:
        raise ValueError("no text of these characters has that checksum")
    return _characters(choice)


def _reduced(difference: int, choice: int, basis: dict[int, tuple[int, int]]) -> tuple[int, int]:
    """Remove from `difference` all that the basis can make, keeping account in `choice`."""
    for top in range(32, 0, -1):
        if difference.bit_length() == top and top in basis:
            difference ^= basis[top][0]
            choice ^= basis[top][1]
    return difference, choice


def _characters(choice: int) -> bytes:
    return bytes(0x40 | choice >> 4 * place & 0xF for place in range(PLACES))
