"""Encrypt CMAF segments of a track with the scheme `cbcs` (ISO/IEC 23001-7, 10.4): AES-128 in CBC mode, in place.

Of pictures, only the data of slices or tiles is encrypted, and of these one block in ten; of sound, all whole blocks.
The initialization vector is the same for all samples of a track, so the same segment always gives the same bytes.
Samples keep their sizes; a media segment grows by the boxes that say which bytes of its pictures are encrypted.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES128
from cryptography.hazmat.primitives.ciphers.modes import CBC

from functions.encoding.formats.h264 import MalformedStream
from functions.encoding.formats.iso_bmff import IsoBox, MalformedSegment, box, full_box
from functions.encoding.formats.protected_ranges import BLOCK, slices_of, tiles_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from functions.encoding.formats.protected_ranges import SampleReader, SegmentReaders

SCHEME, SCHEME_VERSION = b"cbcs", 0x00010000
CRYPT_BLOCKS, SKIP_BLOCKS = 1, 9
"""The pattern of pictures: of ten blocks, the first one is encrypted (10.4.2)."""

MOST_CLEAR = 0xFFFF
"""The largest number of unencrypted bytes in one entry of a sample (7.2.2)."""

MOST_ENTRIES = (0xFF - 2) // 6
"""How many entries the size of a sample's auxiliary information, a single byte, permits (ISO/IEC 14496-12, 8.7.8)."""

_PATH_TO_DESCRIPTION = ("moov", "trak", "mdia", "minf", "stbl", "stsd")
_FULL_HEADER = 8
"""Bytes before the sample entry in the box stsd."""

_PICTURES: dict[str, Callable[[IsoBox], SegmentReaders]] = {"avc1": slices_of, "av01": tiles_of}
"""What finds the protected bytes of pictures, by the type of their sample entry."""

_FIXED_BYTES = 78
"""The bytes of the sample entry of pictures before its boxes (ISO/IEC 14496-12, 12.1.3)."""

_SOUND = "mp4a"

_HAS_OFFSET, _HAS_FIRST_FLAGS, _HAS_DURATION, _HAS_SIZE, _HAS_FLAGS, _HAS_COMPOSITION = 1, 4, 0x100, 0x200, 0x400, 0x800
_HAS_BASE, _HAS_DESCRIPTION, _HAS_DEFAULT_DURATION, _HAS_DEFAULT_SIZE = 1, 2, 8, 0x10

type Entry = tuple[int, int]
"""A number of unencrypted bytes, and that of the bytes after them to which the pattern applies (7.2.2)."""


class CannotEncrypt(MalformedSegment):
    """A track has a format or pictures that cannot be encrypted."""


@dataclass(frozen=True, slots=True)
class _Run:
    """Consecutive samples of a fragment: the field with their offset from the fragment, and their sizes in bytes."""

    field: int
    offset: int
    sizes: tuple[int, ...]


