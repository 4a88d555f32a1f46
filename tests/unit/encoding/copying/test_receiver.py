"""What is published of an upload that is still running: no later part of the file changes it."""

from __future__ import annotations

from itertools import accumulate

from hypothesis import assume, given
from hypothesis import strategies as st

from functions.encoding.copying.passthrough import CopyLimits, Unsuitable, copy_of_picture
from functions.encoding.copying.receiver import arrived_segments
from tests.unit.encoding.copying.test_passthrough import make_track

RATE = 25
SIZE = 20_000
EVERYTHING = 1 << 60


@given(st.lists(st.integers(5, 12 * RATE), min_size=6, max_size=60), st.integers(20, 95))
def test_segments_of_a_part_of_a_film_are_those_of_the_whole_film(gaps: list[int], percent: int) -> None:
    keys = tuple(accumulate(gaps, initial=0))
    frames = keys[-1] + RATE
    known = frames * percent // 100
    part = make_track(tuple(key for key in keys if key < known), frames=known)
    try:
        whole_grid, part_grid = (
            copy_of_picture(track, rate=None, limits=CopyLimits(150)).grid
            for track in (make_track(keys, frames=frames), part)
        )
    except Unsuitable:
        assume(False)
    arrived = arrived_segments(part, part_grid, until=EVERYTHING, is_whole=False)
    assert arrived == len([cut for cut in part_grid.cuts if cut + 14 * RATE <= known])
    assert part_grid.cuts[: arrived + 1] == whole_grid.cuts[: arrived + 1]


def test_a_segment_has_arrived_once_its_last_byte_has() -> None:
    track = make_track((0, 100, 200), frames=300, size=SIZE)
    grid = copy_of_picture(track, rate=None, limits=CopyLimits(150)).grid
    bounds = {0: 0, 100 * SIZE - 1: 0, 100 * SIZE: 1, 299 * SIZE: 2, 300 * SIZE: 3}
    assert {until: arrived_segments(track, grid, until=until, is_whole=True) for until in bounds} == bounds
