"""The artwork of a title in the static site: poster, card and backdrop.

A picture is replaced only if the new source is at least as good; the order in which the sources arrive is irrelevant.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING

from functions.catalogue.model import Artwork
from functions.catalogue.site import LONG_CACHE

if TYPE_CHECKING:
    from functions.catalogue.ports import SiteFiles

SLOTS = {"poster": (400, 600), "card": (480, 270), "backdrop": (1920, 1080)}
"""Width and height of each picture, in pixels."""


class ArtworkOrigin(IntEnum):
    """The kind of source that a picture was made from; a higher value is better."""

    POSTER_FILLED = 0
    FRAME = 1
    BACKDROP_CROPPED = 2
    OMDB = 3
    SIDECAR = 4


@dataclass(frozen=True, slots=True)
class ArtworkPicture:
    """A finished JPEG for one slot."""

    slot: str
    origin: ArtworkOrigin
    jpeg: bytes


class ArtworkStore:
    """Stores the pictures in the static site, under art/<title_id>/; the notes of each file record its source."""

    def __init__(self, site: SiteFiles) -> None:
        self._site = site

    def put_artwork(self, title_id: str, picture: ArtworkPicture) -> None:
        """Store a picture unless a better one exists."""
        path = f"art/{title_id}/{picture.slot}.jpg"
        digest = hashlib.sha256(picture.jpeg).hexdigest()[:12]
        notes = {"origin": picture.origin.name, "digest": digest}
        while True:
            there = self._site.find_version(path)
            if there and ArtworkOrigin[there.notes["origin"]] > picture.origin:
                return
            if there and there.notes == notes:
                return
            if self._site.write(path, picture.jpeg, kind="image/jpeg", cache=LONG_CACHE, over=there, notes=notes):
                return

    def find_artwork(self, title_id: str) -> Artwork:
        """Return the addresses of the pictures that currently exist."""
        addresses: dict[str, str | None] = {}
        for slot in SLOTS:
            path = f"art/{title_id}/{slot}.jpg"
            there = self._site.find_version(path)
            addresses[slot] = f"{path}?v={there.notes['digest']}" if there else None
        return Artwork(**addresses)

    def remove_artwork(self, title_id: str) -> None:
        """Delete all pictures of a title."""
        for slot in SLOTS:
            self._site.remove(f"art/{title_id}/{slot}.jpg")
