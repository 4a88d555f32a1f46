"""Matroska is read once from its start; damaged and hostile files are refused without a crash."""

from __future__ import annotations

import struct
from contextlib import suppress
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from functions.encoding.formats import matroska_elements
from functions.encoding.formats.matroska_elements import is_matroska
from functions.encoding.formats.matroska_index import BitrateBound, read_matroska
from functions.encoding.formats.mp4_index import IndexedTrack, NoIndex
from tests.support.ebml import element, number

UNKNOWN = b"\x01" + b"\xff" * 7


def entry(track: int, *more: bytes, kind: int = 1, codec: bytes = b"V_MPEG4/ISO/AVC") -> bytes:
    """Return the description of a track of 640x360."""
    video = element(0xE0, number(0xB0, 640), number(0xBA, 360))
    return element(
        0xAE, number(0xD7, track), number(0x83, kind), element(0x86, codec), element(0x63A2, b"avcC"), video, *more
    )


def block(track: int, at: int, content: bytes, *, flags: int = 0, kind: int = 0xA3) -> bytes:
    """Return a block of a track, `at` after the start of its cluster."""
    return element(kind, bytes([0x80 | track]), struct.pack(">hB", at, flags), content)


def cluster(at: int, *blocks: bytes, length: bytes | None = None) -> bytes:
    """Return a cluster that begins at a time."""
    return element(0x1F43B675, number(0xE7, at), *blocks, length=length)


def film(*parts: bytes, scale: int = 1_000_000, tracks: bytes = entry(1) + entry(2, kind=2, codec=b"A_AAC")) -> bytes:
    """Return a file with a picture track and a sound track."""
    head = element(0x1549A966, number(0x2AD7B1, scale)), element(0x1654AE6B, tracks)
    return element(0x1A45DFA3, element(0x4282, b"matroska")) + element(0x18538067, *head, *parts)


FRAMES = (
    cluster(0, block(1, 0, b"first", flags=0x80), block(2, 5, b"sound"), block(1, 80, b"second")),
    cluster(
        120,
        element(0xA0, block(1, -80, b"third", kind=0xA1), element(0xFB, b"\x01"), length=UNKNOWN),
        element(0xA0, block(1, 0, b"fourth", kind=0xA1)),
        length=UNKNOWN,
    ),
)


def read(content: bytes) -> tuple[IndexedTrack, ...]:
    """Read a file."""
    return read_matroska(lambda at, length: content[at : at + length], size=len(content), name="film.mkv")


def test_times_sizes_and_places_of_pictures() -> None:
    content = film(*FRAMES)
    picture, sound = read(content)
    assert [content[at : at + size] for at, size in zip(picture.positions, picture.sizes, strict=True)] == [
        b"first",
        b"second",
        b"third",
        b"fourth",
    ]
    assert [Fraction(at, picture.timescale) * 1000 for at in picture.shown_at] == [0, 80, 40, 120]
    assert picture.keys == (0, 3)
    assert picture.described_by("avcC", after=78) == b"avcC"
    assert (picture.kind, picture.format, picture.upright) == ("vide", "avc1", True)
    assert (sound.kind, sound.format, len(sound.sizes)) == ("soun", "", 0)


def test_times_follow_the_scale_of_the_file() -> None:
    assert [*read(film(*FRAMES, scale=500_000))[0].shown_at] == [0, 40_000_000, 20_000_000, 60_000_000]


def test_pixels_that_are_not_square_are_described() -> None:
    oblong = element(0xE0, number(0xB0, 720), number(0xBA, 576), number(0x54B0, 1024), number(0x54BA, 576))
    (track,) = read(film(tracks=entry(1, oblong)))
    assert struct.unpack(">II", track.described_by("pasp", after=78) or b"") == (64, 45)


