"""Artwork is stored in all sizes; the best source wins in any order of arrival; invalid images are refused."""

from __future__ import annotations

import io
import re
import struct
import zlib
from itertools import permutations

import pytest
from PIL import Image

from functions.catalogue.artwork import SLOTS, ArtworkOrigin, ArtworkPicture, ArtworkStore, avif_sources
from functions.catalogue.pictures import (
    BrokenPicture,
    pictures_from_backdrop,
    pictures_from_frame,
    pictures_from_poster,
)
from tests.support.catalogue import MemorySite, make_picture


def opened(picture: ArtworkPicture) -> Image.Image:
    return Image.open(io.BytesIO(picture.jpeg))


def at(picture: ArtworkPicture, place: tuple[int, int]) -> tuple[int, ...]:
    """Return the red, green and blue values of a pixel."""
    pixel = opened(picture).getpixel(place)
    assert isinstance(pixel, tuple)
    return pixel


def png_of_declared_size(width: int, height: int) -> bytes:
    """Return a tiny PNG whose header declares a huge size."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")


@pytest.mark.parametrize(("width", "height"), [(1920, 1080), (100, 900), (33, 17), (1, 1), (4000, 2000)])
def test_a_still_of_any_shape_fills_every_slot(width: int, height: int) -> None:
    pictures = {picture.slot: opened(picture) for picture in pictures_from_frame(make_picture(width, height))}
    assert {slot: picture.size for slot, picture in pictures.items()} == SLOTS
    assert all(picture.format == "JPEG" and "progressive" in picture.info for picture in pictures.values())


@pytest.mark.parametrize(
    ("kind", "mode"), [("PNG", "RGBA"), ("PNG", "P"), ("JPEG", "CMYK"), ("WEBP", "RGB"), ("PNG", "L")]
)
def test_every_usual_colour_mode_is_taken(kind: str, mode: str) -> None:
    out = io.BytesIO()
    Image.new(mode, (400, 600)).save(out, kind)
    assert opened(pictures_from_poster(out.getvalue(), ArtworkOrigin.SIDECAR)[0]).mode == "RGB"


def test_a_card_made_of_a_poster_shows_the_whole_poster_in_its_middle() -> None:
    card = pictures_from_poster(make_picture(400, 600, "white"), ArtworkOrigin.OMDB)[1]
    middle, edge = at(card, (240, 5)), at(card, (5, 135))
    assert card.origin is ArtworkOrigin.POSTER_FILLED and min(middle) > 240 and max(edge) < 200


def test_a_rotated_photograph_stands_upright() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # rotated by 90 degrees
    picture = Image.new("RGB", (600, 400), "red")
    picture.paste("blue", (0, 0, 300, 400))
    out = io.BytesIO()
    picture.save(out, "JPEG", exif=exif)
    poster = pictures_from_poster(out.getvalue(), ArtworkOrigin.SIDECAR)[0]
    assert at(poster, (200, 20))[2] > 200 and at(poster, (200, 580))[0] > 200


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"text",
        make_picture()[:400],
        png_of_declared_size(100_000, 100_000),
        png_of_declared_size(9_000, 9_000),
        make_picture(kind="GIF"),
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n",
    ],
    ids=["empty", "text", "cut", "bomb", "large", "gif", "svg", "postscript"],
)
def test_what_is_no_picture_of_ours_is_refused_with_a_sentence(data: bytes) -> None:
    with pytest.raises(BrokenPicture, match=r"\.$"):
        pictures_from_frame(data)


def test_the_better_source_hangs_in_whatever_order_they_come() -> None:
    frame, poster, backdrop = (
        pictures_from_frame(make_picture(colour="red")),
        pictures_from_poster(make_picture(400, 600, "green"), ArtworkOrigin.OMDB),
        pictures_from_backdrop(make_picture(colour="blue")),
    )
    hung = set()
    for order in permutations([frame, poster, backdrop]):
        site = MemorySite()
        for pictures in order:
            for picture in pictures:
                ArtworkStore(site).put_artwork("sintel", picture)
        hung.add(tuple(sorted(site.files.items())))
    assert len(hung) == 1
    shown = {"poster": poster[0], "card": backdrop[1], "backdrop": backdrop[0]}
    wanted = {f"art/sintel/{slot}.jpg": picture.jpeg for slot, picture in shown.items()}
    for slot, picture in shown.items():
        wanted |= {f"art/sintel/{slot}-{width}.avif": avif for width, avif in picture.avif.items()}
    assert dict(hung.pop()) == wanted


def test_a_picture_is_never_covered_by_a_worse_one_that_is_written_at_the_same_moment() -> None:
    frame, poster = (
        ArtworkPicture("poster", ArtworkOrigin.FRAME, b"frame"),
        ArtworkPicture("poster", ArtworkOrigin.SIDECAR, b"poster"),
    )
    site = MemorySite()

    def rival(path: str) -> None:
        site.before_write = lambda path: None
        ArtworkStore(site).put_artwork("sintel", poster)

    site.before_write = rival
    ArtworkStore(site).put_artwork("sintel", frame)
    assert site.files["art/sintel/poster.jpg"] == b"poster"


def addresses_of(address: str | None) -> list[str]:
    """Return the addresses of a picture's files: the JPEG and the AVIF files."""
    assert address
    return [address, *(source.split()[0].lstrip("/") for source in avif_sources(address).split(", ") if source)]


