"""Bitrates of ladders, compared at equal quality."""

from __future__ import annotations

import pytest

from tests.bench._bd_rate import bd_rate

LADDER = [(400.0, 60.0), (800.0, 75.0), (1600.0, 85.0), (5000.0, 95.0)]


def test_ladder_equals_itself() -> None:
    assert bd_rate(LADDER, LADDER) == pytest.approx(0)


def test_half_of_the_bits_everywhere_is_minus_fifty_percent() -> None:
    assert bd_rate(LADDER, [(rate / 2, quality) for rate, quality in LADDER]) == pytest.approx(-50)


def test_only_the_common_range_of_quality_is_compared() -> None:
    assert bd_rate(LADDER, LADDER[1:]) == pytest.approx(0)


def test_point_that_costs_more_for_less_quality_is_ignored() -> None:
    assert bd_rate(LADDER, [*LADDER, (4000.0, 80.0)]) == pytest.approx(0)


def test_ladders_without_a_common_quality_cannot_be_compared() -> None:
    with pytest.raises(ValueError, match="no quality in common"):
        bd_rate(LADDER, [(100.0, 20.0), (200.0, 30.0)])
