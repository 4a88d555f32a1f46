"""Damage is counted once, in any order of chunks, and the sentences say where it is."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.encoding.damage import DamagedRun, DamageLimits, DamageReport, report_of, runs_of

RATE = Fraction(24)
HOUR = 24 * 3600


def report(*frames: int, total: int = HOUR, missing: int = 0) -> DamageReport:
    found = report_of(runs_of(frames), rate=RATE, frames=total, missing=missing)
    assert found
    return found


def test_film_without_damage_has_no_report() -> None:
    assert runs_of([]) == ()
    assert report_of([], rate=RATE, frames=100) is None


def test_neighbours_form_one_run() -> None:
    assert runs_of([9, 5, 4, 4, 7]) == (DamagedRun(4, 10, 4),)
    assert runs_of([4, 40]) == (DamagedRun(4, 5, 1), DamagedRun(40, 41, 1))


@given(st.sets(st.integers(0, 999), min_size=1), st.lists(st.integers(1, 999), max_size=5))
def test_result_does_not_depend_on_where_chunks_meet(frames: set[int], joints: list[int]) -> None:
    bounds = [0, *sorted(set(joints)), 1000]
    chunks = [runs_of(frame for frame in frames if begin <= frame < end) for begin, end in pairwise(bounds)]
    whole = report_of(runs_of(frames), rate=RATE, frames=1000)
    assert report_of([run for runs in reversed(chunks) for run in runs], rate=RATE, frames=1000) == whole
    assert whole
    assert whole.pictures == len(frames)


def test_share_of_the_film_is_limited() -> None:
    limits = DamageLimits(percent=1, run_s=2)
    spread = [100 * number for number in range(1, 865)]
    assert not limits.exceeded_by(report(*spread))
    assert limits.exceeded_by(report(*spread, 7))


def test_damage_in_a_row_is_limited() -> None:
    limits = DamageLimits(percent=1, run_s=2)
    assert not limits.exceeded_by(report(*range(100, 148)))
    assert limits.exceeded_by(report(*range(100, 149)))


def test_glitch_in_a_short_clip_is_tolerated_although_it_is_more_than_the_share() -> None:
    limits = DamageLimits(percent=1, run_s=2)
    assert not limits.exceeded_by(report(*range(12), total=120))
    assert limits.exceeded_by(report(*range(13), total=120))


def test_missing_end_counts_as_damage() -> None:
    cut = report(10, total=1000, missing=6)
    assert (cut.pictures, cut.total, cut.longest_s, cut.missing_s) == (7, 1006, Fraction(6, 24), Fraction(6, 24))
    assert DamageLimits(percent=1, run_s=2).exceeded_by(report(10, missing=49))


@pytest.mark.parametrize(
    ("found", "note"),
    [
        (report(240), "One frame could not be read and was filled in (0:10)."),
        (
            report(240, 1800, 87_000, total=90_000),
            "3 frames (0.0033 %) could not be read and were filled in (0:10, 1:15, 1:00:25).",
        ),
        (
            report(*range(240, 270), total=1000),
            "30 frames (3 %) could not be read and were filled in (0:10–0:11).",
        ),
        (
            report(*range(0, 4800, 480), 481, total=5000),
            "11 frames (0.22 %) could not be read and were filled in (0:00, 0:20, 0:40, …).",
        ),
        (report(total=1000, missing=24), "The last 1.0 s are missing from the file."),
        (
            report(48, total=1000, missing=12),
            "One frame could not be read and was filled in (0:02). The last 0.5 s are missing from the file.",
        ),
    ],
)
def test_note_says_where_and_how_much(found: DamageReport, note: str) -> None:
    assert found.note == note


def test_refusal_names_the_film_and_the_places() -> None:
    assert report(*range(240, 480), total=2400).refusal("film.mkv") == (
        "film.mkv is damaged: 240 of 2400 frames (10 %) cannot be read (0:10–0:20). Upload the original again."
    )
    assert "1000 of 1000 frames (100 %) cannot be read" in report(*range(1000), total=1000).refusal("film.mkv")
    assert "996 of 1000 frames (100 %) cannot be read" in report(*range(996), total=1000).refusal("film.mkv")
