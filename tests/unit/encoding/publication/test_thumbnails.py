"""The seek bar finds one thumbnail per segment, in the strip of the chunk that contains the segment."""

from __future__ import annotations

import re
from fractions import Fraction

import pytest

from functions.encoding.ladder import renditions_for
from functions.encoding.publication.presentation import video_segments
from functions.encoding.publication.thumbnails import thumbnail_height, write_thumbnails
from tests.support.encoding_plans import make_plan
from tests.support.presentations import make_presentation

CUE = re.compile(r"^(\S+) --> (\S+)\nthumbnails/c(\d{5})\.jpg#xywh=(\d+),0,160,(\d+)\n$", re.MULTILINE)


def cues(frames: int, rate: Fraction, *, tail: int | None = None) -> list[tuple[str, ...]]:
    plan = make_plan(frames=frames, rate=rate)
    total = tail or frames
    segments = video_segments(plan.grid, -(-total // plan.grid.gop), total_frames=total)
    shown = make_presentation(durations=segments.durations, timescale=segments.timescale, rate=rate, audio=())
    text = write_thumbnails(plan, shown)
    assert text.startswith("WEBVTT\n\n")
    return CUE.findall(text)


def test_every_segment_has_its_cue_in_the_strip_of_its_chunk() -> None:
    found = cues(1000, Fraction(24))
    assert [(int(chunk), int(left)) for _, _, chunk, left, _ in found] == [
        (0, 0),
        *((1, at * 160) for at in range(3)),
        *((2, at * 160) for at in range(4)),
        *((3, at * 160) for at in range(3)),
    ]
    assert found[0][:2] == ("00:00:00.000", "00:00:04.000")
    assert found[-1][:2] == ("00:00:40.000", "00:00:41.667")
    assert [begin for begin, *_ in found[1:]] == [end for _, end, *_ in found[:-1]]


def test_hours_and_rates_that_are_no_whole_number_are_told_to_the_millisecond() -> None:
    found = cues(120 * 1000, Fraction(30_000, 1001))
    assert found[1][0] == "00:00:04.004"
    assert found[-1][:2] == ("01:06:39.996", "01:06:44.000")


def test_segment_that_the_film_had_beyond_its_plan_belongs_to_the_last_chunk() -> None:
    found = cues(96 * 4, Fraction(24), tail=96 * 4 + 5)
    assert (found[-1][2], found[-1][3]) == ("00001", "480")  # the fourth thumbnail of its strip


@pytest.mark.parametrize(
    ("size", "height"), [((1920, 1080), 90), ((1920, 804), 66), ((1080, 1920), 284), ((2, 2), 160)]
)
def test_height_is_that_which_ffmpeg_gives_a_picture_of_that_shape(size: tuple[int, int], height: int) -> None:
    plan = make_plan(renditions=renditions_for(*size))
    assert thumbnail_height(plan) == height
