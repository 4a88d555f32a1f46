"""Creating the artwork of a title from posters, backdrops and stills.

Every source is decoded and encoded again, so bytes from outside are never served.
"""

from __future__ import annotations

import io
import warnings

from PIL import Image, ImageEnhance, ImageFilter, ImageOps, UnidentifiedImageError

from functions.catalogue.artwork import SLOTS, ArtworkOrigin, ArtworkPicture

MAX_PIXELS = 50_000_000
FORMATS = ("JPEG", "PNG", "WEBP")
JPEG_QUALITY = 82


class BrokenPicture(Exception):
    """The bytes are not a usable picture; the message says why."""


def pictures_from_poster(data: bytes, origin: ArtworkOrigin) -> tuple[ArtworkPicture, ...]:
    """Return a poster, and a card with the whole poster over a blurred copy of itself. Raises BrokenPicture."""
    image = _decoded(data)
    return (
        ArtworkPicture("poster", origin, _cropped(image, "poster")),
        ArtworkPicture("card", ArtworkOrigin.POSTER_FILLED, _filled(image, "card")),
    )


def pictures_from_backdrop(data: bytes) -> tuple[ArtworkPicture, ...]:
    """Return a backdrop and a card, and a poster cropped from the middle. Raises BrokenPicture."""
    image = _decoded(data)
    return (
        ArtworkPicture("backdrop", ArtworkOrigin.SIDECAR, _cropped(image, "backdrop")),
        ArtworkPicture("card", ArtworkOrigin.SIDECAR, _cropped(image, "card")),
        ArtworkPicture("poster", ArtworkOrigin.BACKDROP_CROPPED, _cropped(image, "poster")),
    )


def pictures_from_frame(data: bytes) -> tuple[ArtworkPicture, ...]:
    """Return all three pictures, cropped from a still of the film. Raises BrokenPicture."""
    image = _decoded(data)
    return tuple(ArtworkPicture(slot, ArtworkOrigin.FRAME, _cropped(image, slot)) for slot in SLOTS)


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


def _cropped(image: Image.Image, slot: str) -> bytes:
    """Return the middle of `image`, scaled to fill the slot."""
    return _encoded(ImageOps.fit(image, SLOTS[slot], Image.Resampling.LANCZOS))


def _filled(image: Image.Image, slot: str) -> bytes:
    """Return all of `image` fitted into the slot, over a dark blurred copy of itself."""
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
