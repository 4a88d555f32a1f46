"""Change the tracks of an MP4 file: remove all samples of one, overwrite its coded data, or declare it many times."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

TABLE = (b"mdia", b"minf", b"stbl")


def emptied_track(data: bytes, number: int) -> bytes:
    """Return the file with track `number`, counted from 0, declared as before but without a sample."""
    changed = bytearray(data)
    for name in (b"stts", b"stsc", b"stco", b"stss", b"ctts"):
        for begin, _ in _boxes(data, number, name):
            changed[begin + 4 : begin + 8] = bytes(4)
    for begin, _ in _boxes(data, number, b"stsz"):
        changed[begin + 4 : begin + 12] = bytes(8)
    return bytes(changed)


def scrambled_track(data: bytes, number: int) -> bytes:
    """Return the file with all coded data of track `number` overwritten; the index stays as it was."""
    changed = bytearray(data)
    sizes, offsets = _numbers(data, number, b"stsz", skip=8), _numbers(data, number, b"stco", skip=4)
    ((begin, _),) = _boxes(data, number, b"stsc")
    (count,) = struct.unpack_from(">I", data, begin + 4)
    runs = [struct.unpack_from(">II", data, begin + 8 + 12 * run) for run in range(count)]
    sample = 0
    for chunk, offset in enumerate(offsets, start=1):
        at = offset
        for _ in range(next(samples for first, samples in reversed(runs) if first <= chunk)):
            changed[at : at + sizes[sample]] = b"\xff" * sizes[sample]
            at += sizes[sample]
            sample += 1
    return bytes(changed)


def repeated_track(data: bytes, number: int, times: int) -> bytes:
    """Return the file, whose index is at its end, with track `number` declared again `times` times."""
    begin, end = list(_inside(data, 0, len(data), (b"moov", b"trak")))[number]
    track = bytearray(data[begin - 8 : end])
    id_at = track.index(b"tkhd") + 16
    copies = bytearray()
    for copy in range(times):
        struct.pack_into(">I", track, id_at, 100 + copy)
        copies += track
    ((index, rest),) = _inside(data, 0, len(data), (b"moov",))
    header = struct.pack(">I4s", rest - index + 8 + len(copies), b"moov")
    return data[: index - 8] + header + data[index:rest] + bytes(copies) + data[rest:]


def _numbers(data: bytes, track: int, name: bytes, *, skip: int) -> tuple[int, ...]:
    ((begin, _),) = _boxes(data, track, name)
    (count,) = struct.unpack_from(">I", data, begin + skip)
    return struct.unpack_from(f">{count}I", data, begin + skip + 4)


def _boxes(data: bytes, track: int, name: bytes) -> list[tuple[int, int]]:
    """Return the start and end of the body of each sample table box of a track that has this name."""
    tracks = list(_inside(data, 0, len(data), (b"moov", b"trak")))
    return list(_inside(data, *tracks[track], (*TABLE, name)))


def _inside(data: bytes, begin: int, end: int, path: tuple[bytes, ...]) -> Iterator[tuple[int, int]]:
    while begin < end:
        size, name = struct.unpack_from(">I4s", data, begin)
        if name == path[0] and len(path) == 1:
            yield begin + 8, begin + size
        elif name == path[0]:
            yield from _inside(data, begin + 8, begin + size, path[1:])
        begin += size
