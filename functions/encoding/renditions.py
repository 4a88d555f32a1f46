"""The renditions of a title: encoded ones, and what is copied from the source without decoding it."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction  # noqa: TC003 - msgspec reads the annotations when it decodes a stored job

ORIGINAL = "original.mpd"
"""The manifest of the copied pictures alone; a player that began with it reloads it until it is complete."""


@dataclass(frozen=True, slots=True)
class Rendition:
    """A rung of the ladder: `name` is its folder; sizes in pixels, both even; `maxrate_kbps` caps its bitrate.

    `finer` is by how much its constant rate factor is lower, because it is shown in place of larger renditions.
    """

    name: str
    width: int
    height: int
    maxrate_kbps: int
    finer: float = 0.0


@dataclass(frozen=True, slots=True)
class CopiedPicture:
    """The rendition that consists of the pictures of the source, which are copied and not decoded.

    `replaces` is the rung that is not encoded because of this rendition; that rung is encoded after all if the pictures
    cannot be copied. None means that the rendition is published only until the encoded ones are complete. `start` is
    the time of the first frame in the source, in seconds. With `regular`, each picture is moved onto the frame grid.
    With `seekable`, ffmpeg can seek to exactly the key frame of each cut.
    """

    rendition: Rendition
    replaces: Rendition | None
    start: Fraction
    regular: bool
    seekable: bool = False

    @property
    def is_provisional(self) -> bool:
        """Return whether the rendition is published only until the encoded ones are complete."""
        return self.replaces is None


@dataclass(frozen=True, slots=True)
class CopiedSound:
    """How an audio track is copied: `frames` AAC frames from `first` on; the first `priming` samples are before time 0.

    `replaces` is the name of the track that is encoded instead if the sound cannot be copied. `frames` is 0 in plans
    that do not state it.
    """

    first: int
    priming: int
    replaces: str
    frames: int = 0
