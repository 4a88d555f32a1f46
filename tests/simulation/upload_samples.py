"""The contents of the uploads of a simulation, made by ffmpeg."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from typing import TYPE_CHECKING

from tests.support.copied_films import CONSTANT_BITRATE
from tests.support.damaged import zeroed
from tests.support.media import H264, Film, Sound, make_film

if TYPE_CHECKING:
    from pathlib import Path

LOW = Fraction(5)
"""Frames per second; fewer frames make a run faster."""


@dataclass(frozen=True)
class Samples:
    """The contents of uploads: films that are encoded, remuxed or copied, and a text file, which is not a film.

    The pictures of one film are copied only until all renditions are encoded, and the sound of another only until its
    damage is found. Those in `growing` are copied, and published before they are whole if they are committed in steps.
    `wide` has several renditions and chunks.
    """

    films: tuple[bytes, ...]
    growing: tuple[bytes, ...]
    wide: bytes
    text: bytes = b"This is a text, not a film.\n" * 40

    @property
    def long(self) -> bytes:
        """Return the film that is encoded in several chunks."""
        return self.films[2]

    @classmethod
    def make(cls, folder: Path) -> Samples:
        """Create the films with ffmpeg."""
        films = (
            Film("sound.mp4", rate=LOW, frames=46, width=64, height=36, sounds=(Sound(),)),
            Film("short.mp4", rate=LOW, frames=25, width=64, height=36, sounds=()),
            Film("chunks.mp4", rate=LOW, frames=185, width=64, height=36, video=("-c:v", "mpeg4")),
            Film("own.mp4", rate=LOW, frames=50, width=640, height=360, video=(*H264, "-g", "10")),
            Film("large.mp4", rate=LOW, frames=50, width=640, height=360, video=(*CONSTANT_BITRATE, "-g", "10")),
            Film("unindexed.ts", rate=LOW, frames=46, width=64, height=36, video=(*H264, "-bf", "0")),
        )
        own = Film("indexed.mp4", rate=LOW, frames=90, width=640, height=360, video=(*H264, "-g", "10"))
        fragmented = ("-movflags", "+frag_keyframe+empty_moov+default_base_moof")
        growing = (own, replace(own, name="fragmented.mp4", sounds=(), mux=fragmented))
        wide = Film("wide.mp4", rate=LOW, frames=60, width=640, height=360, video=("-c:v", "mpeg4"), sounds=())
        made, made_growing, (made_wide,) = (
            tuple(make_film(film, folder).read_bytes() for film in each) for each in (films, growing, (wide,))
        )
        damaged = zeroed(replace(own, name="damaged.mp4"), 300, 301, 302, stream="a:0")(folder).read_bytes()
        return cls((*made, damaged), made_growing, made_wide)
