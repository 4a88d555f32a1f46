"""The rule that decides whether a source's own pictures are used, and how its key frames become segments."""

from __future__ import annotations

from array import array
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any, cast

import pytest

from functions.encoding.copying.passthrough import (
    LARGEST_SEGMENT,
    CopyLimits,
    Unsuitable,
    copy_of_picture,
    segment_samples,
)
from functions.encoding.formats.h264 import MalformedStream, read_configuration, read_sequence, units_of
from functions.encoding.formats.iso_bmff import IsoBox
from functions.encoding.formats.mp4_index import Edit, IndexedTrack
from functions.encoding.frame_grid import FrameGrid
from functions.encoding.ladder import chunks_for
from functions.encoding.model import SourceRef
from functions.encoding.picture_plan import PicturePlan
from functions.encoding.planning.own_pictures import own_pictures
from functions.encoding.planning.probe import ProbedSource
from tests.support.boxes import box
from tests.support.encoding_plans import make_job

FULL_HD = bytes.fromhex("67640028acd940780227e5c044000003000400000300c83c60c658")
"""The sequence parameters that x264 writes for 1920x1080 at 25 frames a second, High profile, level 4.0."""

PICTURE_SET = bytes.fromhex("68ebe3cb22c0")


def make_track(
    keys: tuple[int, ...] | None = (0, 100, 200),
    *,
    frames: int = 300,
    sequence: bytes = FULL_HD,
    shown: list[int] | None = None,
    size: int = 20_000,
    ratio: bytes = b"",
    **changes: Any,
) -> IndexedTrack:
    """Return a track of 25 pictures a second, with key frames at these numbers."""
    record = b"\x01" + sequence[1:4] + b"\xff\xe1"
    record += len(sequence).to_bytes(2) + sequence + b"\x01" + len(PICTURE_SET).to_bytes(2) + PICTURE_SET
    entry = IsoBox(Path("film.mp4"), "avc1", bytes(78) + box("avcC", record) + ratio)
    times = array("q", range(0, frames * 1000, 1000))
    track = IndexedTrack(
        kind="vide",
        timescale=25_000,
        language="",
        title="",
        upright=True,
        edits=(),
        format="avc1",
        entry=entry,
        descriptions=1,
        decoded_at=times,
        shown_at=array("q", shown) if shown else times,
        sizes=array("I", [size]) * frames,
        positions=array("Q", range(0, frames * size, size)),
        keys=keys,
        end=frames * 1000,
    )
    return replace(track, **changes)


def copied(track: IndexedTrack, percent: int = 150) -> FrameGrid:
    """Return the grid of a track's copied pictures."""
    return copy_of_picture(track, rate=None, limits=CopyLimits(percent)).grid


def test_segments_begin_at_key_frames() -> None:
    copy = copy_of_picture(make_track(), rate=None, limits=CopyLimits(150))
    assert copy.grid == FrameGrid(Fraction(25), 300, (0, 100, 200))
    assert (copy.copied.rendition.name, copy.copied.rendition.width) == ("c1080", 1920)
    assert copy.copied.replaces
    assert copy.copied.replaces.name == "v1080"
    assert [rendition.name for rendition in copy.encoded] == ["v720", "v540", "v360", "v234"]
    assert copy.sentence == "The film's own pictures are used for 1080p."


@pytest.mark.parametrize(
    ("keys", "frames", "cuts"),
    [
        ((0, 10, 20, 90, 95, 200, 500), 520, (0, 90, 200, 500)),
        ((0, 250), 260, (0,)),
        ((0, 60, 310), 500, (0, 60, 310)),
        ((0, 300), 600, (0, 300)),
        (None, 300, (0, 87, 174)),
    ],
    ids=["close ones are skipped", "short rest is joined", "short segment", "twelve seconds", "all are key frames"],
)
def test_segments_last_from_two_to_twelve_seconds(
    keys: tuple[int, ...] | None, frames: int, cuts: tuple[int, ...]
) -> None:
    grid = copied(make_track(keys, frames=frames))
    assert grid.cuts == cuts
    assert grid.segments == len(cuts)
    assert sum(grid.lengths(0, grid.segments)) == frames == grid.first_frame(grid.segments)
    assert max(grid.lengths(0, grid.segments)) == grid.longest <= 12 * 25


