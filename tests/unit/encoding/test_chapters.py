"""Chapters of a film, from what ffprobe reports to WebVTT."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import Any

import pytest

from functions.encoding.chapters import MOST_CHAPTERS, Chapter, read_chapters, write_chapters
from tests.support.encoding_plans import make_plan


def reported(*chapters: tuple[str, str | None]) -> list[dict[str, Any]]:
    return [{"start_time": start, "tags": {"title": title} if title else {}} for start, title in chapters]


def titles(*chapters: tuple[str, str | None], **picture: Any) -> list[tuple[float, str]]:
    found = read_chapters(reported(*chapters), make_plan(**picture).picture)
    return [(float(chapter.start), chapter.title) for chapter in found]


def test_chapters_are_moved_with_the_picture() -> None:
    moved = titles(("0.500000", "One"), ("10.540000", "Two"), origin=Fraction(1, 2), shift=Fraction(1, 25))
    assert moved == [(0.0, "One"), (10.0, "Two")]


def test_chapter_without_a_title_is_numbered_and_spaces_are_tidied() -> None:
    assert titles(("0", None), ("5", " The \n storm ")) == [(0.0, "Chapter 1"), (5.0, "The storm")]


@pytest.mark.parametrize("count", [0, 1, MOST_CHAPTERS + 1])
def test_chapters_that_help_nobody_are_left_out(count: int) -> None:
    assert titles(*((str(number), "A") for number in range(count))) == []


def test_chapters_in_any_order_follow_their_times_and_none_is_empty() -> None:
    assert titles(("9", "Last"), ("0", "First"), ("0", "Again")) == [(0.0, "Again"), (9.0, "Last")]


def test_webvtt_covers_the_film_and_shows_titles_literally() -> None:
    chapters = (Chapter(Fraction(0), "<i> & --> x"), Chapter(Fraction(61, 2), "End"), Chapter(Fraction(999), "Beyond"))
    text = write_chapters(replace(make_plan(frames=960), chapters=chapters))
    assert text == (
        "WEBVTT\n\n00:00:00.000 --> 00:00:30.500\n&lt;i&gt; &amp; --&gt; x\n\n00:00:30.500 --> 00:00:40.000\nEnd\n"
    )
