"""Spoken words become cues: short lines, short times, broken where sentences and pauses are."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from functions.encoding.captions.cues import LINE, LINES, LONGEST_S, SpokenWord, cues_of, lines_of, write_captions
from functions.encoding.captions_encode import CaptionCue


def spoken(text: str, *, begin_s: float = 0.0, word_s: float = 0.3) -> list[SpokenWord]:
    """Return the words of a text, said one after the other."""
    words = text.split()
    return [
        SpokenWord(begin_s + number * word_s, begin_s + (number + 1) * word_s, f" {word}")
        for number, word in enumerate(words)
    ]


def test_a_sentence_is_a_cue_and_the_next_one_another() -> None:
    cues = cues_of(spoken("She kept the key in a box. Nobody needed it any more."))
    assert [cue.lines for cue in cues] == [("She kept the key in a box.",), ("Nobody needed it any more.",)]
    assert (cues[0].begin_ms, cues[0].end_ms, cues[1].begin_ms) == (0, 2100, 2100)


def test_short_sentences_share_a_cue() -> None:
    assert [cue.lines for cue in cues_of(spoken("No. I do not."))] == [("No. I do not.",)]


def test_a_long_sentence_is_broken_at_words_and_first_after_a_comma() -> None:
    text = (
        "When the storm came, the fishermen looked for its light, but there was only darkness over the water "
        "and nobody could say where the rocks began"
    )
    cues = cues_of(spoken(text))
    assert " ".join(line for cue in cues for line in cue.lines) == text
    assert cues[0].lines == ("When the storm came,", "the fishermen looked for its light,")
    assert len(cues) == 2


def test_a_pause_ends_a_cue_and_a_cue_does_not_last_longer_than_what_is_said() -> None:
    cues = cues_of([*spoken("I wonder"), *spoken("why.", begin_s=4)])
    assert [cue.lines for cue in cues] == [("I wonder",), ("why.",)]
    assert (cues[0].end_ms, cues[1].begin_ms, cues[1].end_ms) == (833, 4000, 4833)


def test_slow_speech_is_divided_after_seven_seconds() -> None:
    cues = cues_of(spoken("one two three four five six", word_s=2.0))
    assert [cue.lines for cue in cues] == [("one two three",), ("four five six",)]


def test_lines_are_of_similar_length() -> None:
    words = [word.text for word in spoken("the old lighthouse stood at the end of the harbour wall")]
    assert lines_of(words) == ["the old lighthouse stood at", "the end of the harbour wall"]


def test_languages_without_spaces_are_not_given_any() -> None:
    words = [SpokenWord(number / 4, (number + 1) / 4, letter) for number, letter in enumerate("灯台の鍵")]
    assert [cue.lines for cue in cues_of(words)] == [("灯台の鍵",)]


def test_the_file_says_that_it_is_automatic_and_shows_every_character() -> None:
    text = write_captions([CaptionCue(1500, 3_661_002, ("a --> <b>", "& c"))])
    assert text.startswith("WEBVTT\n\nNOTE Made automatically")
    assert text.endswith("\n\n00:00:01.500 --> 01:01:01.002\na --&gt; &lt;b&gt;\n&amp; c\n")


@given(
    st.lists(
        st.tuples(
            st.text("abc.,?!", min_size=1, max_size=60),
            st.floats(-0.2, 9),
            st.floats(0, 20),
            st.sampled_from(["", " "]),
        ),
        max_size=60,
    )
)
def test_whatever_was_heard_no_cue_is_too_long_or_overlaps_another(
    heard: list[tuple[str, float, float, str]],
) -> None:
    words, at = [], 0.0
    for text, pause, lasts, space in heard:
        begin = max(0.0, at + pause)
        at = begin + lasts
        words.append(SpokenWord(begin, at, space + text))
    cues = cues_of(words)
    for cue in cues:
        assert 0 < cue.end_ms - cue.begin_ms <= LONGEST_S * 1000
        assert 1 <= len(cue.lines) <= LINES
        assert all(len(line) <= LINE or " " not in line for line in cue.lines)
    assert all(one.end_ms <= other.begin_ms for one, other in pairwise(cues))
