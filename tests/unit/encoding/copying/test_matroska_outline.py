"""The outline of a Matroska file follows from its cues; what is not as they say is never returned as pictures."""

from __future__ import annotations

from contextlib import suppress
from fractions import Fraction
from itertools import pairwise
from types import MappingProxyType
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from functions.encoding.copying.matroska_outline import read_outline
from functions.encoding.formats.mp4_index import IndexedTrack, NoIndex
from tests.support.ebml import element, number
from tests.unit.encoding.formats.test_matroska_index import block, cluster, entry

if TYPE_CHECKING:
    from collections.abc import Mapping

RATE = Fraction(25)
FRAME_MS = 40
GROUP = 5
HEAD = element(0x1549A966, number(0x2AD7B1, 1_000_000)), element(0x1654AE6B, entry(1) + entry(2, kind=2))


def pictures(first: int, count: int = GROUP, *, base: int = 0, order: tuple[int, ...] = ()) -> list[bytes]:
    """Return the blocks of a group of pictures from a frame on, in a cluster that begins at the frame `base`."""
    frames = [first + number for number in (order or range(count))]
    return [
        block(1, (frame - base) * FRAME_MS, b"frame %d" % frame, flags=0x80 if frame == first else 0)
        for frame in frames
    ]


def group(first: int, **changes: tuple[int, ...]) -> bytes:
    """Return a cluster with a group of pictures and some sound."""
    sound = block(2, 0, b"sound")
    key, *others = pictures(first, base=first, **changes)  # type: ignore[arg-type]
    return cluster(first * FRAME_MS, key, sound, *others)


def film(
    clusters: list[bytes],
    cues: list[tuple[int, int]],
    *,
    place: int | None = None,
    late_ms: Mapping[int, int] = MappingProxyType({}),
) -> bytes:
    """Return a file with these clusters; each cue is the frame of a key frame and the number of its cluster.

    `place` replaces the stated position of the cues; `late_ms` says by how much key frames are late.
    """
    seek_size = len(_seek_head(0))
    places = [seek_size + sum(map(len, HEAD))]
    for each in clusters:
        places.append(places[-1] + len(each))
    points = [
        element(
            0xBB,
            number(0xB3, frame * FRAME_MS + late_ms.get(frame, 0)),
            element(0xB7, number(0xF7, 1), number(0xF1, places[at])),
        )
        for frame, at in cues
    ]
    seek_head = _seek_head(places[-1] if place is None else place)
    content = (seek_head, *HEAD, *clusters, element(0x1C53BB6B, *points))
    return element(0x1A45DFA3, element(0x4282, b"matroska")) + element(0x18538067, *content)


def _seek_head(place: int) -> bytes:
    return element(0x114D9B74, element(0x4DBB, element(0x53AB, bytes.fromhex("1c53bb6b")), number(0x53AC, place)))


def outline(content: bytes) -> IndexedTrack:
    """Return the outline of the pictures of a file."""
    tracks = read_outline(
        lambda at, length: content[at : at + length], size=len(content), name="film.mkv", rate=RATE, most_frames=20
    )
    assert [track.kind for track in tracks] == ["vide", "soun"]
    return tracks[0]


def shown(track: IndexedTrack, first: int, end: int) -> list[bytes]:
    """Return the pictures of a part in the order in which they are shown."""
    assert track.read_samples
    part = track.read_samples(first, end)
    return [content for _, content in sorted(zip(part.shown_at, part.contents, strict=True))]


def named(first: int, end: int) -> list[bytes]:
    return [b"frame %d" % frame for frame in range(first, end)]


CLUSTERS = [group(0), group(5, order=(0, 3, 1, 2, 4)), group(10), group(15)]
CUES = [(0, 0), (5, 1), (10, 2), (15, 3)]


def test_pictures_are_estimated_and_read_when_they_are_needed() -> None:
    track = outline(film(CLUSTERS, CUES))
    assert track.keys == (0, 5, 10, 15)
    assert [Fraction(at, track.timescale) for at in track.shown_at] == [frame / RATE for frame in range(20)]
    assert len(track.sizes) == 20
    for first, end in pairwise((0, 5, 10, 15, 20)):
        assert shown(track, first, end) == named(first, end)
    assert shown(track, 5, 20) == named(5, 20)


def test_several_key_frames_may_be_in_one_cluster() -> None:
    both = cluster(0, *pictures(0), block(2, 0, b"sound"), *pictures(5), *pictures(10))
    track = outline(film([both, group(15)], [(0, 0), (5, 0), (10, 0), (15, 1)]))
    assert [shown(track, first, first + 5) for first in (0, 5, 10, 15)] == [
        named(first, first + 5) for first in (0, 5, 10, 15)
    ]


def test_key_frame_may_be_anywhere_in_its_cluster() -> None:
    first = cluster(0, *pictures(0)[:3])
    second = cluster(0, *pictures(0)[3:], *pictures(5))
    track = outline(film([first, second], [(0, 0), (5, 1)]))
    assert shown(track, 0, 5) == named(0, 5)
    assert shown(track, 5, 10) == named(5, 10)


def test_key_frames_without_cues_are_parts_of_the_group_before() -> None:
    track = outline(film(CLUSTERS, [(0, 0), (10, 2)]))
    assert track.keys == (0, 10)
    assert shown(track, 0, 10) == named(0, 10)
    assert shown(track, 10, 20) == named(10, 20)


