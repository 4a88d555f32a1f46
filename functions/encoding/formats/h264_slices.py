"""Where the header of an H.264 slice ends and its data begin (ITU-T H.264, 7.3.3).

Common encryption leaves slice headers as they are, because decoders of devices read them before they decrypt.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from functions.encoding.formats.h264 import IDR, MalformedStream, UnitBits, read_sequence, unit_type

if TYPE_CHECKING:
    from functions.encoding.formats.h264 import AvcConfiguration, SequenceParameters

CODED_SLICES = frozenset({1, IDR})
"""Types of units that are a whole slice; parts of slices (2 to 4) belong to a profile that is not published."""

LONGEST_HEADER = 2048
"""How many bytes of a slice its header may have; with all weights, it has about a thousand."""

USUAL_HEADER = 64
"""How many bytes are read first, because long numbers are slow to read from."""

_P, _B, _I, _SP, _SI = range(5)
_END_OF_CHANGES = 3
_EXPLICIT = 1
"""The value of weighted_bipred_idc with which the header of a B slice contains weights (7.4.2.2)."""


@dataclass(frozen=True, slots=True)
class PictureParameters:
    """The fields of a picture parameter set on which slice headers depend; `references` are the two default counts."""

    sequence: SequenceParameters
    arithmetic: bool
    orders_fields: bool
    references: tuple[int, int]
    weights_p: bool
    weights_b: int
    controls_deblocking: bool
    counts_redundancy: bool


class SliceHeaders:
    """Finds the ends of slice headers in a stream with these parameter sets."""

    def __init__(self, configuration: AvcConfiguration) -> None:
        """Read the parameter sets. Raises MalformedStream if one is damaged or has several slice groups."""
        sequences = {_sequence_id(unit): read_sequence(unit) for unit in configuration.sequences}
        self._pictures = dict(_read_picture(unit, sequences) for unit in configuration.pictures)

    def length(self, unit: bytes) -> int:
        """Return the number of bytes of a slice that contain its header and the header of its unit.

        The last of them may have some bits of the slice's data. Raises MalformedStream.
        """
        try:
            return self._length(unit, USUAL_HEADER)
        except MalformedStream:
            return self._length(unit, LONGEST_HEADER)

    def _length(self, unit: bytes, most: int) -> int:
        head = unit[1 : most + 1]
        bits = UnitBits(head)
        self._skip_header(bits, unit[0] >> 5 & 3, unit_type(unit))
        return 1 + _with_prevention(head, -(-bits.taken // 8))

    def _skip_header(self, bits: UnitBits, importance: int, kind: int) -> None:
        bits.golomb()
        slice_type = bits.golomb() % 5
        picture = self._pictures.get(bits.golomb())
        if picture is None:
            raise MalformedStream("A picture names parameters that the video does not have.")
        sequence = picture.sequence
        if sequence.separate_planes:
            bits.take(2)
        bits.take(sequence.number_bits)
        is_field = bool(not sequence.progressive and bits.take(1))
        if is_field:
            bits.take(1)
        if kind == IDR:
            bits.golomb()
        _skip_order(bits, picture, is_field=is_field)
        if picture.counts_redundancy:
            bits.golomb()
        if slice_type == _B:
            bits.take(1)
        lists = {_P: 1, _SP: 1, _B: 2}.get(slice_type, 0)
        references = list(picture.references)
        if lists and bits.take(1):
            for number in range(lists):
                references[number] = bits.golomb() + 1
        for _ in range(lists):
            _skip_reordering(bits)
        if (lists == 1 and picture.weights_p) or (lists == 2 and picture.weights_b == _EXPLICIT):
            _skip_weights(bits, references[:lists], has_colour=sequence.chroma != 0 and not sequence.separate_planes)
        if importance:
            _skip_marking(bits, is_idr=kind == IDR)
        if picture.arithmetic and lists:
            bits.golomb()
        bits.signed_golomb()
        if slice_type in (_SP, _SI):
            bits.take(1 if slice_type == _SP else 0)
            bits.signed_golomb()
        if picture.controls_deblocking and bits.golomb() != 1:
            bits.signed_golomb()
            bits.signed_golomb()


def _sequence_id(unit: bytes) -> int:
    bits = UnitBits(unit[1:])
    bits.take(24)
    return bits.golomb()


def _read_picture(unit: bytes, sequences: dict[int, SequenceParameters]) -> tuple[int, PictureParameters]:
    """Read a picture parameter set (7.3.2.2); return its id and what slice headers depend on."""
    bits = UnitBits(unit[1:])
    number, sequence = bits.golomb(), sequences.get(bits.golomb())
    if sequence is None:
        raise MalformedStream("The configuration of the video is damaged.")
    arithmetic, orders_fields = bool(bits.take(1)), bool(bits.take(1))
    if bits.golomb():
        raise MalformedStream("The pictures of the video have several slice groups.")
    references = bits.golomb() + 1, bits.golomb() + 1
    weights_p, weights_b = bool(bits.take(1)), bits.take(2)
    for _ in range(3):
        bits.signed_golomb()
    controls_deblocking = bool(bits.take(1))
    bits.take(1)
    return number, PictureParameters(
        sequence,
        arithmetic,
        orders_fields,
        references,
        weights_p,
        weights_b,
        controls_deblocking,
        counts_redundancy=bool(bits.take(1)),
    )


def _skip_order(bits: UnitBits, picture: PictureParameters, *, is_field: bool) -> None:
    """Skip the place of the picture in the order in which pictures are shown."""
    sequence = picture.sequence
    orders_second = picture.orders_fields and not is_field
    if sequence.order == 0:
        bits.take(sequence.order_bits)
        if orders_second:
            bits.signed_golomb()
    elif sequence.order == 1 and not sequence.order_is_constant:
        bits.signed_golomb()
        if orders_second:
            bits.signed_golomb()


def _skip_reordering(bits: UnitBits) -> None:
    """Skip the changes of a list of references (7.3.3.1)."""
    if bits.take(1):
        while bits.golomb() != _END_OF_CHANGES:
            bits.golomb()


def _skip_weights(bits: UnitBits, references: list[int], *, has_colour: bool) -> None:
    """Skip the weights of the prediction (7.3.3.2); `references` are the lengths of the lists."""
    bits.golomb()
    if has_colour:
        bits.golomb()
    for _ in range(sum(references)):
        if bits.take(1):
            bits.signed_golomb()
            bits.signed_golomb()
        if has_colour and bits.take(1):
            for _ in range(4):
                bits.signed_golomb()


def _skip_marking(bits: UnitBits, *, is_idr: bool) -> None:
    """Skip which pictures are kept as references (7.3.3.3)."""
    if is_idr:
        bits.take(2)
    elif bits.take(1):
        while operation := bits.golomb():
            for _ in range({1: 1, 2: 1, 3: 2, 4: 1, 6: 1}.get(operation, 0)):
                bits.golomb()


def _with_prevention(raw: bytes, wanted: int) -> int:
    """Return how many bytes of a unit its first `wanted` bytes are, with those that prevent start codes (7.4.1.1)."""
    zeros = at = 0
    while wanted > 0:
        if zeros >= 2 and raw[at] == 3:
            zeros = 0
        else:
            zeros = zeros + 1 if raw[at] == 0 else 0
            wanted -= 1
        at += 1
    return at
