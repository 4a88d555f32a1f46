"""The monthly limit on encoding: films wait instead of failing, until the next month or a higher limit."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from functions.encoding.model import JobStatus
from functions.encoding.outcomes import Step
from functions.encoding.spending.budget import EncodeBudget, deposit_of
from functions.encoding.spending.costs import (
    PLAN_S,
    WAKE_S,
    estimated_s,
    estimated_size,
    month_of,
    replica_microusd,
    replica_s_for,
    storage_microusd,
)
from functions.platform.errors import StoreUnavailable
from functions.platform.messages import EncodeAudio, EncodeChunk, EncodeFront, PlanEncode, PublishTitle
from tests.support.clock import NOON
from tests.support.encoding_jobs import MemoryEncodeJobs
from tests.support.encoding_plans import make_job, make_plan
from tests.support.encoding_spending import MemorySpending
from tests.support.encoding_world import EncodeWorld

LIMIT_USD = 20
LIMIT_S = replica_s_for(LIMIT_USD)
FILM_S = estimated_s(make_plan())
"""The estimate for the film of the tests, which is short: mostly the start of one encoder."""


class Limited(EncodeWorld):
    """Encoding with a limit."""

    def __init__(self) -> None:
        super().__init__(limit_usd=LIMIT_USD)

    @property
    def month(self) -> str:
        return month_of(self.clock())

    def leave(self, seconds: float) -> None:
        """Leave only this many replica-seconds of the month."""
        self.spending.months[self.month] = LIMIT_S - seconds

    def paused(self, job_id: str) -> str | None:
        progress = self.service.progress(job_id)
        assert progress
        return progress.paused

    def repaired(self) -> list[object]:
        """Run the timer a minute later; return the messages that it sends."""
        self.queues.sent.clear()
        self.clock.forward(seconds=60)
        self.service.repair_jobs()
        return list(self.queues.messages)


@pytest.fixture
def world() -> Limited:
    return Limited()


def test_a_film_knows_its_price_before_it_is_encoded(world: Limited) -> None:
    job_id = world.planned()
    progress = world.service.progress(job_id)
    assert progress and progress.estimate_microusd == replica_microusd(FILM_S)
    assert progress.paused is None
    assert progress.storage_microusd == storage_microusd(1000 + estimated_size(make_plan()))


def test_a_finished_film_says_what_it_has_cost(world: Limited) -> None:
    job_id = world.upload()
    world.ticks = 5000
    step = world.pipeline.choose_step(PlanEncode(job_id))
    assert step
    world.ticks += 12
    world.pipeline.run_step(step)
    progress = world.service.progress(job_id)
    assert progress and progress.encode_microusd == replica_microusd(WAKE_S + 12)
    assert world.spending.months == {world.month: pytest.approx(WAKE_S + 12)}


def test_the_costs_of_all_films_are_the_cost_of_the_month(world: Limited) -> None:
    job_id = world.planned()
    for message in (EncodeFront(job_id), EncodeChunk(), EncodeChunk(), EncodeChunk(), EncodeAudio(job_id, "a0")):
        step = world.pipeline.choose_step(message)
        assert step
        world.ticks += 9
        world.pipeline.run_step(step)
    world.run(PublishTitle(job_id))
    assert sum(world.jobs.replica_s.values()) == pytest.approx(world.spending.months[world.month])
    assert world.jobs.replica_s[job_id] == pytest.approx(WAKE_S + 5 * 9)


def test_without_a_limit_the_cost_is_still_recorded() -> None:
    world = EncodeWorld()
    job_id = world.planned()
    assert world.jobs.replica_s[job_id] == WAKE_S
    assert world.spending.months == {month_of(world.clock()): WAKE_S}
    assert world.service.spending().limit_s is None


def test_a_film_that_costs_more_than_is_left_is_not_begun(world: Limited) -> None:
    job_id = world.planned()
    world.leave(FILM_S - 1)
    assert world.run(EncodeFront(job_id)) is None
    assert world.run(EncodeChunk()) is None
    assert world.repaired() == []
    job = world.jobs.get_job(job_id)
    assert (job.status, job.faults, job.chunks_done) == (JobStatus.ENCODING, {}, frozenset())
    reason = world.paused(job_id)
    assert reason and reason.startswith(
        "Paused: encoding this film costs about $0.04, and $0.04 of this month's $20.00"
    )
    assert "continues on 1 December" in reason


def test_a_smaller_film_goes_first_when_a_larger_one_does_not_fit(world: Limited) -> None:
    large = make_plan(frames=24 * 7200, runs=(1, *(7,) * 260))
    world.jobs.add_job(
        make_job("a" * 12, title_id="large-000000", status=JobStatus.ENCODING, plan=large, planned_at=NOON)
    )
    small = world.planned()
    world.leave(FILM_S + 1000)
    step = world.pipeline.choose_step(EncodeChunk())
    assert step and step.job.id == small


def test_a_film_in_progress_stops_at_the_limit_and_is_not_failed(world: Limited) -> None:
    job_id = world.planned()
    world.finish(job_id, 0)
    world.leave(5)
    assert world.run(EncodeChunk()) is None
    assert world.repaired() == []
    reason = world.paused(job_id)
    assert reason and reason.startswith("Paused: this month's limit of $20.00 for encoding is reached.")
    assert world.title.failure is None


def test_a_film_with_all_its_pictures_is_finished_beyond_the_limit(world: Limited) -> None:
    job_id = world.planned()
    world.finish(job_id, 0, 1, 2, 3)
    world.leave(-1)
    assert EncodeAudio(job_id, "a0") in world.repaired()
    assert world.run(EncodeAudio(job_id, "a0"))
    assert world.paused(job_id) is None


def test_a_paused_film_continues_in_the_next_month(world: Limited) -> None:
    job_id = world.planned()
    world.leave(0)
    assert world.repaired() == []
    world.clock.now = datetime(2026, 12, 1, tzinfo=UTC)
    assert EncodeFront(job_id) in world.repaired()
    assert world.paused(job_id) is None
    assert world.run(EncodeFront(job_id))


def test_a_paused_film_continues_when_the_limit_is_raised(world: Limited) -> None:
    job_id = world.planned()
    world.leave(0)
    assert world.repaired() == []
    world.limit.change(LIMIT_USD + 1, by="owner")
    assert EncodeFront(job_id) in world.repaired()
    assert world.run(EncodeFront(job_id))


def test_an_owner_can_end_a_limit_and_return_to_the_one_of_the_settings(world: Limited) -> None:
    world.planned()
    world.leave(-100)
    world.limit.change(0, by="owner")
    assert world.repaired()
    assert world.service.spending().limit_s is None
    world.limit.change(None, by="owner")
    assert world.repaired() == []
    assert world.service.spending().limit_s == LIMIT_S


def test_a_limit_below_what_was_spent_stops_other_encoders_at_once() -> None:
    world = EncodeWorld()
    job_id = world.planned()
    world.finish(job_id, 0)
    world.spending.add(month_of(world.clock()), replica_s_for(3))
    other = world.pipeline_with(world.crew)
    world.limit.change(2, by="owner")
    assert world.run(EncodeChunk(), other) is None
    world.limit.change(4, by="owner")
    assert world.run(EncodeChunk(), other)


def test_without_the_limit_no_step_begins(world: Limited) -> None:
    job_id = world.planned()
    world.limits.away = StoreUnavailable("Mongo does not answer.")
    with pytest.raises(StoreUnavailable):
        world.run(EncodeFront(job_id))
    assert world.encoder().held() == frozenset()
    world.limits.away = None
    assert world.run(EncodeFront(job_id))


def test_a_new_upload_is_not_planned_beyond_the_limit(world: Limited) -> None:
    job_id = world.upload()
    world.leave(PLAN_S + WAKE_S - 1)
    assert not world.service.may_start()
    assert world.run(PlanEncode(job_id)) is None
    assert world.repaired() == []
    assert world.jobs.get_job(job_id).status is JobStatus.QUEUED
    world.leave(PLAN_S + WAKE_S)
    assert world.repaired() == [PlanEncode(job_id)]


def test_an_encoder_that_was_woken_for_nothing_is_paid_for(world: Limited) -> None:
    job_id = world.upload()
    world.leave(100)
    assert world.run(PlanEncode(job_id)) is None
    assert world.spending.months[world.month] == LIMIT_S - 100 + WAKE_S


def test_the_owners_are_told_once_for_each_month_and_limit(world: Limited) -> None:
    world.planned()
    world.service.announce_pause()
    assert world.told == []
    world.leave(0)
    world.service.announce_pause()
    world.service.announce_pause()
    assert world.told == [f"{world.month}-20000000"]
    world.limit.change(LIMIT_USD + 1, by="owner")
    world.leave(-replica_s_for(1))
    world.service.announce_pause()
    assert world.told[1:] == [f"{world.month}-21000000"]


def test_a_claim_is_given_up_when_the_limit_forbids_its_step(world: Limited) -> None:
    job_id = world.planned()
    world.finish(job_id, 0)
    world.leave(WAKE_S + 100)
    world.spending.add_below = lambda *_, **__: False  # type: ignore[method-assign]  # another encoder was faster
    assert world.run(EncodeChunk()) is None
    assert world.encoder().held() == frozenset()


def test_a_claim_is_given_up_when_the_month_cannot_be_read(world: Limited) -> None:
    job_id = world.planned()
    world.spending.away = StoreUnavailable("Mongo does not answer.")
    with pytest.raises(StoreUnavailable):
        world.run(EncodeFront(job_id))
    assert world.encoder().held() == frozenset()


def test_a_step_whose_cost_cannot_be_recorded_is_not_repeated(world: Limited) -> None:
    job_id = world.planned()
    step = world.pipeline.choose_step(EncodeFront(job_id))
    assert step
    world.spending.away = StoreUnavailable("Mongo does not answer.")
    world.pipeline.run_step(step)
    assert world.jobs.get_job(job_id).chunks_done == {0}


@settings(max_examples=60, deadline=None)
@given(
    left_s=st.floats(0, 4000),
    lengths=st.lists(st.integers(1, 7), min_size=2, max_size=30),
    longer=st.floats(0, 1),
    killed=st.sets(st.integers(0, 29)),
)
def test_encoders_together_never_exceed_the_limit_by_more_than_they_were_slow(
    left_s: float, lengths: list[int], longer: float, killed: set[int]
) -> None:
    """Each chunk has its own encoder, and all run at the same time, as if all had read the month before any began."""
    jobs = MemoryEncodeJobs()
    store = MemorySpending(jobs)
    month = month_of(NOON)
    store.add(month, LIMIT_S - left_s)
    plan = make_plan(frames=96 * sum(lengths), runs=tuple(lengths), audio=())
    job = make_job(status=JobStatus.ENCODING, plan=plan)
    jobs.add_job(job)
    admitted, slow_s = [], 0.0
    for chunk in plan.chunks:
        at = [0.0]
        budget = EncodeBudget(store, lambda: NOON, limit_usd=lambda: LIMIT_USD, ticks=lambda at=at: at[0])  # type: ignore[misc]
        step = Step(job, EncodeChunk(), chunk=chunk.index)
        if admission := budget.admit(step):
            admitted.append((budget, step, admission, at))
    before = store.spent_s(month)
    refused = len(plan.chunks) - len(admitted)
    assert before - refused * WAKE_S <= LIMIT_S + 1e-6
    for number, (budget, step, admission, at) in enumerate(admitted):
        if number in killed:
            continue
        took_s = deposit_of(step) * (1 + longer)
        slow_s += took_s - deposit_of(step)
        at[0] = took_s
        budget.settle(job.id, admission)
    assert store.spent_s(month) - refused * WAKE_S <= LIMIT_S + slow_s + 1e-6


def test_a_month_ends_at_its_last_moment() -> None:
    jobs = MemoryEncodeJobs()
    store = MemorySpending(jobs)
    last = datetime(2026, 11, 30, 23, 59, 59, tzinfo=UTC)
    now = [last]
    budget = EncodeBudget(store, lambda: now[0], limit_usd=lambda: LIMIT_USD, ticks=lambda: 0.0)
    admission = budget.admit(Step(make_job(), PlanEncode("0123456789ab")))
    assert admission
    now[0] = last + timedelta(seconds=30)
    budget.settle("0123456789ab", admission)
    assert set(store.months) == {"2026-11"}, "a step is paid in the month in which it began"
