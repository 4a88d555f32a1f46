"""The cost of an encode: estimated from its plan, and measured by dividing a replica's time among its steps."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest

from functions.encoding.frame_grid import FrameGrid
from functions.encoding.ladder import chunks_for, renditions_for
from functions.encoding.model import EncodePlan
from functions.encoding.spending.costs import (
    CHUNKS_PER_REPLICA,
    COOL_DOWN_S,
    CORES,
    MEMORY_GIB,
    MOST_REPLICAS,
    WAKE_S,
    estimated_s,
    estimated_size,
    month_of,
    next_month,
    replica_microusd,
    replica_s_for,
    storage_microusd,
)
from functions.encoding.spending.replica_meter import ReplicaMeter
from infra.azure.template import INFRA
from tests.support.encoding_plans import make_plan


def plan_of(seconds: int, *, width: int = 1920, height: int = 1080) -> EncodePlan:
    """Return the plan of a film with 24 frames per second, without sound."""
    plan = make_plan(frames=24 * seconds, audio=(), renditions=renditions_for(width, height))
    grid = FrameGrid(plan.grid.rate, plan.grid.frames)
    return EncodePlan(
        plan.source, grid, plan.picture, plan.renditions, chunks_for(grid), (), (), plan.preset, plan.ffmpeg_version
    )


def test_an_hour_of_film_costs_what_the_documentation_says() -> None:
    work = replica_microusd(estimated_s(plan_of(3600)) - MOST_REPLICAS * WAKE_S)
    assert work == pytest.approx(0.173e6, rel=0.01)
    assert replica_microusd(WAKE_S) == pytest.approx(0.043e6, rel=0.01)
    assert replica_microusd(3600) == 432_000


def test_a_film_costs_by_its_length_and_its_rungs() -> None:
    whole, half = estimated_s(plan_of(3600)), estimated_s(plan_of(1800))
    small = estimated_s(plan_of(3600, width=640, height=360))
    waking = MOST_REPLICAS * WAKE_S
    assert half - waking == pytest.approx((whole - waking) / 2, rel=0.01)
    assert small - waking == pytest.approx((whole - waking) * 327_744 / 3_841_344, rel=0.01)


def test_a_short_film_starts_few_replicas() -> None:
    assert WAKE_S < estimated_s(plan_of(10)) < 2 * WAKE_S


def test_an_hour_of_film_takes_four_gigabytes() -> None:
    size = estimated_size(plan_of(3600))
    assert size == pytest.approx(4e9, rel=0.01)
    assert storage_microusd(size) == pytest.approx(0.104e6, rel=0.01)


def test_an_amount_buys_the_seconds_that_cost_it() -> None:
    assert replica_microusd(replica_s_for(20)) == 20_000_000


def test_the_replica_is_that_of_the_template() -> None:
    encoder = (INFRA / "encoder.bicep").read_text(encoding="utf-8")
    assert f"cpu: json('{CORES}'), memory: '{MEMORY_GIB}Gi'" in encoder
    defaults = (INFRA / "encoder.parameters.json").read_text(encoding="utf-8")
    assert re.findall(r"NOTFLIX_MAX_ENCODERS=(\d+)", defaults) == [str(MOST_REPLICAS)]
    assert re.findall(r"NOTFLIX_CHUNKS_PER_ENCODER=(\d+)", defaults) == [str(CHUNKS_PER_REPLICA)]


@pytest.mark.parametrize(
    ("now", "month", "after"),
    [
        (datetime(2026, 11, 27, 12, tzinfo=UTC), "2026-11", datetime(2026, 12, 1, tzinfo=UTC)),
        (datetime(2026, 12, 31, 23, 59, tzinfo=UTC), "2026-12", datetime(2027, 1, 1, tzinfo=UTC)),
        (datetime(2027, 1, 1, tzinfo=UTC), "2027-01", datetime(2027, 2, 1, tzinfo=UTC)),
    ],
)
def test_months_follow_one_another(now: datetime, month: str, after: datetime) -> None:
    assert (month_of(now), next_month(now)) == (month, after)


class Meter:
    """A meter with a clock that a test moves."""

    def __init__(self) -> None:
        self.at = 0.0
        self.meter = ReplicaMeter(lambda: self.at)

    def begin(self, at: float) -> tuple[int, float]:
        self.at = at
        return self.meter.begin()

    def end(self, number: int, at: float) -> float:
        self.at = at
        return self.meter.end(number)


def test_the_first_step_pays_for_starting_and_stopping() -> None:
    meter = Meter()
    number, before_s = meter.begin(1000)
    assert (before_s, meter.end(number, 1010)) == (WAKE_S, 10)


def test_steps_share_the_time_in_which_they_run_together() -> None:
    meter = Meter()
    first, _ = meter.begin(0)
    second, before_s = meter.begin(10)
    assert before_s == 0
    assert meter.end(first, 30) == 10 + 10
    assert meter.end(second, 35) == 10 + 5


def test_idle_time_is_paid_by_the_next_step() -> None:
    meter = Meter()
    number, _ = meter.begin(0)
    meter.end(number, 10)
    number, before_s = meter.begin(70)
    assert before_s == 60
    meter.end(number, 80)
    number, before_s = meter.begin(80 + COOL_DOWN_S + 1)
    assert before_s == WAKE_S, "the replica was stopped and started again"


def test_all_steps_together_pay_for_the_life_of_the_replica() -> None:
    meter = Meter()
    paid = 0.0
    running: list[int] = []
    for at in range(0, 500, 7):
        if len(running) == 3 or (running and at % 2):
            paid += meter.end(running.pop(0), at)
        else:
            number, before_s = meter.begin(at)
            paid += before_s
            running.append(number)
    last, before_s = meter.begin(500)
    paid += before_s + sum(meter.end(number, 510) for number in (*running, last))
    assert paid == pytest.approx(510 + WAKE_S)