def test_segment_that_does_not_fit_into_memory_is_not_copied() -> None:
    sizes = array("I", [LARGEST_SEGMENT, *[2_000] * 2999])
    track = make_track(tuple(range(0, 3000, 100)), frames=3000, sizes=sizes)
    with pytest.raises(Unsuitable, match="a part of them is too large"):
        copied(track, percent=100_000)


def test_film_that_took_the_place_of_the_planned_one_is_noticed() -> None:
    grid = copied(make_track((0, 100, 200)))
    assert segment_samples(make_track((0, 50, 100, 200)), grid) == [0, 100, 200, 300]
    with pytest.raises(Unsuitable, match="not where they were"):
        segment_samples(make_track((0, 90, 180)), grid)


def test_chunks_begin_where_segments_begin() -> None:
    keys = tuple(range(0, 250 * 60, 97))
    grid = copied(make_track(keys, frames=250 * 60, size=9_000))
    chunks = chunks_for(grid)
    assert chunks[0].segments == 1
    assert [chunk.first_frame for chunk in chunks[1:]] == [chunk.end_frame for chunk in chunks[:-1]]
    assert (chunks[0].first_frame, chunks[-1].end_frame) == (0, grid.frames)
    assert all(grid.first_frame(chunk.first_segment) == chunk.first_frame for chunk in chunks)
    assert sum(chunk.segments for chunk in chunks) == grid.segments
    assert max(chunk.end_frame - chunk.first_frame for chunk in chunks) <= 2 * 28 * 25


def _leading(frames: int, key: int) -> list[int]:
    """Return times at which two pictures after a key frame are shown before it, as in an open group."""
    times = [number * 1000 for number in range(frames)]
    times[key : key + 3] = [times[key + 2], times[key], times[key + 1]]
    return times


@pytest.mark.parametrize(
    ("track", "reason"),
    [
        (make_track((0, 301), frames=600), "their key frames are 12.0 s apart"),
        (make_track((0, 200, 400), frames=600, shown=_leading(600, 200)), "their groups of pictures are open"),
        (make_track((1, 100)), "the first of them is not a key frame"),
        (make_track(shown=[0, 0, *range(2000, 300_000, 1000)]), "several of them have the same time"),
        (make_track(shown=[*range(0, 100_000, 1000), *range(200_000, 400_000, 1000)]), "more than 1 s"),
        (make_track(size=40_000), "their bitrate is 8.0 Mbit/s, more than the 7.5 Mbit/s"),
        (make_track(upright=False), "rotated"),
        (make_track(ratio=box("pasp", b"\0\0\0\x04\0\0\0\x03")), "not square"),
        (make_track(format="hvc1"), "not all H.264"),
        (make_track(descriptions=2), "not all H.264"),
        (make_track(edits=(Edit(Fraction(5), 50_000),)), "leaves out the first"),
        (make_track(edits=(Edit(Fraction(5), 0),)), "leaves out the last"),
        (make_track(edits=(Edit(Fraction(5), 0), Edit(Fraction(5), 50_000))), "rearranges"),
        (make_track(sequence=FULL_HD[:3] + b"\x33" + FULL_HD[4:]), "level is 5.1"),
        (make_track(sequence=FULL_HD[:1] + b"\x42\x00" + FULL_HD[3:]), "profile"),
        (make_track(sequence=FULL_HD[:6]), "damaged"),
    ],
)
def test_reason_is_said(track: IndexedTrack, reason: str) -> None:
    with pytest.raises(Unsuitable) as error:
        copied(track)
    assert reason in error.value.sentence


