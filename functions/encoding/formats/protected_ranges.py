"""Which bytes of a picture Common Encryption protects with `cbcs`: the data of slices in H.264, of tiles in AV1.

Everything else stays readable, above all the headers of slices and frames, because decoders of devices read them before
they decrypt.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from functions.encoding.formats.av1_tiles import TileReader
from functions.encoding.formats.h264 import MalformedStream, read_configuration, unit_type
from functions.encoding.formats.h264_slices import CODED_SLICES, LONGEST_HEADER, SliceHeaders

if TYPE_CHECKING:
    from collections.abc import Callable

    from functions.encoding.formats.iso_bmff import IsoBox

BLOCK = 16
"""The size of a block of AES in bytes; fewer bytes cannot be encrypted."""

type SampleReader = Callable[[bytes], list[range]]
"""Returns the positions of the protected bytes of the next sample of a segment. Raises MalformedStream."""

type SegmentReaders = Callable[[], SampleReader]
"""Returns the reader of another segment, because what a reader remembers of a segment must not reach the next one."""


def slices_of(entry: IsoBox) -> SegmentReaders:
    """Return the readers for a track in H.264, by the boxes of its sample entry (ISO/IEC 23001-7, 10.4).

    Slices whose data are shorter than a block are not protected. Raises MalformedStream.
    """
    configuration = read_configuration(entry.one("avcC").body)
    reader = partial(_slices_in, headers=SliceHeaders(configuration), length_size=configuration.length_size)
    return lambda: reader


def tiles_of(_: IsoBox) -> SegmentReaders:
    """Return the readers for a track in AV1 (AV1 Codec ISO Media File Format Binding 1.3, "Common Encryption").

    Every tile is protected from its first byte to its last one, even one that is shorter than a block.
    """
    return lambda: TileReader().tiles_in


def _slices_in(sample: bytes, *, headers: SliceHeaders, length_size: int) -> list[range]:
    found = []
    at = 0
    while at < len(sample):
        length = int.from_bytes(sample[at : at + length_size])
        at += length_size
        end = at + length
        if not length or end > len(sample):
            raise MalformedStream("A picture is damaged.")
        if unit_type(sample[at : at + 1]) in CODED_SLICES:
            data = range(at + headers.length(sample[at : min(end, at + LONGEST_HEADER + 1)]), end)
            if len(data) >= BLOCK:
                found.append(data)
        at = end
    return found
