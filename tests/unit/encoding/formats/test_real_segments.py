"""Segments that the real ffmpeg wrote in independent chunks are parsed correctly, and the manifest matches them."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest

from functions.encoding.formats.segments import InitInfo, SegmentInfo, read_init, read_segment
from functions.encoding.frame_grid import FrameGrid
from functions.encoding.model import AAC_FRAME_SAMPLES
from tests.support.titles import TINY_RENDITIONS, make_tiny_title

if TYPE_CHECKING:
    from pathlib import Path

GRIDS = [FrameGrid(Fraction(24), 315), FrameGrid(Fraction(30_000, 1001), 390)]


@pytest.fixture(scope="module", params=GRIDS, ids=lambda grid: f"{grid.rate} fps".replace("/", ":"))
def title(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[FrameGrid, Path]:
    """Return the grid and the folder of a title of 13 seconds in two chunks."""
    folder = tmp_path_factory.mktemp("title")
    make_tiny_title(folder, request.param, segments_a_chunk=2)
    return request.param, folder


def read_track(folder: Path, init_name: str) -> tuple[InitInfo, list[SegmentInfo]]:
    init = read_init(folder / init_name)
    return init, [read_segment(path, init) for path in sorted(folder.glob("s*.m4s"))]


def test_every_rung_holds_every_frame_of_the_grid_once(title: tuple[FrameGrid, Path]) -> None:
    grid, folder = title
    for rung in TINY_RENDITIONS:
        init, segments = read_track(folder / rung.name, "init-0.mp4")
        assert (init.kind, init.timescale) == ("video", grid.timescale)
        assert (init.width, init.height) == (rung.width, rung.height)
        assert len(segments) == grid.segments == 4
        for number, segment in enumerate(segments):
            first_frame = number * grid.gop
            assert segment.samples == min(grid.gop, grid.frames - first_frame)
            assert segment.start == segment.shown_at == first_frame * grid.frame_ticks
            assert segment.duration == segment.samples * grid.frame_ticks
            assert segment.starts_with_sync
        assert segments[-1].end == grid.frames * grid.frame_ticks


def test_chunks_share_one_init_segment(title: tuple[FrameGrid, Path]) -> None:
    _, folder = title
    for rung in TINY_RENDITIONS:
        assert (folder / rung.name / "init-0.mp4").read_bytes() == (folder / rung.name / "init-1.mp4").read_bytes()


def test_sound_joins_without_a_gap_and_begins_with_its_priming(title: tuple[FrameGrid, Path]) -> None:
    grid, folder = title
    init, segments = read_track(folder / "a0", "init.mp4")
    assert (init.kind, init.codec, init.timescale) == ("audio", "mp4a.40.2", 48_000)
    assert (init.channels, init.sample_rate, init.edit_start) == (2, 48_000, AAC_FRAME_SAMPLES)
    assert (segments[0].start, segments[0].shown_at) == (0, -AAC_FRAME_SAMPLES)
    assert all(before.end == after.start for before, after in pairwise(segments))
    planned = grid.seconds(grid.frames) * init.timescale
    assert 0 <= segments[-1].end - AAC_FRAME_SAMPLES - planned < 2 * AAC_FRAME_SAMPLES
