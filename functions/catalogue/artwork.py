"""Pictures of a title: poster, card and backdrop, made from the best source at hand.

Every source is decoded and encoded anew, so nothing foreign is ever served. A better source replaces a worse picture
and never the other way round, in whatever order they come.
"""

from __future__ import annotations

import hashlib
import io
import warnings
from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING

from PIL import Image, ImageEnhance, ImageFilter, ImageOps, UnidentifiedImageError

from functions.catalogue.model import Artwork
from functions.catalogue.site import LONG_CACHE

if TYPE_CHECKING:
    from functions.catalogue.site import Site

SLOTS = {"poster": (400, 600), "card": (480, 270), "backdrop": (1920, 1080)}
"""Width and height of each picture, in pixels."""

MAX_PIXELS = 50_000_000
FORMATS = ("JPEG", "PNG", "WEBP")
JPEG_QUALITY = 82


class BrokenPicture(Exception):
    """The bytes are no picture that can be used; the message says why."""


class Origin(IntEnum):
    """What a picture was made from; a higher one is the better."""

    POSTER_FILLED = 0
    FRAME = 1
    BACKDROP_CROPPED = 2
    OMDB = 3
    SIDECAR = 4


@dataclass(frozen=True, slots=True)
class Picture:
    """A finished JPEG for one slot."""

    slot: str
    origin: Origin
    jpeg: bytes


def pictures_from_poster(data: bytes, origin: Origin) -> tuple[Picture, ...]:
    """Return the poster, and a card of the whole poster before its own blur; raise BrokenPicture."""
    image = _decoded(data)
    return (
        Picture("poster", origin, _cropped(image, "poster")),
        Picture("card", Origin.POSTER_FILLED, _filled(image, "card")),
    )


def pictures_from_backdrop(data: bytes) -> tuple[Picture, ...]:
    """Return backdrop and card, and a poster cut from the middle; raise BrokenPicture."""
    image = _decoded(data)
    return (
        Picture("backdrop", Origin.SIDECAR, _cropped(image, "backdrop")),
        Picture("card", Origin.SIDECAR, _cropped(image, "card")),
        Picture("poster", Origin.BACKDROP_CROPPED, _cropped(image, "poster")),
    )


def pictures_from_frame(data: bytes) -> tuple[Picture, ...]:
    """Return all three, cut from a still of the film; raise BrokenPicture."""
    image = _decoded(data)
    return tuple(Picture(slot, Origin.FRAME, _cropped(image, slot)) for slot in SLOTS)


class Gallery:
    """The pictures in the static site, under art/<title_id>/; what lies there says what it was made from."""

    def __init__(self, site: Site) -> None:
        self._site = site

    def hang(self, title_id: str, picture: Picture) -> None:
        """Put a picture in its place unless a better one is there."""
        path = f"art/{title_id}/{picture.slot}.jpg"
        digest = hashlib.sha256(picture.jpeg).hexdigest()[:12]
        notes = {"origin": picture.origin.name, "digest": digest}
        while True:
            there = self._site.look(path)
            if there and Origin[there.notes["origin"]] > picture.origin:
                return
            if there and there.notes == notes:
                return
            if self._site.write(path, picture.jpeg, kind="image/jpeg", cache=LONG_CACHE, over=there, notes=notes):
                return

    def artwork(self, title_id: str) -> Artwork:
        """Return the addresses of the pictures that hang there now."""
        addresses: dict[str, str | None] = {}
        for slot in SLOTS:
            path = f"art/{title_id}/{slot}.jpg"
            there = self._site.look(path)
            addresses[slot] = f"{path}?v={there.notes['digest']}" if there else None
        return Artwork(**addresses)

    def clear(self, title_id: str) -> None:
        """Take all pictures of a title down."""
        for slot in SLOTS:
            self._site.remove(f"art/{title_id}/{slot}.jpg")


def _decoded(data: bytes) -> Image.Image:
    """Return the upright RGB picture in `data`; its size is checked before a pixel is decoded."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            image = Image.open(io.BytesIO(data), formats=FORMATS)
            if image.width * image.height > MAX_PIXELS:
                raise BrokenPicture(f"{image.width} x {image.height} pixels are more than can be used.")
            image.draft("RGB", (2 * 1920, 2 * 1080))
            return ImageOps.exif_transpose(image).convert("RGB")
    except BrokenPicture:
        raise
    except UnidentifiedImageError as error:  # its own text holds an object's address
        raise BrokenPicture("it is no JPEG, PNG or WebP picture.") from error
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:  # what Pillow raises for bad data
        raise BrokenPicture("the picture is damaged or incomplete.") from error


def _cropped(image: Image.Image, slot: str) -> bytes:
    """Return the middle of `image`, scaled to fill the slot."""
    return _encoded(ImageOps.fit(image, SLOTS[slot], Image.Resampling.LANCZOS))


def _filled(image: Image.Image, slot: str) -> bytes:
    """Return the whole of `image` in the slot, over a dark blur of itself."""
    size = SLOTS[slot]
    ground = ImageOps.fit(image, (size[0] // 4, size[1] // 4)).filter(ImageFilter.GaussianBlur(6)).resize(size)
    ground = ImageEnhance.Brightness(ground).enhance(0.55)
    whole = ImageOps.contain(image, size, Image.Resampling.LANCZOS)
    ground.paste(whole, ((size[0] - whole.width) // 2, (size[1] - whole.height) // 2))
    return _encoded(ground)


def _encoded(image: Image.Image) -> bytes:
    out = io.BytesIO()
    image.save(out, "JPEG", quality=JPEG_QUALITY, progressive=True, optimize=True)
    return out.getvalue()