class TrackCipher:
    """Encrypts the segments of one track; `key`, `key_id` and `iv` have 16 bytes each. Init segments come first."""

    def __init__(self, key: bytes, *, key_id: bytes, iv: bytes) -> None:
        self._key = key
        self._key_id = key_id
        self._iv = iv
        self._readers: SegmentReaders | None = None

    def encrypted_init(self, path: Path) -> bytes:
        """Return the init segment that describes the encrypted track. Raises MalformedSegment, CannotEncrypt."""
        content = IsoBox(path, "file", path.read_bytes())
        return b"".join(_changed(content, _PATH_TO_DESCRIPTION, self._described))

    def encrypted_segment(self, path: Path) -> bytes:
        """Return a media segment, encrypted and without its index. Raises MalformedSegment, CannotEncrypt."""
        content = bytearray(path.read_bytes())
        parts: list[bytes | tuple[int, int]] = []
        file = IsoBox(path, "file", bytes(content))
        reader = self._readers() if self._readers else None
        begin = 0
        for kind, found in file.children():
            end = file.position
            if kind == "moof":
                parts.append(self._encrypt_fragment(found, content, begin, reader))
            elif kind != "sidx":  # its sizes would be wrong, and no player of segments needs it
                parts.append((begin, end))
            begin = end
        return b"".join(part if isinstance(part, bytes) else bytes(content[slice(*part)]) for part in parts)

    def _described(self, description: IsoBox) -> bytes:
        """Return the box stsd whose only entry says how the track is encrypted."""
        head = description.take(_FULL_HEADER)
        entries = list(description.children())
        if len(entries) != 1 or entries[0][0] not in {*_PICTURES, _SOUND}:
            raise CannotEncrypt(f"{description.path.name} has a format that cannot be encrypted.")
        name, entry = entries[0]
        pattern = 0
        if name in _PICTURES:
            entry.take(_FIXED_BYTES)
            pattern = CRYPT_BLOCKS << 4 | SKIP_BLOCKS
            try:
                self._readers = _PICTURES[name](entry)
            except MalformedStream as error:
                raise CannotEncrypt(f"{description.path.name} cannot be encrypted: {error}") from None
        protection = full_box(
            b"tenc",
            1 if pattern else 0,
            0,
            bytes([0, pattern, 1, 0]),
            self._key_id,
            bytes([len(self._iv)]),
            self._iv,
        )
        scheme = box(
            b"sinf",
            box(b"frma", name.encode()),
            full_box(b"schm", 0, 0, SCHEME, struct.pack(">I", SCHEME_VERSION)),
            box(b"schi", protection),
        )
        return box(b"stsd", head, box(b"encv" if pattern else b"enca", entry.body, scheme))

    def _encrypt_fragment(self, moof: IsoBox, content: bytearray, begin: int, reader: SampleReader | None) -> bytes:
        """Encrypt the samples of a fragment in `content`, in which it begins at `begin`; return its new box moof."""
        parts = []
        for kind, found in moof.children():
            if kind != "traf":
                parts.append(box(kind.encode("latin-1"), found.body))
                continue
            runs = _runs_of(found)
            entries = []
            for run in runs:
                at = begin + run.offset
                for size in run.sizes:
                    if at + size > len(content):
                        raise found.fault("refers to bytes after the end of the file")
                    entries.append(self._encrypt_sample(content, range(at, at + size), found, reader))
                    at += size
            before = 8 + sum(map(len, parts))
            parts.append(_described_fragment(found, runs, entries if reader else [], before=before))
        return box(b"moof", *parts)

    def _encrypt_sample(
        self, content: bytearray, sample: range, within: IsoBox, reader: SampleReader | None
    ) -> list[Entry]:
        """Encrypt a sample; return its entries, which cover all of its bytes. Sound has no reader and no entries."""
        begin = sample.start
        if reader is None:
            self._encrypt(content, range(begin, sample.stop - BLOCK + 1, BLOCK))
            return []
        try:
            protected = reader(bytes(content[begin : sample.stop]))
        except MalformedStream as error:
            raise CannotEncrypt(f"{within.path.name} cannot be encrypted: {error}") from None
        entries: list[Entry] = []
        done = 0
        for part in protected:
            last = begin + part.stop - BLOCK
            self._encrypt(content, range(begin + part.start, last + 1, BLOCK * (CRYPT_BLOCKS + SKIP_BLOCKS)))
            entries += _split(part.start - done, len(part))
            done = part.stop
        if done < len(sample):
            entries += _split(len(sample) - done, 0)
        if len(entries) > MOST_ENTRIES:
            raise CannotEncrypt(f"{within.path.name} has a picture of more than {MOST_ENTRIES} slices or tiles.")
        return entries

    def _encrypt(self, content: bytearray, blocks: range) -> None:
        """Encrypt the blocks at these positions as one chain."""
        encryptor = Cipher(AES128(self._key), CBC(self._iv)).encryptor()
        done = encryptor.update(b"".join([content[at : at + BLOCK] for at in blocks]))
        for number, at in enumerate(blocks):
            content[at : at + BLOCK] = done[number * BLOCK : number * BLOCK + BLOCK]


