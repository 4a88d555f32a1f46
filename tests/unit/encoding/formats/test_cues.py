"""Cues with styles and places, and the WebVTT files that they become."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.encoding.formats.cues import (
    LONGEST_CUE,
    MOST_TOGETHER,
    TextCue,
    TextStyle,
    arranged,
    color_class,
    marked_up,
    place_of,
    webvtt_file,
)

PLAIN, ITALIC = TextStyle(), TextStyle(is_italic=True)


@pytest.mark.parametrize(
    ("color", "found"),
    [
        ((255, 255, 255), ""),
        ((128, 128, 128), ""),
        ((0, 0, 0), ""),
        ((60, 0, 0), ""),
        ((255, 0, 0), "red"),
        ((255, 165, 0), "yellow"),
        ((255, 255, 0), "yellow"),
        ((0, 128, 0), "lime"),
        ((0, 255, 255), "cyan"),
        ((0, 0, 255), "cyan"),
        ((255, 0, 255), "magenta"),
        ((255, 0, 40), "red"),
    ],
)
def test_color_has_the_closest_class_that_can_be_read_on_black(color: tuple[int, int, int], found: str) -> None:
    assert color_class(*color) == found


def test_text_is_escaped_and_equal_styles_share_their_tags() -> None:
    runs = [("a & <b> ", PLAIN), ("it", ITALIC), ("\nalso\n", ITALIC), (" \n\n", PLAIN), ("--> c", PLAIN)]
    assert marked_up(runs) == "a &amp; &lt;b&gt; <i>it\nalso\n</i>--&gt; c"
    everything = TextStyle(is_bold=True, is_italic=True, is_underlined=True, color="lime")
    assert marked_up([("x", everything)]) == "<c.lime><b><i><u>x</u></i></b></c>"


@pytest.mark.parametrize("text", ["", " \n\u00a0\n", "\x00\x1c\u2028"])
def test_text_without_a_letter_is_empty(text: str) -> None:
    assert marked_up([(text, ITALIC)]) == ""


def test_cue_that_only_its_styles_make_too_long_has_none() -> None:
    colourful = [("x", PLAIN), ("y", ITALIC)] * (LONGEST_CUE // 2)
    assert marked_up(colourful) == "xy" * (LONGEST_CUE // 2)
    assert marked_up([*colourful, ("z", PLAIN)]) == ""


@pytest.mark.parametrize(
    ("alignment", "place"),
    [
        (1, "align:start"),
        (2, ""),
        (3, "align:end"),
        (4, "line:44% position:5% align:start"),
        (5, "line:44%"),
        (6, "line:44% position:95% align:end"),
        (7, "line:0 position:5% align:start"),
        (8, "line:0"),
        (9, "line:0 position:95% align:end"),
    ],
)
def test_alignment_is_a_line_and_a_side(alignment: int, place: str) -> None:
    assert place_of(alignment, lines=2) == place


@pytest.mark.parametrize(
    ("alignment", "at", "place"),
    [
        (2, (50.0, 95.0), ""),
        (2, (57.0, 93.0), ""),
        (8, (50.0, 3.0), "line:0"),
        (8, (20.0, 40.0), "line:40% position:20% size:40%"),
        (2, (80.0, 46.0), "line:40% position:80% size:40%"),
        (5, (50.0, 53.0), "line:50%"),
        (7, (10.0, 30.0), "line:30% position:10% align:start"),
        (9, (90.0, 30.0), "line:30% position:90% align:end"),
        (7, (-500.0, 4000.0), "line:80% position:0% align:start"),
        (8, (99.0, -1.0), "line:0 position:80% size:40%"),
    ],
)
def test_position_is_kept_within_the_picture_and_above_ordinary_subtitles(
    alignment: int, at: tuple[float, float], place: str
) -> None:
    assert place_of(alignment, lines=1, at=at) == place


def test_equal_texts_whose_times_touch_are_one_cue() -> None:
    frames = [TextCue(40 * number, 40 * number + 40, "SIGN", "line:0") for number in range(1000)]
    other = TextCue(20, 60, "Hello", "")
    assert arranged([*frames, other, other]) == [TextCue(0, 40_000, "SIGN", "line:0"), other]
    again = [TextCue(0, 40, "No."), TextCue(80, 120, "No.")]
    assert arranged(again) == again


def test_texts_at_the_same_place_and_time_share_a_cue() -> None:
    cues = [TextCue(0, 3000, "A", "line:0"), TextCue(1000, 2000, "B", "line:0"), TextCue(1500, 4000, "below")]
    assert arranged(cues) == [
        TextCue(0, 1000, "A", "line:0"),
        TextCue(1000, 2000, "A\nB", "line:0"),
        TextCue(1500, 4000, "below"),
        TextCue(2000, 3000, "A", "line:0"),
    ]


def test_cues_without_a_place_stay_apart_because_players_stack_them() -> None:
    cues = [TextCue(0, 3000, "A"), TextCue(1000, 2000, "B")]
    assert arranged(cues) == cues


@given(
    st.lists(
        st.tuples(st.integers(0, 60), st.integers(1, 30), st.sampled_from("ABCDEFG"), st.sampled_from(("", "line:0"))),
        max_size=30,
    )
)
def test_no_placed_cues_are_shown_at_the_same_time_and_no_text_is_shown_too_long(
    events: list[tuple[int, int, str, str]],
) -> None:
    cues = [TextCue(start, start + lasts, text, place) for start, lasts, text, place in events]
    found = arranged(cues)
    assert [cue.start_ms for cue in found] == sorted(cue.start_ms for cue in found)
    for time in range(91):
        wanted = {(cue.place, cue.text) for cue in cues if cue.start_ms <= time < cue.end_ms}
        shown = [cue for cue in found if cue.start_ms <= time < cue.end_ms]
        lines = [(cue.place, line) for cue in shown for line in cue.text.split("\n")]
        assert len(lines) == len(set(lines)) and set(lines) <= wanted
        assert sum(1 for cue in shown if cue.place) <= 1
        placed = {each for each in wanted if each[0]}
        assert set(lines) - placed == wanted - placed
        if len({cue.text for cue in cues}) <= MOST_TOGETHER:
            assert set(lines) == wanted


def test_file_has_the_settings_after_the_times() -> None:
    file = webvtt_file([TextCue(0, 1500, "Up", "line:0"), TextCue(3_600_000, 3_601_000, "a\nb")])
    assert file == "WEBVTT\n\n00:00:00.000 --> 00:00:01.500 line:0\nUp\n\n01:00:00.000 --> 01:00:01.000\na\nb\n"
