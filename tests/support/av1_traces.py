"""Where the tiles of a video in AV1 are, according to ffmpeg's parser, which prints each field and its bits."""

from __future__ import annotations

import re
import subprocess
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

TILE_GROUP, FRAME = 4, 6
_FIELD = re.compile(r"(\d+) +(\S+) +([01]+) = (-?\d+)$")
_TILES = re.compile(r"tiles (\d+)x(\d+)\.$")


@dataclass
class Unit:
    """A unit in a trace: its fields, in which bit each of them ends, and the tiles of its frame.

    `bits` come before the data of the tiles, and `header_bits` before what follows the header of the frame.
    """

    fields: dict[str, int] = field(default_factory=dict)
    bits: int = 0
    ends: dict[str, int] = field(default_factory=dict)
    header_bits: int = 0
    rows: int = 0
    columns: int = 0

    @property
    def tiles(self) -> int:
        """Return the number of tiles; 0 if the unit is not a frame, or its header could not be read."""
        return self.rows * self.columns

    @property
    def begin(self) -> int:
        """Return the number of bytes before the payload."""
        return self.ends["obu_size"] // 8


def traced_units(path: Path, *, refusable: bool = False) -> list[list[Unit]]:
    """Return the units of each sample of a video; with `refusable`, of those that ffmpeg does not refuse."""
    command = ["ffmpeg", "-nostdin", "-v", "trace", "-i", str(path), "-c", "copy", "-bsf:v", "trace_headers"]
    done = subprocess.run(
        [*command, "-f", "null", "-"], capture_output=True, check=not refusable, timeout=120, text=True
    )
    samples: list[list[Unit]] = []
    for line in done.stderr.splitlines():
        text = line.partition("] ")[2]
        if not line.startswith("[trace_headers @"):  # other threads write too
            continue
        if text.startswith("Packet: "):
            samples.append([])
        elif samples and text == "OBU header":
            samples[-1].append(Unit())
        elif samples and samples[-1]:
            _add_line(samples[-1][-1], text)
    return samples


def _add_line(unit: Unit, text: str) -> None:
    if found := _FIELD.match(text):
        unit.fields[found[2]] = int(found[4])
        unit.bits = unit.ends[found[2]] = int(found[1]) + len(found[3])
    elif found := _TILES.search(text):
        unit.rows, unit.columns = int(found[1]), int(found[2])
        unit.header_bits = unit.bits


def traced_tiles(units: list[Unit], sample: bytes) -> Iterator[range]:
    """Yield the positions of the tiles of a sample, whose sizes, unlike everything else, are not in the trace."""
    begin = tiles = size_bytes = 0
    for unit in units:
        end = begin + unit.begin + unit.fields["obu_size"]
        if unit.tiles:
            tiles, size_bytes = unit.tiles, unit.fields.get("tile_size_bytes_minus1", 0) + 1
        if unit.fields["obu_type"] in (TILE_GROUP, FRAME):
            at = begin + -(-unit.bits // 8)
            for _ in range(unit.fields.get("tg_start", 0), unit.fields.get("tg_end", tiles - 1)):
                length = int.from_bytes(sample[at : at + size_bytes], "little") + 1
                yield range(at + size_bytes, at + size_bytes + length)
                at += size_bytes + length
            yield range(at, end)
        begin = end
    assert begin == len(sample)


def set_fields(samples: list[list[Unit]]) -> Mapping[str, int]:
    """Return how many units have a value other than 0 for each field."""
    units = (unit for sample in samples for unit in sample)
    return Counter(name for unit in units for name, value in unit.fields.items() if value)