def _changed(content: IsoBox, path: Sequence[str], change: Callable[[IsoBox], bytes]) -> Iterator[bytes]:
    """Yield the boxes in `content`; the one at the end of `path` is replaced by what `change` returns for it."""
    for kind, found in content.children():
        if kind != path[0]:
            yield box(kind.encode("latin-1"), found.body)
        elif len(path) == 1:
            yield change(found)
        else:
            yield box(kind.encode("latin-1"), *_changed(found, path[1:], change))


def _runs_of(fragment: IsoBox) -> list[_Run]:
    """Return the runs of a track fragment; offsets count from the beginning of its box moof."""
    header = fragment.one("tfhd")
    _, flags = header.version_and_flags()
    header.take(4)
    if flags & _HAS_BASE:
        raise header.fault("has an offset from the beginning of a file")
    header.take((4 if flags & _HAS_DESCRIPTION else 0) + (4 if flags & _HAS_DEFAULT_DURATION else 0))
    default = header.number(4) if flags & _HAS_DEFAULT_SIZE else None
    runs: list[_Run] = []
    for run in fragment.all("trun"):
        _, flags = run.version_and_flags()
        count = run.number(4)
        if not flags & _HAS_OFFSET:
            raise run.fault("has no offset")
        field = run.position
        offset = run.number(4)
        run.take(4 if flags & _HAS_FIRST_FLAGS else 0)
        sizes = []
        for _ in range(count):
            run.take(4 if flags & _HAS_DURATION else 0)
            size = run.number(4) if flags & _HAS_SIZE else default
            if size is None:
                raise run.fault("has no sizes")
            sizes.append(size)
            run.take((4 if flags & _HAS_FLAGS else 0) + (4 if flags & _HAS_COMPOSITION else 0))
        runs.append(_Run(field, offset, tuple(sizes)))
    return runs


def _described_fragment(
    fragment: IsoBox, runs: Sequence[_Run], entries: Sequence[Sequence[Entry]], *, before: int
) -> bytes:
    """Return the box traf that says which bytes of its samples are encrypted; `before` bytes of moof precede it."""
    sizes = bytes(2 + 6 * len(sample) for sample in entries)
    auxiliary = b"".join(
        struct.pack(">H", len(sample)) + b"".join(struct.pack(">HI", *entry) for entry in sample) for sample in entries
    )
    growth = b""
    if entries:
        count = struct.pack(">I", len(entries))
        sizes_box = full_box(b"saiz", 0, 0, b"\0", count, sizes)
        offsets = full_box(b"saio", 0, 0, struct.pack(">II", 1, 0))
        parts = full_box(b"senc", 0, 2, count, auxiliary)
        length = 8 + len(fragment.body) + len(sizes_box) + len(offsets) + len(parts)
        offset = before + length - len(auxiliary)
        growth = sizes_box + full_box(b"saio", 0, 0, struct.pack(">II", 1, offset)) + parts
    boxes = []
    places = iter(runs)
    for kind, found in fragment.children():
        body = found.body
        if kind == "trun":
            run = next(places)
            moved = struct.pack(">I", run.offset + len(growth))
            body = body[: run.field] + moved + body[run.field + 4 :]
        boxes.append(box(kind.encode("latin-1"), body))
    return box(b"traf", *boxes, growth)


def _split(clear: int, protected: int) -> list[Entry]:
    """Return the entries for unencrypted bytes and the encrypted ones after them."""
    entries = []
    while clear > MOST_CLEAR:
        entries.append((MOST_CLEAR, 0))
        clear -= MOST_CLEAR
    return [*entries, (clear, protected)]