def test_setting_bounds_the_bitrate_and_switches_it_off() -> None:
    large = make_track(size=40_000)
    assert copied(large, percent=160)
    with pytest.raises(Unsuitable, match="PASSTHROUGH_PERCENT is 0"):
        copied(make_track(), percent=0)


def test_pictures_of_a_higher_bitrate_are_shown_until_all_renditions_are_encoded() -> None:
    """8 Mbit/s are more than 150 %, and 12 Mbit/s more than 200 %, of the 5 Mbit/s of the best rendition."""
    copy = copy_of_picture(make_track(size=40_000), rate=None, limits=CopyLimits(150, 200))
    assert copy.copied.is_provisional
    assert copy.copied.rendition.name == "c1080"
    assert [rendition.name for rendition in copy.encoded] == ["v1080", "v720", "v540", "v360", "v234"]
    assert copy.grid == copied(make_track()), "all renditions begin segments at the same key frames"
    assert copy.sentence == "The film's own pictures, at 8.0 Mbit/s, are shown until it is encoded."
    assert not copy_of_picture(make_track(), rate=None, limits=CopyLimits(150, 200)).copied.is_provisional
    with pytest.raises(Unsuitable, match=r"12\.0 Mbit/s, more than the 10\.0 Mbit/s that PROVISIONAL_PERCENT allows"):
        copy_of_picture(make_track(size=60_000), rate=None, limits=CopyLimits(150, 200))


@pytest.mark.parametrize(
    ("limits", "most", "setting"),
    [
        (CopyLimits(150, 400), 400, "PROVISIONAL_PERCENT"),
        (CopyLimits(150, 0), 150, "PASSTHROUGH_PERCENT"),
        (CopyLimits(150, 100), 150, "PASSTHROUGH_PERCENT"),
        (CopyLimits(0, 400), 0, "PROVISIONAL_PERCENT"),
    ],
)
def test_higher_limit_is_named(limits: CopyLimits, most: int, setting: str) -> None:
    assert limits.most == most
    if most:
        assert limits.setting == setting


def test_edit_list_that_only_delays_moves_the_start() -> None:
    delayed = make_track(edits=(Edit(Fraction(5), -1), Edit(Fraction(12), 0)))
    assert copy_of_picture(delayed, rate=None, limits=CopyLimits(150)).copied.start == 5


def test_sequence_parameters_are_read() -> None:
    coded = read_sequence(FULL_HD)
    assert (coded.profile, coded.level, coded.width, coded.height) == (100, 40, 1920, 1080)
    assert (coded.chroma, coded.bit_depth, coded.progressive, coded.square) == (1, 8, True, True)


@pytest.mark.parametrize("record", [b"", b"\x01" * 6, b"\x01dd\x28\xff\xe1\0\x20ab"])
def test_damaged_configuration_is_refused(record: bytes) -> None:
    with pytest.raises(MalformedStream):
        read_configuration(record)


def test_units_must_fill_a_picture() -> None:
    assert units_of(b"\0\0\0\x02ab\0\0\0\x01c", 4) == [b"ab", b"c"]
    for damaged in (b"\0\0\0\0", b"\0\0\0\x05ab", b"\0\0\0\x02abc"):
        with pytest.raises(MalformedStream):
            units_of(damaged, 4)


def test_pictures_that_are_too_large_are_refused_before_the_file_is_read() -> None:
    """The index of a Matroska file is found by reading all of it: many gigabytes of a film in 4K."""
    picture = PicturePlan(0, "h264", Fraction(0), variable_rate=False, deinterlace=False, tone_map=False)
    grid = FrameGrid(Fraction(24), 24 * 14_400)
    source = ProbedSource("matroska,webm", 14_400.0, True, 3840, 2160, grid, 0, "", picture, (), ())
    nothing_is_read = cast("Any", None)
    with pytest.raises(Unsuitable, match="larger than 1080p"):
        own_pictures(nothing_is_read, make_job(), SourceRef("uploads", "film.mkv"), source, limits=CopyLimits(150))
