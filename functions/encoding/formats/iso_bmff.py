"""Parse and write boxes and fields of ISO base media files (ISO/IEC 14496-12); coded media is never read.

Any damaged input raises `MalformedSegment`, whose detail names the file.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from functions.platform.errors import EncodeFault

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class MalformedSegment(EncodeFault):
    """A segment is truncated or is not valid CMAF; the detail names the file."""


def top_boxes(path: Path, wanted: bytes) -> Iterator[bytes]:
    """Yield the bodies of the `wanted` boxes; for other boxes, only check that their length fits into the file."""
    total = path.stat().st_size
    position = 0
    with path.open("rb") as file:
        while position < total:
            file.seek(position)
            head = file.read(16)
            header, size = box_size(head, total - position)
            if not header <= size <= total - position:
                raise MalformedSegment(f"{path.name} is cut short or damaged: its box at byte {position} is not whole.")
            if head[4:8] == wanted:
                file.seek(position + header)
                yield file.read(size - header)
            position += size


def box_size(head: bytes, room: int) -> tuple[int, int]:
    """Return the lengths of the header and of the whole box at the start of `head`; without a box, the second is 0."""
    if len(head) < 8:
        return 8, 0
    size = int.from_bytes(head[:4])
    if size == 1:
        return 16, int.from_bytes(head[8:16]) if len(head) >= 16 else 0
    return 8, size or room


class IsoBox:
    """A box in memory: fields are read from its start one after another, and the remainder can be read as boxes."""

    def __init__(self, path: Path, name: str, body: bytes) -> None:
        self.path, self.name, self.body = path, name, body
        self.position = 0

    def fault(self, what: str) -> MalformedSegment:
        """Return the error that describes a defect of this box."""
        return MalformedSegment(f"{self.path.name} is damaged: its {self.name} box {what}.")

    def take(self, length: int) -> bytes:
        """Read and return the next `length` bytes."""
        field = self.body[self.position : self.position + length]
        if len(field) < length:
            raise self.fault("ends too early")
        self.position += length
        return field

    def number(self, length: int) -> int:
        """Read and return an unsigned integer of `length` bytes."""
        return int.from_bytes(self.take(length))

    def version_and_flags(self) -> tuple[int, int]:
        """Read and return the version and flags with which every full box starts."""
        return self.number(1), self.number(3)

    def children(self) -> Iterator[tuple[str, IsoBox]]:
        """Yield the boxes from the read position to the end, each with its type."""
        while self.position < len(self.body):
            room = len(self.body) - self.position
            header, size = box_size(self.body[self.position : self.position + 16], room)
            if not header <= size <= room:
                raise self.fault("holds a box that is not whole")
            kind = self.body[self.position + 4 : self.position + 8].decode("latin-1")
            self.take(header)
            yield kind, IsoBox(self.path, f"{self.name}/{kind}", self.take(size - header))

    def all(self, kind: str) -> list[IsoBox]:
        """Return the children of this type; the read position does not change."""
        here = self.position
        found = [box for name, box in self.children() if name == kind]
        self.position = here
        return found

    def one(self, *kinds: str) -> IsoBox:
        """Return the only box at the end of this path of types."""
        box = self
        for kind in kinds:
            found = box.all(kind)
            if len(found) != 1:
                raise box.fault(f"has {len(found)} {kind} boxes, not one")
            box = found[0]
        return box


def box(kind: bytes, *parts: bytes) -> bytes:
    """Return a box with this type and content."""
    length = 8 + sum(map(len, parts))
    return b"".join((struct.pack(">I", length), kind, *parts))


def full_box(kind: bytes, version: int, flags: int, *parts: bytes) -> bytes:
    """Return a box that starts with a version and flags."""
    return box(kind, struct.pack(">I", version << 24 | flags), *parts)
