"""Films whose pictures can be copied, and the part of the API app that publishes their first seconds."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from typing import TYPE_CHECKING

from functions.encoding.copying.instant import InstantFront
from functions.encoding.copying.passthrough import CopyLimits
from functions.encoding.ffmpeg import FFmpeg
from functions.encoding.formats.mp4_index import read_tracks
from functions.encoding.publication.manifests import ManifestPublisher
from tests.support.media import Film

if TYPE_CHECKING:
    from pathlib import Path

    from functions.encoding.formats.mp4_index import IndexedTrack
    from tests.support.encoder import Encoder

MPD = "{urn:mpeg:dash:schema:mpd:2011}"
SIZE = {"width": 360, "height": 360}
"""The smallest size of which a smaller rendition is encoded."""

X264 = ("-c:v", "libx264", "-preset", "veryfast", "-crf", "24", "-pix_fmt", "yuv420p")
LONG = 24 * 26

_CBR = ("-b:v", "2M", "-minrate", "2M", "-maxrate", "2M", "-bufsize", "1M", "-x264-params", "nal-hrd=cbr")
CONSTANT_BITRATE = ("-c:v", "libx264", "-preset", "veryfast", "-pix_fmt", "yuv420p", *_CBR)
"""Options for a film of 2 Mbit/s; most of its bytes are padding."""

LARGE = Film(width=640, height=360, frames=LONG, video=CONSTANT_BITRATE)
"""A film whose bitrate is too high for a permanent rendition of 360 lines."""

PROVISIONAL = r"The film's own pictures, at 2\.\d Mbit/s, are shown until it is encoded\."
"""The sentence about its pictures for the owner, as a regular expression."""


@dataclass(frozen=True)
class Shape:
    """A source whose pictures are copied, the frame rate of its grid, and whether its sound is copied too."""

    film: Film
    rate: Fraction = Fraction(24)
    copies_sound: bool = True


def shape(*video: str, copies_sound: bool = True, **changes: object) -> Shape:
    """Return a source that x264 encoded with these options."""
    film = replace(Film(**SIZE, frames=LONG, video=(*X264, *video)), **changes)  # type: ignore[arg-type]
    return Shape(film, film.rate, copies_sound)


def tracks_of(film: Path) -> tuple[IndexedTrack, ...]:
    """Return the index of a film."""
    content = film.read_bytes()
    return read_tracks(lambda at, length: content[at : at + length], size=len(content), name=film.name)


def damage_pictures(film: Path, *samples: int, place: float = 0.5) -> None:
    """Overwrite some bytes of pictures; `place` is where in each picture, from 0 to 1."""
    content = bytearray(film.read_bytes())
    picture = tracks_of(film)[0]
    for sample in samples:
        begin = picture.positions[sample] + int(picture.sizes[sample] * place)
        content[begin : begin + 40] = bytes(range(40))
    film.write_bytes(content)


def front_of(encoder: Encoder) -> InstantFront:
    """Return the part of the API app that publishes first seconds, with the stores of an encoder."""
    world, work_dir = encoder.world, encoder.settings.work_dir
    ffmpeg = FFmpeg("/nonexistent", "/nonexistent", 100)
    publisher = ManifestPublisher(encoder.media, world.world.catalogue, ffmpeg, work_dir=work_dir, now=world.clock)
    return InstantFront(
        world.jobs,
        encoder.media,
        publisher,
        world.lifecycle,
        limits=CopyLimits(150, 400),
        work_dir=work_dir,
        keys=encoder.keys,
    )