@pytest.mark.parametrize(
    "tracks",
    [
        entry(1, element(0x6D80, b"")),
        entry(1, codec=b"V_MPEGH/ISO/HEVC"),
        entry(1, element(0xE0, number(0x54AA, 8))),
    ],
    ids=["compressed", "another codec", "cropped"],
)
def test_frames_of_other_tracks_are_not_collected(tracks: bytes) -> None:
    (track,) = read(film(*FRAMES, tracks=tracks))
    assert (track.format, len(track.sizes)) == ("", 0)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"\0\0\0\x20ftypisom", "damaged"),
        (b"", "cut off"),
        (film(*FRAMES)[:-3], "cut off"),
        (film(cluster(0, block(1, 0, b"laced", flags=0x84))), "rare form"),
        (film(cluster(0, block(1, 0, b""))), "rare form"),
        (film(*FRAMES) + element(0x18538067), "rare form"),
        (film(element(0xEC, b"void", length=UNKNOWN)), "rare form"),
        (film(cluster(1 << 31, block(1, 0, b"late"))), "damaged"),
        (film(tracks=entry(1) * 200), "too many tracks"),
        (film(*(element(0x1654AE6B, entry(n)) for n in range(3, 200))), "too many tracks"),
        (film(element(0x1654AE6B, bytes((1 << 20) + 1))), "too large"),
    ],
    ids=[
        "no Matroska",
        "empty",
        "cut off",
        "laced",
        "empty frame",
        "two segments",
        "endless",
        "late",
        "tracks",
        "tracks in parts",
        "description",
    ],
)
def test_other_files_are_refused(content: bytes, reason: str) -> None:
    with pytest.raises(NoIndex) as refused:
        read(content)
    assert reason in refused.value.reason


def test_file_of_countless_elements_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("functions.encoding.formats.matroska_index.MOST_ELEMENTS", 1000)
    assert read(film(element(0xEC) * 900))
    with pytest.raises(NoIndex, match="too large"):
        read(film(element(0xEC) * 1000))


@settings(max_examples=300)
@given(noise=st.binary(min_size=1, max_size=8), at=st.integers(0, 600))
def test_damage_anywhere_is_an_answer_and_no_crash(noise: bytes, at: int) -> None:
    content = bytearray(film(*FRAMES))
    content[at : at + len(noise)] = noise
    with suppress(NoIndex):
        for track in read(bytes(content)):
            assert all(
                0 <= begin <= len(content) - size for begin, size in zip(track.positions, track.sizes, strict=True)
            )


def test_files_are_recognised_by_their_first_bytes() -> None:
    assert is_matroska(film()[:4])
    assert not is_matroska(b"\0\0\0\x20")
    assert not is_matroska(b"")


def _streamed(seconds: int, *, picture: int, sound: int) -> bytes:
    """Return a file with a cluster for each second, whose tracks have so many bytes in each of them."""
    return film(
        *(
            cluster(1000 * second, block(1, 0, bytes(picture), flags=0x80), block(2, 0, bytes(sound)))
            for second in range(seconds)
        )
    )


@pytest.mark.parametrize("sound", [100, 9_000])
@pytest.mark.parametrize("over", [0.7, 0.95, 1.05, 1.2, 2])
def test_pictures_of_too_high_a_bitrate_are_refused(over: float, sound: int) -> None:
    content = _streamed(60, picture=10_000, sound=sound)
    bound = BitrateBound(int(80_000 / over), Fraction(60), "PASSTHROUGH_PERCENT")
    if over < 1:
        assert read_bounded(content, bound)[0][0].positions
        return
    with pytest.raises(NoIndex, match=r"they have more than the 0\.\d Mbit/s that PASSTHROUGH_PERCENT allows"):
        read_bounded(content, bound)


def test_a_much_too_high_bitrate_is_recognised_in_the_first_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sound does not count as pictures, even if it is as large."""
    monkeypatch.setattr(matroska_elements, "READ_AT_ONCE", 16_384)
    content = _streamed(600, picture=10_000, sound=10_000)
    seen: list[int] = []
    with pytest.raises(NoIndex):
        read_bounded(content, BitrateBound(40_000, Fraction(600), "PASSTHROUGH_PERCENT"), seen)
    assert max(seen) < 10 * 20_000
    seen.clear()
    read_bounded(content, BitrateBound(85_000, Fraction(600), "PASSTHROUGH_PERCENT"), seen)
    assert max(seen) > 590 * 20_000, "the pictures may be used, so all of them are read"


def read_bounded(
    content: bytes, bound: BitrateBound, seen: list[int] | None = None
) -> tuple[tuple[IndexedTrack, ...], list[int]]:
    """Read a file with a bound; add the ends of the ranges that are read to `seen`."""
    ends = [] if seen is None else seen

    def read_range(at: int, length: int) -> bytes:
        ends.append(at + length)
        return content[at : at + length]

    return read_matroska(read_range, size=len(content), name="film.mkv", bound=bound), ends
