"""Creating the artwork of a title from posters, backdrops and stills.

Every source is decoded and encoded again, so bytes from outside are never served.
"""

from __future__ import annotations

import io
import warnings

from PIL import Image, ImageEnhance, ImageFilter, ImageOps, UnidentifiedImageError

from functions.catalogue.artwork import AVIF_WIDTHS, SLOTS, ArtworkOrigin, ArtworkPicture

MAX_PIXELS = 50_000_000
FORMATS = ("JPEG", "PNG", "WEBP")
JPEG_QUALITY = 82
AVIF_QUALITY = 58
AVIF_SPEED = 9
"""The speed of libaom, from 0 to 10. The pictures made from one frame of a film take 0.3 CPU-seconds; at speed 7, they
take 1.4 or more.

Compared with speed 7, a backdrop of 1920 x 1080 has the same quality and size (40.4 dB in 76 kB, at speed 7 40.0 dB in
79 kB); a card loses 0.5 dB.
"""


class BrokenPicture(Exception):
    """The bytes are not a usable picture; the message says why."""


def pictures_from_poster(data: bytes, origin: ArtworkOrigin) -> tuple[ArtworkPicture, ...]:
    """Return a poster, and a card with the whole poster over a blurred copy of itself. Raises BrokenPicture."""
    image = _decoded(data)
    return (
        _finished("poster", origin, _cropped(image, "poster")),
        _finished("card", ArtworkOrigin.POSTER_FILLED, _filled(image, "card")),
    )


def pictures_from_backdrop(data: bytes) -> tuple[ArtworkPicture, ...]:
    """Return a backdrop and a card, and a poster cropped from the middle. Raises BrokenPicture."""
    image = _decoded(data)
    return (
        _finished("backdrop", ArtworkOrigin.SIDECAR, _cropped(image, "backdrop")),
        _finished("card", ArtworkOrigin.SIDECAR, _cropped(image, "card")),
        _finished("poster", ArtworkOrigin.BACKDROP_CROPPED, _cropped(image, "poster")),
    )


def pictures_from_frame(data: bytes) -> tuple[ArtworkPicture, ...]:
    """Return all three pictures, cropped from a still of the film. Raises BrokenPicture."""
    image = _decoded(data)
    return tuple(_finished(slot, ArtworkOrigin.FRAME, _cropped(image, slot)) for slot in SLOTS)


def _decoded(data: bytes) -> Image.Image:
    """Return the upright RGB picture in `data`; its size is checked before any pixel is decoded."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            image = Image.open(io.BytesIO(data), formats=FORMATS)
            if image.width * image.height > MAX_PIXELS:
                raise BrokenPicture(f"{image.width} x {image.height} pixels are too many.")
            image.draft("RGB", (2 * 1920, 2 * 1080))
            return ImageOps.exif_transpose(image).convert("RGB")
    except BrokenPicture:
        raise
    except UnidentifiedImageError as error:  # Pillow's message contains the memory address of an object
        raise BrokenPicture("it is not a JPEG, PNG or WebP picture.") from error
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:  # Pillow's errors for bad data
        raise BrokenPicture("the picture is damaged or incomplete.") from error


def _cropped(image: Image.Image, slot: str) -> Image.Image:
    """Return the middle of `image`, scaled to fill the slot."""
    return ImageOps.fit(image, SLOTS[slot], Image.Resampling.LANCZOS)


def _filled(image: Image.Image, slot: str) -> Image.Image:
    """Return all of `image` fitted into the slot, over a dark blurred copy of itself."""
    size = SLOTS[slot]
    ground = ImageOps.fit(image, (size[0] // 4, size[1] // 4)).filter(ImageFilter.GaussianBlur(6)).resize(size)
    ground = ImageEnhance.Brightness(ground).enhance(0.55)
    whole = ImageOps.contain(image, size, Image.Resampling.LANCZOS)
    ground.paste(whole, ((size[0] - whole.width) // 2, (size[1] - whole.height) // 2))
    return ground


def _finished(slot: str, origin: ArtworkOrigin, image: Image.Image) -> ArtworkPicture:
    """Return a picture of the slot's size as JPEG, and as AVIF in each of the slot's widths."""
    jpeg = _encoded(image, "JPEG", quality=JPEG_QUALITY, progressive=True, optimize=True)
    avif = {
        width: _encoded(_scaled(image, width), "AVIF", quality=AVIF_QUALITY, speed=AVIF_SPEED)
        for width in AVIF_WIDTHS[slot]
    }
    return ArtworkPicture(slot, origin, jpeg, avif)


def _scaled(image: Image.Image, width: int) -> Image.Image:
    height = round(image.height * width / image.width)
    return image if width == image.width else image.resize((width, height), Image.Resampling.LANCZOS)


def _encoded(image: Image.Image, kind: str, **options: int | bool) -> bytes:
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()
