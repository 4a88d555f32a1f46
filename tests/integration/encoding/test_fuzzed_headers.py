"""Films whose first 4 KB are damaged at random are probed or refused, within bounded time and memory."""

from __future__ import annotations

import random
from contextlib import suppress
from resource import RUSAGE_CHILDREN, getrusage
from typing import TYPE_CHECKING

import pytest

from functions.encoding.planning.probe import probe
from functions.encoding.planning.refusals import HEAD_BYTES
from functions.platform.errors import SourceRefused
from functions.platform.settings import Settings
from tests.support.encoder import MeasuredFFmpeg
from tests.support.media import Film, Sound, make_film

if TYPE_CHECKING:
    from pathlib import Path

HEADER_BYTES = 4096
PROBED_WITHIN_CPU_S = 20
MEMORY_MB = Settings(storage="", mongo_url="").ffmpeg_memory_mb
FILMS = tuple(
    Film(name, frames=48, width=64, height=36, sounds=(Sound(),), mux=mux)
    for name, mux in (
        ("film.mp4", ("-movflags", "+faststart")),
        ("fragments.mp4", ("-movflags", "+frag_keyframe+empty_moov")),
        ("film.mkv", ()),
        ("film.ts", ()),
        ("film.avi", ()),
    )
)
WORDS = (b"\0", b"\xff", b"\x80", b"\0\0\0\0", b"\xff\xff\xff\xff", b"\x7f\xff\xff\xff", b"\0\0\0\1")
"""Values at the limits of what a field can have."""


@pytest.fixture(scope="module")
def films(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, ...]:
    """Make each film once."""
    folder = tmp_path_factory.mktemp("films")
    return tuple(make_film(film, folder) for film in FILMS)


def fuzzed(content: bytes, chance: random.Random) -> bytes:
    """Return the film after some changes in its header: other bits, bytes or numbers, parts moved, doubled or cut."""
    header, rest = bytearray(content[:HEADER_BYTES]), content[HEADER_BYTES:]
    for _ in range(chance.randint(1, 12)):
        at, length = chance.randrange(len(header)), chance.randint(1, 64)
        match chance.randrange(6):
            case 0:
                header[at] ^= 1 << chance.randrange(8)
            case 1:
                header[at] = chance.randrange(256)
            case 2:
                word = chance.choice(WORDS)
                header[at : at + len(word)] = word
            case 3:
                header[at : at + length] = chance.randbytes(length)
            case 4:
                begin = chance.randrange(len(header))
                header[at:at] = header[begin : begin + length]
            case _:
                del header[at : at + length]
    return bytes(header) + rest


@pytest.mark.parametrize("seed", [*range(50), *(pytest.param(n, marks=pytest.mark.extended) for n in range(50, 1000))])
def test_film_with_a_damaged_header_is_probed_or_refused(films: tuple[Path, ...], tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    original = films[seed % len(films)]
    upload = tmp_path / original.name
    upload.write_bytes(fuzzed(original.read_bytes(), chance))
    ffmpeg = MeasuredFFmpeg(MEMORY_MB)
    before = getrusage(RUSAGE_CHILDREN)

    with suppress(SourceRefused):
        source = probe(ffmpeg, str(upload), name=upload.name, head=upload.read_bytes()[:HEAD_BYTES])
        assert source.grid.frames > 0
        assert source.width > 0 and source.height > 0

    after = getrusage(RUSAGE_CHILDREN)
    assert after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime < PROBED_WITHIN_CPU_S
    assert ffmpeg.peaks_mb
    assert max(ffmpeg.peaks_mb) < MEMORY_MB
