"""Where the header of an AV1 frame ends (AV1 Bitstream & Decoding Process, 5.9), and how many tiles follow it.

A header does not say how long it is, so all of its fields are read. Some exist only because of values of earlier
frames: the sizes, the order and the segmentation of the frames to which a frame refers. The values of global motion
depend on earlier frames too, but the lengths of their codes do not (5.9.27).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from functions.encoding.formats.av1_sequence import CHOSEN_BY_FRAME, DAMAGED
from functions.encoding.formats.h264 import MalformedStream

if TYPE_CHECKING:
    from collections.abc import Sequence

    from functions.encoding.formats.av1_sequence import Av1Bits, SequenceHeader

_KEY, _INTER, _INTRA_ONLY, _SWITCH = range(4)
_SLOTS = 8
"""How many frames a decoder keeps (NUM_REF_FRAMES)."""

_REFERENCES = 7
_ALL = (1 << _SLOTS) - 1
_NONE = 7
"""The value of primary_ref_frame of a frame that takes nothing from earlier ones."""

_WIDEST_TILE, _LARGEST_TILE, _MOST_TILES = 4096, 4096 * 2304, 64
"""The largest width and area of a tile, and the largest number of columns and of rows (section 3)."""

_SEGMENTS = 8
_FEATURES = ((8, True), (6, True), (6, True), (6, True), (6, True), (3, False), (0, False), (0, False))
"""For each feature of a segment the length of its value and whether it has a sign (5.9.14); 0 is the quantizer."""

_TRANSLATION, _ROTATION, _AFFINE = 1, 2, 3
_MOTION_BITS, _TRANSLATION_BITS = 12, 9
"""Lengths of parameters of global motion (section 3: GM_ABS_ALPHA_BITS and GM_ABS_TRANS_BITS; _ONLY_BITS)."""

_NO_QUANTIZERS = (0,) * _SEGMENTS


class FrameTiles(NamedTuple):
    """The tiles of a frame: their number, and the lengths of their numbers in bits and of their sizes in bytes."""

    number: int
    number_bits: int
    size_bytes: int


@dataclass(frozen=True, slots=True)
class _Kept:
    """What later headers need to know about a frame; `quantizers` are the differences of its segments."""

    is_key: bool
    hint: int
    width: int
    height: int
    quantizers: tuple[int, ...]


class FrameHeaders:
    """Reads the frame headers of a stream, one after another, from a frame at which decoding can start."""

    def __init__(self) -> None:
        self._kept: list[_Kept | None] = [None] * _SLOTS

    def read(self, bits: Av1Bits, sequence: SequenceHeader) -> FrameTiles | None:
        """Read the next header (5.9.2); return the tiles after it, None if it only shows an earlier frame.

        Raises MalformedStream if it is damaged, or refers to a frame that was not read.
        """
        if bits.flag():
            frame = self._frame(bits.take(3))
            if frame.is_key:  # the frame is loaded into all slots (7.21)
                self._kept = [frame] * _SLOTS
            return None
        header = _Header(bits, sequence, self._kept)
        tiles = header.read()
        kept = header.kept
        self._kept = [kept if header.refreshes >> slot & 1 else frame for slot, frame in enumerate(self._kept)]
        return tiles

    def _frame(self, slot: int) -> _Kept:
        frame = self._kept[slot]
        if frame is None:
            raise MalformedStream("A picture in AV1 refers to one that is missing.")
        return frame


class _Header:
    """One frame header; its methods read its parts in their order."""

    def __init__(self, bits: Av1Bits, sequence: SequenceHeader, kept: Sequence[_Kept | None]) -> None:
        self._bits = bits
        self._sequence = sequence
        self._slots = kept
        self._references: tuple[_Kept, ...] = ()
        self._kind = _KEY
        self._hint = self._width = self._height = 0
        self._resilient = self._integer = self._copies = self._precise = self._has_vectors = False
        self._quantizers = _NO_QUANTIZERS
        self.refreshes = _ALL

    @property
    def kept(self) -> _Kept:
        """Return what later headers need to know about this frame."""
        return _Kept(self._kind == _KEY, self._hint, self._width, self._height, self._quantizers)

    @property
    def _is_intra(self) -> bool:
        return self._kind in (_KEY, _INTRA_ONLY)

    def read(self) -> FrameTiles:
        """Read the header from the field frame_type on."""
        bits, sequence = self._bits, self._sequence
        self._kind = bits.take(2)
        if self._kind == _SWITCH:
            raise MalformedStream("The video in AV1 has switch frames.")
        is_shown = bits.flag()
        has_grain = is_shown or bits.flag()
        starts = self._kind == _KEY and is_shown
        self._resilient = starts or bits.flag()
        keeps_probabilities = bits.flag()
        has_screen_content = self._chosen(sequence.screen_content)
        self._integer = has_screen_content and self._chosen(sequence.integer_vectors)
        has_own_size = bits.flag()
        self._hint = bits.take(sequence.hint_bits)
        primary = _NONE if self._is_intra or self._resilient else bits.take(3)
        if not starts:
            self.refreshes = bits.take(8)
        if (not self._is_intra or self.refreshes != _ALL) and self._resilient and sequence.hint_bits:
            self._check_hints()
        if self._is_intra:
            self._read_size(has_own_size=has_own_size)
            self._copies = has_screen_content and bits.flag()
        else:
            self._read_references(has_own_size=has_own_size)
        if not keeps_probabilities:
            bits.take(1)
        tiles = self._read_tiles()
        lossless = self._read_quantizers(primary)
        self._skip_filters(lossless=lossless)
        self._skip_prediction(lossless=lossless)
        if sequence.film_grain and has_grain:
            _skip_grain(bits, sequence, is_inter=self._kind == _INTER)
        return tiles

    def _chosen(self, tool: int) -> bool:
        return self._bits.flag() if tool == CHOSEN_BY_FRAME else tool == 1

    def _check_hints(self) -> None:
        """Read the order hints of all slots. Raises MalformedStream if a frame is missing, which they would replace."""
        for frame in self._slots:
            if self._bits.take(self._sequence.hint_bits) != (frame.hint if frame else 0):
                raise MalformedStream("A picture in AV1 refers to one that is missing.")

    def _read_size(self, *, has_own_size: bool) -> None:
        """Read the sizes of the frame and of the picture that is shown (5.9.5, 5.9.6)."""
        bits, sequence = self._bits, self._sequence
        self._width, self._height = sequence.width, sequence.height
        if has_own_size:
            self._width = bits.take(sequence.width_bits) + 1
            self._height = bits.take(sequence.height_bits) + 1
        self._refuse_superres()
        if bits.flag():
            bits.take(32)

    def _refuse_superres(self) -> None:
        if self._sequence.superres and self._bits.flag():
            raise MalformedStream("The video in AV1 has frames that are scaled.")

    def _read_references(self, *, has_own_size: bool) -> None:
        """Read the frames to which this one refers, its size, and how its vectors are coded."""
        bits, sequence = self._bits, self._sequence
        if sequence.hint_bits and bits.flag():
            raise MalformedStream("The references of the video in AV1 are abbreviated.")
        found = [self._slots[bits.take(3)] for _ in range(_REFERENCES)]
        self._references = tuple(frame for frame in found if frame)
        if len(self._references) != _REFERENCES:
            raise MalformedStream("A picture in AV1 refers to one that is missing.")
        same = None
        if has_own_size and not self._resilient:
            same = next((frame for frame in self._references if bits.flag()), None)
        if same:
            self._width, self._height = same.width, same.height
            self._refuse_superres()
        else:
            self._read_size(has_own_size=has_own_size)
        self._precise = not self._integer and bits.flag()
        if not bits.flag():
            bits.take(2)
        bits.take(1)
        if not self._resilient and sequence.reference_vectors:
            bits.take(1)

    def _read_tiles(self) -> FrameTiles:
        """Read how the frame is divided (5.9.15)."""
        bits, shift = self._bits, 7 if self._sequence.large_blocks else 6
        columns, rows = (-(-length // (1 << shift)) for length in (self._width, self._height))
        widest, largest = _WIDEST_TILE >> shift, _LARGEST_TILE >> 2 * shift
        least_columns = _exponent(widest, columns)
        least = max(least_columns, _exponent(largest, rows * columns))
        if bits.flag():
            across = bits.counted(least_columns, _exponent(1, min(columns, _MOST_TILES)))
            down = bits.counted(max(least - across, 0), _exponent(1, min(rows, _MOST_TILES)))
            count = _parts(columns, across) * _parts(rows, down)
        else:
            widths = _read_lengths(bits, columns, widest)
            area = rows * columns >> (least + 1 if least else 0)
            heights = _read_lengths(bits, rows, max(area // max(widths), 1))
            across, down = _exponent(1, len(widths)), _exponent(1, len(heights))
            count = len(widths) * len(heights)
        size_bytes = 0
        if across or down:
            bits.take(across + down)
            size_bytes = bits.take(2) + 1
        return FrameTiles(count, across + down, size_bytes)

    def _read_quantizers(self, primary: int) -> bool:
        """Read quantizers and segments (5.9.12 to 5.9.18); return whether the whole frame is coded without loss."""
        bits, sequence = self._bits, self._sequence
        base = bits.take(8)
        differs = _delta(bits)
        if sequence.planes > 1:
            separate = sequence.separate_quantizers and bits.flag()
            for _ in range(4 if separate else 2):
                differs |= _delta(bits)
        if bits.flag():
            bits.take(12 if sequence.separate_quantizers else 8)
        has_segments = bits.flag()
        if has_segments:
            self._read_segments(primary)
        if base and bits.flag():
            bits.take(2)
            if not self._copies and bits.flag():
                bits.take(3)
        return not differs and all(base + difference <= 0 for difference in self._quantizers)

    def _read_segments(self, primary: int) -> None:
        """Read the features of segments, or take them from an earlier frame (5.9.14, 7.20)."""
        bits = self._bits
        if primary != _NONE:
            self._quantizers = self._references[primary].quantizers
            if bits.flag():
                bits.take(1)
            if not bits.flag():
                return
        quantizers = []
        for _ in range(_SEGMENTS):
            values = [0] * len(_FEATURES)
            for feature, (length, has_sign) in enumerate(_FEATURES):
                if bits.flag() and length:
                    values[feature] = bits.signed(length + 1) if has_sign else bits.take(length)
            quantizers.append(values[0])
        self._quantizers = tuple(quantizers)

    def _skip_filters(self, *, lossless: bool) -> None:
        """Skip the filters (5.9.11, 5.9.19, 5.9.20)."""
        bits, sequence = self._bits, self._sequence
        if lossless or self._copies:
            return
        if bits.take(12) and sequence.planes > 1:
            bits.take(12)
        bits.take(3)
        if bits.flag() and bits.flag():
            for _ in range(_REFERENCES + 3):
                if bits.flag():
                    bits.take(7)
        if sequence.cdef:
            bits.take(2)
            bits.take((6 if sequence.planes == 1 else 12) << bits.take(2))
        if sequence.restoration:
            kinds = [bits.take(2) for _ in range(sequence.planes)]
            if any(kinds):
                if bits.flag() and not sequence.large_blocks:
                    bits.take(1)
                if sequence.halves_colour and any(kinds[1:]):
                    bits.take(1)

    def _skip_prediction(self, *, lossless: bool) -> None:
        """Skip how blocks are transformed and predicted (5.9.21 to 5.9.25)."""
        bits = self._bits
        if not lossless:
            bits.take(1)
        if self._is_intra:
            bits.take(1)
            return
        if bits.flag() and self._may_skip():
            bits.take(1)
        if not self._resilient and self._sequence.warped_motion:
            bits.take(1)
        bits.take(1)
        for _ in range(_REFERENCES):
            self._skip_motion()

    def _may_skip(self) -> bool:
        """Return whether the frame has references before and after it, or two before it (5.9.22)."""
        if not self._sequence.hint_bits:
            return False
        places = {self._distance(frame.hint, self._hint) for frame in self._references}
        before = {place for place in places if place < 0}
        return bool(before) and (any(place > 0 for place in places) or len(before) > 1)

    def _distance(self, one: int, other: int) -> int:
        """Return how far one frame is after another in the order in which they are shown (5.9.3)."""
        half = 1 << (self._sequence.hint_bits - 1)
        return (one - other & half - 1) - (one - other & half)

    def _skip_motion(self) -> None:
        """Skip the global motion of a reference (5.9.24, 5.9.25)."""
        bits = self._bits
        if not bits.flag():
            return
        kind = _ROTATION if bits.flag() else _TRANSLATION if bits.flag() else _AFFINE
        lengths = [_MOTION_BITS] * (6 if kind == _AFFINE else 4)
        if kind == _TRANSLATION:
            lengths = [_TRANSLATION_BITS - (0 if self._precise else 1)] * 2
        for length in lengths:
            _skip_difference(bits, 2 * (1 << length) + 1)


def _exponent(size: int, target: int) -> int:
    """Return the smallest k for which `size << k` is at least `target` (tile_log2, 5.9.16)."""
    return (-(-target // size) - 1).bit_length()


def _parts(length: int, exponent: int) -> int:
    """Return into how many equal parts, except for the last one, a length is divided."""
    part = -(-length // (1 << exponent))
    return -(-length // part)


def _read_lengths(bits: Av1Bits, total: int, most: int) -> list[int]:
    """Read the widths of columns or the heights of rows, none of which is greater than `most`."""
    lengths: list[int] = []
    while total:
        lengths.append(bits.below(min(total, most)) + 1)
        total -= lengths[-1]
    if len(lengths) > _MOST_TILES:
        raise MalformedStream(DAMAGED)
    return lengths


def _delta(bits: Av1Bits) -> bool:
    """Read the difference of a quantizer (5.9.13); return whether there is one."""
    return bits.flag() and bits.take(7) != 0


def _skip_difference(bits: Av1Bits, limit: int) -> None:
    """Skip a number that is coded by its difference from an expected one (5.9.26 to 5.9.28)."""
    first, below, exponent = True, 0, 3
    while limit > below + 3 * (1 << exponent):
        if not bits.flag():
            bits.take(exponent)
            return
        below += 1 << exponent
        exponent, first = exponent + (0 if first else 1), False
    bits.below(limit - below)


def _skip_grain(bits: Av1Bits, sequence: SequenceHeader, *, is_inter: bool) -> None:
    """Skip the film grain (5.9.30)."""
    if not bits.flag():
        return
    bits.take(16)
    if is_inter and not bits.flag():
        bits.take(3)
        return
    luma = bits.take(4)
    bits.take(16 * luma)
    has_colour = sequence.planes > 1
    from_luma = has_colour and bits.flag()
    colours = [0, 0]
    if has_colour and not from_luma and not (sequence.halves_colour and not luma):
        for plane in range(2):
            colours[plane] = bits.take(4)
            bits.take(16 * colours[plane])
    bits.take(2)
    lag = bits.take(2)
    coefficients = 2 * lag * (lag + 1)
    if luma:
        bits.take(8 * coefficients)
        coefficients += 1
    for points in colours:
        bits.take(8 * coefficients if from_luma or points else 0)
    bits.take(4)
    for points in colours:
        bits.take(25 if points else 0)
    bits.take(2)