def test_addresses_change_with_their_content_only() -> None:
    site = MemorySite()
    store = ArtworkStore(site)
    assert store.find_artwork("sintel").poster is None
    store.put_artwork("sintel", ArtworkPicture("poster", ArtworkOrigin.OMDB, b"one"))
    first = store.find_artwork("sintel").poster
    store.put_artwork("sintel", ArtworkPicture("poster", ArtworkOrigin.OMDB, b"one"))
    assert store.find_artwork("sintel").poster == first and first and first.startswith("art/sintel/poster.jpg?v=")
    store.put_artwork("sintel", ArtworkPicture("poster", ArtworkOrigin.OMDB, b"two"))
    assert store.find_artwork("sintel").poster != first


def test_a_picture_that_comes_back_is_not_mixed_up_with_the_one_between() -> None:
    """Browsers load the addresses that were published last while files are replaced, and keep what they get."""
    site = MemorySite()
    store = ArtworkStore(site)
    first, second = (
        ArtworkPicture("poster", ArtworkOrigin.SIDECAR, name, {240: name + b" 240", 400: name + b" 400"})
        for name in (b"first", b"second")
    )
    kept: dict[str, set[bytes]] = {}

    def browse(path: str = "") -> None:
        for address, seen in kept.items():
            seen.add(site.files[address.partition("?")[0]])

    site.before_write = browse
    for picture in (first, second, first, second, first):
        store.put_artwork("sintel", picture)
        browse()
        shown = addresses_of(store.find_artwork("sintel").poster)
        kept.update({address: set() for address in shown if address not in kept})
        browse()
        assert [kept[address] for address in shown] == [{data} for data in (picture.jpeg, *picture.avif.values())]


def test_a_picture_that_comes_back_before_the_next_one_is_whole_is_not_mixed_up_either() -> None:
    site = MemorySite()
    store = ArtworkStore(site)
    first, second = (ArtworkPicture("poster", ArtworkOrigin.SIDECAR, name, {400: name}) for name in (b"1", b"2"))
    store.put_artwork("sintel", first)
    before = addresses_of(store.find_artwork("sintel").poster)

    def stop(path: str) -> None:
        if path.endswith(".jpg"):
            raise InterruptedError

    site.before_write = stop
    with pytest.raises(InterruptedError):
        store.put_artwork("sintel", second)
    assert site.files["art/sintel/poster-400.avif"] == second.avif[400]  # a browser may have it under the address
    site.before_write = lambda path: None
    store.put_artwork("sintel", first)
    after = addresses_of(store.find_artwork("sintel").poster)
    assert len(after) == len(before) == 2 and not set(after) & set(before)


def test_each_picture_is_also_stored_as_avif_in_the_widths_that_its_address_names() -> None:
    site = MemorySite()
    store = ArtworkStore(site)
    for picture in pictures_from_backdrop(make_picture(1920, 1080)):
        store.put_artwork("sintel", picture)
    address = store.find_artwork("sintel").card
    assert address
    version = re.fullmatch(r"art/sintel/card\.jpg\?v=([0-9a-f]{12})&avif=320\.480", address)
    assert version
    assert avif_sources(address) == (
        f"/art/sintel/card-320.avif?v={version[1]} 320w, /art/sintel/card-480.avif?v={version[1]} 480w"
    )
    sizes = {path: Image.open(io.BytesIO(data)).size for path, data in site.files.items() if path.endswith(".avif")}
    assert sizes["art/sintel/card-320.avif"] == (320, 180)
    assert sizes["art/sintel/backdrop-1280.avif"] == (1280, 720)
    assert sizes["art/sintel/poster-240.avif"] == (240, 360)
    store.remove_artwork("sintel")
    assert site.files == {}


def test_avif_of_another_picture_is_not_named() -> None:
    """When an older release replaces a picture, the AVIF of the previous picture remains."""
    site = MemorySite()
    store = ArtworkStore(site)
    store.put_artwork("sintel", pictures_from_frame(make_picture())[0])
    store.put_artwork("sintel", ArtworkPicture("poster", ArtworkOrigin.OMDB, b"a jpeg without avif"))
    address = store.find_artwork("sintel").poster
    assert address and "avif" not in address and avif_sources(address) == ""
