"""The artwork of a title in the static site: poster, card and backdrop.

A picture is replaced only if the new source is at least as good; the order in which the sources arrive is irrelevant.

Beside each JPEG, `art/<title_id>/<slot>.jpg`, the same picture is stored as AVIF in several widths,
`art/<title_id>/<slot>-<width>.avif`. The address of the JPEG names these widths: `…/card.jpg?v=<hash>&avif=320.480`.

The hash is that of the files' ETags, not of their content: an address never returns. Browsers keep for a year what they
get under an address, and while a picture is replaced, they get the next picture under the address of the one before. If
that one returned under the same address, they would still show the other.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from enum import IntEnum
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

from functions.catalogue.model import Artwork
from functions.catalogue.site import LONG_CACHE

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from functions.catalogue.ports import FileVersion, SiteFiles

SLOTS = {"poster": (400, 600), "card": (480, 270), "backdrop": (1920, 1080)}
"""Width and height of each picture, in pixels."""

AVIF_WIDTHS = {"poster": (240, 400), "card": (320, 480), "backdrop": (768, 1280, 1920)}
"""The widths in which each picture is stored as AVIF, in pixels."""


class ArtworkOrigin(IntEnum):
    """The kind of source that a picture was made from; a higher value is better."""

    POSTER_FILLED = 0
    FRAME = 1
    BACKDROP_CROPPED = 2
    OMDB = 3
    SIDECAR = 4


@dataclass(frozen=True, slots=True)
class ArtworkPicture:
    """A finished picture for one slot: a JPEG, and the same picture as AVIF by width."""

    slot: str
    origin: ArtworkOrigin
    jpeg: bytes
    avif: Mapping[int, bytes] = field(default_factory=dict)


class ArtworkStore:
    """Stores the pictures in the static site, under art/<title_id>/; the notes of each file record its source."""

    def __init__(self, site: SiteFiles) -> None:
        self._site = site

    def put_artwork(self, title_id: str, picture: ArtworkPicture) -> None:
        """Store a picture unless a better one exists; the JPEG is stored last: its address names the AVIF files."""
        notes = {"origin": picture.origin.name, "digest": hashlib.sha256(picture.jpeg).hexdigest()[:12]}
        for width, avif in picture.avif.items():
            self._put(_avif_path(title_id, picture.slot, width), avif, "image/avif", notes)
        self._put(_jpeg_path(title_id, picture.slot), picture.jpeg, "image/jpeg", notes)

    def find_artwork(self, title_id: str) -> Artwork:
        """Return the addresses of the pictures that currently exist."""
        return Artwork(**{slot: self._address(title_id, slot) for slot in SLOTS})

    def remove_artwork(self, title_id: str) -> None:
        """Delete all pictures of a title."""
        for slot, widths in AVIF_WIDTHS.items():
            self._site.remove(_jpeg_path(title_id, slot))
            for width in widths:
                self._site.remove(_avif_path(title_id, slot, width))

    def _put(self, path: str, data: bytes, kind: str, notes: Mapping[str, str]) -> None:
        while True:
            there = self._site.find_version(path)
            if there and ArtworkOrigin[there.notes["origin"]] > ArtworkOrigin[notes["origin"]]:
                return
            if there and there.notes == notes:
                return
            if self._site.write(path, data, kind=kind, cache=LONG_CACHE, over=there, notes=notes):
                return

    def _address(self, title_id: str, slot: str) -> str | None:
        """Return the address of a picture; None if there is none."""
        jpeg = self._site.find_version(_jpeg_path(title_id, slot))
        if jpeg is None:
            return None
        avif = dict(self._avif_of(title_id, slot, jpeg.notes["digest"]))
        etags = " ".join(file.etag for file in (jpeg, *avif.values()))
        version = hashlib.sha256(etags.encode()).hexdigest()[:12]
        widths = ".".join(map(str, avif))
        return f"{_jpeg_path(title_id, slot)}?v={version}" + (f"&avif={widths}" if widths else "")

    def _avif_of(self, title_id: str, slot: str, digest: str) -> Iterator[tuple[int, FileVersion]]:
        """Yield the widths in which the picture with this digest is stored as AVIF, and the versions of the files."""
        for width in AVIF_WIDTHS[slot]:
            there = self._site.find_version(_avif_path(title_id, slot, width))
            if there and there.notes["digest"] == digest:
                yield width, there


def avif_sources(address: str) -> str:
    """Return the `srcset` of the AVIF pictures whose widths the address of a JPEG lists; empty if it lists none."""
    parts = urlsplit(address)
    query = parse_qs(parts.query)
    stem, version = parts.path.removesuffix(".jpg"), query.get("v", [""])[0]
    widths = [width for width in query.get("avif", [""])[0].split(".") if width]
    return ", ".join(f"/{stem}-{width}.avif?v={version} {width}w" for width in widths)


def _jpeg_path(title_id: str, slot: str) -> str:
    return f"art/{title_id}/{slot}.jpg"


def _avif_path(title_id: str, slot: str, width: int) -> str:
    return f"art/{title_id}/{slot}-{width}.avif"
