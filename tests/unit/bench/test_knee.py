"""Errors count at whatever rate they happen, also those of steps that are repeated."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from tests.bench._knee import FIRST_RPS, GROWTH, Climb, Step
from tests.bench._load_client import Result, Window

if TYPE_CHECKING:
    from collections.abc import Sequence

OK, LOST = Result("look", 0, 0.01, 200), Result("look", 0, 0.01, 0)
LATE = Result("look", 0, 0.9, 200)
SHED, LIMITED = (Result("look", 0, 0.01, status, polite=True) for status in (503, 429))


class ScriptedGenerator:
    """Answers the calls of each step with the next of the given results."""

    def __init__(self, steps: Sequence[Sequence[Result]]) -> None:
        self._steps = iter(steps)

    async def run(self, rate_rps: float, seconds: float) -> Window:
        return Window(seconds, list(next(self._steps)))


def climbed(*steps: Sequence[Result]) -> tuple[Climb, Step]:
    """Return the climb whose steps have these results, the first of which is the warm-up, and its knee."""
    generator: Any = ScriptedGenerator(steps)
    climb = Climb(generator)
    return climb, asyncio.run(climb.find_knee(1.0))


def test_an_error_in_a_step_that_succeeds_at_its_repetition_is_an_error_below_the_knee() -> None:
    climb, knee = climbed([OK], [OK, LOST], [OK], [OK], [LATE], [LATE])
    assert knee.rps == FIRST_RPS * GROWTH
    assert (climb.errors(knee, above=False), climb.errors(knee, above=True)) == (1, 0)


def test_an_error_during_the_warm_up_is_an_error_below_the_knee() -> None:
    climb, knee = climbed([LOST], [OK], [LATE], [LATE])
    assert (climb.errors(knee, above=False), climb.errors(knee, above=True)) == (1, 0)


def test_an_error_that_ends_the_climb_is_an_error_above_the_knee() -> None:
    climb, knee = climbed([OK], [OK], [LOST], [LOST, LOST, OK])
    assert knee.rps == FIRST_RPS
    assert (climb.errors(knee, above=False), climb.errors(knee, above=True)) == (0, 3)


def test_only_503_counts_as_shedding_the_load() -> None:
    climb, knee = climbed([OK], [OK], [SHED, LIMITED], [SHED, LIMITED, OK])
    assert climb.shed_by_load(knee) == 2
    climb, knee = climbed([SHED], [OK], [LIMITED], [LIMITED])
    assert climb.shed_by_load(knee) == 0


def test_a_first_rate_that_is_too_high_is_no_knee() -> None:
    with pytest.raises(RuntimeError, match="already were too many"):
        climbed([OK], [LATE], [LATE])
