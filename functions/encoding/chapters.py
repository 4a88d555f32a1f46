"""The chapters of a film: read from its file, and published as WebVTT for the player."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from functions.encoding.formats.webvtt import webvtt_text, webvtt_time

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from functions.encoding.model import EncodePlan
    from functions.encoding.picture_plan import PicturePlan

MOST_CHAPTERS = 200
"""A file with more chapters than this is published without any, because so many do not help a viewer."""

MOST_LETTERS = 100

CHAPTERS = "chapters.vtt"
"""The name of the published file."""


@dataclass(frozen=True, slots=True)
class Chapter:
    """A chapter, which lasts until the next one; `start` in seconds from the start of the film."""

    start: Fraction
    title: str


def read_chapters(found: Iterable[Mapping[str, Any]], picture: PicturePlan) -> tuple[Chapter, ...]:
    """Return the chapters that ffprobe reports, shifted like the picture; a chapter without a title gets a number.

    Of several with the same start, the last one counts. No chapters are returned if there is only one, or more than
    MOST_CHAPTERS.
    """
    starts: dict[Fraction, str] = {}
    for number, chapter in enumerate(found, 1):
        start = max(Fraction(0), Fraction(str(chapter["start_time"])) - picture.origin - picture.shift)
        title = " ".join(str(chapter.get("tags", {}).get("title", "")).split())
        starts[start] = title[:MOST_LETTERS] or f"Chapter {number}"
    chapters = tuple(Chapter(start, starts[start]) for start in sorted(starts))
    return chapters if 1 < len(chapters) <= MOST_CHAPTERS else ()


def write_chapters(plan: EncodePlan) -> str:
    """Return the chapters of a plan as WebVTT; those that begin after the end of the film are left out."""
    ends = [*(chapter.start for chapter in plan.chapters), plan.duration]
    lines = ["WEBVTT", ""]
    for chapter, (start, end) in zip(plan.chapters, pairwise(ends), strict=True):
        if start < (end := min(end, plan.duration)):
            lines += [f"{webvtt_time(start)} --> {webvtt_time(end)}", webvtt_text(chapter.title), ""]
    return "\n".join(lines)