def test_pictures_of_a_variable_rate_keep_their_times() -> None:
    """The film was joined from two; the second one begins between two frames of the grid."""
    late = [cluster(at * FRAME_MS + 17, *pictures(at, base=at)) for at in (10, 15)]
    content = film([*CLUSTERS[:2], *late], CUES, late_ms={10: 17, 15: 17})
    track = outline(content)
    assert track.keys == (0, 5, 10, 15)
    assert shown(track, 10, 15) == named(10, 15)
    assert track.read_samples
    times = track.read_samples(10, 15).shown_at
    assert [at // 1_000_000 for at in times] == [at * FRAME_MS + 17 for at in range(10, 15)]


def test_missing_pictures_are_missing() -> None:
    gap = cluster(5 * FRAME_MS, *(pictures(5, base=5)[at] for at in (0, 1, 4)))
    track = outline(film([CLUSTERS[0], gap, *CLUSTERS[2:]], CUES))
    assert shown(track, 5, 10) == [b"frame 5", b"frame 6", b"frame 9"]


def test_sound_does_not_count_as_pictures() -> None:
    loud = [cluster(at * FRAME_MS, *pictures(at, base=at), block(2, 0, bytes(5000))) for at in range(0, 20, 5)]
    track = outline(film(loud, CUES))
    assert max(track.sizes) < 100


def _shifted(first: int) -> bytes:
    """Return a group whose pictures, except the key frame, are shown half a frame late."""
    key, *others = pictures(first, base=first)
    late = [block(1, at * FRAME_MS + 20, b"late") for at in range(1, len(others) + 1)]
    return cluster(first * FRAME_MS, key, *late)


LEADING = cluster(10 * FRAME_MS, pictures(10, base=10)[0], block(1, -FRAME_MS, b"frame 9"), *pictures(10, base=10)[1:])
WRONG_PARTS = {
    "open groups": ([CLUSTERS[0], cluster(200, *pictures(5, 4, base=5)), LEADING, CLUSTERS[3]], (10, 15)),
    "varying rate": ([CLUSTERS[0], CLUSTERS[1], _shifted(10), CLUSTERS[3]], (10, 15)),
    "same time twice": (
        [CLUSTERS[0], CLUSTERS[1], cluster(400, *pictures(10, base=10), block(1, 40, b"again")), CLUSTERS[3]],
        (10, 15),
    ),
    "not a key frame": (
        [CLUSTERS[0], CLUSTERS[1], cluster(400, block(1, 0, b"frame 10")), CLUSTERS[3]],
        (10, 15),
    ),
}


@pytest.mark.parametrize("case", WRONG_PARTS)
def test_part_that_is_not_as_its_cues_say_is_not_read(case: str) -> None:
    clusters, (first, end) = WRONG_PARTS[case]
    track = outline(film(clusters, CUES))
    assert track.read_samples
    assert shown(track, 0, 5) == named(0, 5)
    with pytest.raises(NoIndex):
        track.read_samples(first, end)
    with pytest.raises(NoIndex):
        track.read_samples(first + 1, end)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (film(CLUSTERS, []), "its cues do not describe it"),
        (film(CLUSTERS, CUES[1:]), "its cues do not describe it"),
        (film(CLUSTERS, [*CUES[:2], CUES[3], CUES[2]]), "its cues do not describe it"),
        (film(CLUSTERS, [(0, 0), (6, 1), (10, 2), (15, 3)]), "not where its cues say"),
        (film(CLUSTERS, CUES, place=0), "not where they should be"),
        (film(CLUSTERS, CUES, place=1 << 31), "cut off"),
        (film([cluster(0, block(1, 0, b"lost")), *CLUSTERS[1:]], CUES), "not where its cues say"),
        (film([], []), "no pictures"),
        (film([*CLUSTERS, group(20)], [*CUES, (20, 4)]), "too long"),
    ],
    ids=[
        "none",
        "not of the first",
        "not in order",
        "at another time",
        "elsewhere",
        "outside",
        "begins without a key frame",
        "empty",
        "too long",
    ],
)
def test_file_whose_cues_do_not_describe_it_has_no_outline(content: bytes, reason: str) -> None:
    with pytest.raises(NoIndex) as refused:
        outline(content)
    assert reason in refused.value.reason


@settings(max_examples=300)
@given(noise=st.binary(min_size=1, max_size=8), at=st.integers(0, 1600))
def test_damage_anywhere_is_an_answer_and_no_crash(noise: bytes, at: int) -> None:
    content = bytearray(film(CLUSTERS, CUES))
    content[at : at + len(noise)] = noise
    with suppress(NoIndex):
        tracks = read_outline(
            lambda begin, length: bytes(content[begin : begin + length]),
            size=len(content),
            name="film.mkv",
            rate=RATE,
            most_frames=20,
        )
        for track in tracks:
            for first, end in pairwise(track.keys or () if track.read_samples else ()):
                with suppress(NoIndex):
                    assert track.read_samples
                    part = track.read_samples(first, end)
                    assert len(set(part.shown_at)) == len(part.contents)
                    assert all(bytes(content).find(each) > 0 for each in part.contents)
