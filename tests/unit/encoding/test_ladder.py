"""Each source gets rungs in its aspect ratio, none larger than the source, and chunks that cover each frame once."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from functions.encoding.frame_grid import SEGMENT_S, FrameGrid
from functions.encoding.frame_rates import STANDARD_RATES
from functions.encoding.ladder import CHUNK_SEGMENTS, SHORT_SEGMENTS, chunks_for, renditions_for

GRIDS = st.builds(FrameGrid, st.sampled_from(STANDARD_RATES), st.integers(1, 60 * 3600 * 8))


@pytest.mark.parametrize(
    ("source", "sizes"),
    [
        ((1920, 1080), ["1920x1080", "1280x720", "960x540", "640x360", "416x234"]),
        ((3840, 2160), ["1920x1080", "1280x720", "960x540", "640x360", "416x234"]),
        ((1280, 720), ["1280x720", "960x540", "640x360", "416x234"]),
        ((1920, 804), ["1920x804", "1280x536", "960x402", "640x268", "416x174"]),
        ((3840, 1608), ["1920x804", "1280x536", "960x402", "640x268", "416x174"]),
        ((1440, 1080), ["1440x1080", "960x720", "720x540", "480x360", "312x234"]),
        ((1080, 1920), ["1080x1920", "720x1280", "540x960", "360x640", "234x416"]),
        ((1000, 1000), ["720x720", "540x540", "360x360", "234x234"]),
        ((320, 180), ["320x180"]),
        ((99, 75), ["100x76"]),
        ((641, 361), ["640x360", "416x234"]),
        ((2, 2), ["2x2"]),
        ((1, 1), ["2x2"]),
        ((8192, 100), ["1920x24", "1280x16", "960x12", "640x8", "416x6"]),
    ],
)
def test_source_gets_the_rungs_at_or_below_its_size(source: tuple[int, int], sizes: list[str]) -> None:
    assert [f"{r.width}x{r.height}" for r in renditions_for(*source)] == sizes


def test_rungs_are_named_by_their_lines_whatever_the_shape_of_the_film() -> None:
    names = ["v1080", "v720", "v540", "v360", "v234"]
    assert [r.name for r in renditions_for(1920, 804)] == names
    assert [r.name for r in renditions_for(1080, 1920)] == names
    assert [r.name for r in renditions_for(320, 180)] == ["v180"]


@settings(deadline=None)
@given(st.integers(1, 8192), st.integers(1, 4320))
def test_rungs_are_even_and_fall_in_size_and_none_enlarges_the_source(width: int, height: int) -> None:
    rungs = renditions_for(width, height)
    assert len({rung.name for rung in rungs}) == len(rungs) >= 1
    for rung in rungs:
        assert rung.width % 2 == rung.height % 2 == 0
        assert rung.width <= width + 1
        assert rung.height <= height + 1
    for larger, smaller in pairwise(rungs):
        assert larger.width * larger.height > smaller.width * smaller.height
        assert larger.maxrate_kbps > smaller.maxrate_kbps


@settings(deadline=None)
@given(st.integers(400, 4096), st.integers(400, 4096))
def test_rungs_keep_the_shape_to_the_nearest_even_pixel(width: int, height: int) -> None:
    for rung in renditions_for(width, height):
        assert min(abs(rung.width - rung.height * width / height), abs(rung.height - rung.width * height / width)) <= 2


@settings(deadline=None)
@given(GRIDS)
def test_chunks_cover_every_frame_once_in_order(grid: FrameGrid) -> None:
    chunks = chunks_for(grid)
    assert chunks[0].first_frame == chunks[0].first_segment == 0
    assert chunks[-1].end_frame == grid.frames
    assert [chunk.index for chunk in chunks] == list(range(len(chunks)))
    for early, late in pairwise(chunks):
        assert early.end_frame == late.first_frame
        assert early.first_segment + early.segments == late.first_segment
    assert sum(chunk.segments for chunk in chunks) == grid.segments


@settings(deadline=None)
@given(GRIDS)
def test_chunks_are_whole_segments_and_only_the_film_may_end_in_a_short_one(grid: FrameGrid) -> None:
    for chunk in chunks_for(grid):
        assert chunk.first_frame == chunk.first_segment * grid.gop
        frames = chunk.end_frame - chunk.first_frame
        if chunk.end_frame < grid.frames:
            assert frames == chunk.segments * grid.gop
        else:
            assert (chunk.segments - 1) * grid.gop < frames <= chunk.segments * grid.gop


@settings(deadline=None)
@given(GRIDS)
def test_no_chunk_is_long_and_the_work_is_even(grid: FrameGrid) -> None:
    lengths = [chunk.segments for chunk in chunks_for(grid)]
    assert max(lengths) <= CHUNK_SEGMENTS
    rest = lengths[1:] or lengths
    assert max(rest) - min(rest) <= 1


@given(GRIDS)
def test_first_chunk_is_short_because_other_films_wait_for_it(grid: FrameGrid) -> None:
    first = chunks_for(grid)[0].segments
    assert first == (grid.segments if grid.segments <= SHORT_SEGMENTS else 1)


@pytest.mark.parametrize("rate", STANDARD_RATES)
def test_grid_has_whole_ticks_and_segments_of_about_the_nominal_length(rate: Fraction) -> None:
    grid = FrameGrid(rate, 1000)
    assert Fraction(grid.frame_ticks, grid.timescale) == 1 / rate
    assert abs(grid.seconds(grid.gop) - SEGMENT_S) <= 1 / (2 * rate)
