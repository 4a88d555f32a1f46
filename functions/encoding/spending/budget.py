"""The monthly limit on the cost of encoding: which steps may run, and what each has cost.

Before a step runs, its probable cost is added to the month, in one atomic change that succeeds only below the limit.
Afterwards, the measured cost replaces the estimate. So encoders that run at the same time cannot exceed the limit
together, and the step of a killed encoder is still counted. A month can exceed its limit only if steps take longer than
estimated.

Whether a job is paused is not stored, but computed from the limit and the month whenever it is needed. So a paused job
continues as soon as a new month begins or the limit is raised.
"""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from functions.encoding.model import JobStatus
from functions.encoding.spending.costs import (
    PLAN_S,
    WAKE_S,
    MonthSpending,
    chunk_s,
    estimated_s,
    month_of,
    next_month,
    replica_microusd,
    replica_s_for,
)
from functions.encoding.spending.replica_meter import ReplicaMeter
from functions.encoding.steps import PUBLISH, VERIFY
from functions.platform.errors import StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from functions.encoding.model import JobSummary
    from functions.encoding.outcomes import Step
    from functions.encoding.ports import SpendingStore
    from functions.encoding.spending.costs import EncodeCost
    from functions.encoding.steps import JobWork

log = logging.getLogger(__name__)

UNLIMITED = (PUBLISH, VERIFY)
"""Steps that always run: they take seconds, and without them a film that has been paid for could not be watched."""


@dataclass(frozen=True, slots=True)
class Admission:
    """A running step: its month, the cost added to the month in advance, and the billed seconds before it began."""

    month: str
    number: int
    deposit_s: float
    before_s: float


class EncodeBudget:
    """Admits steps and records their cost; `limit_usd` returns the present limit of a month, 0 for none."""

    def __init__(
        self,
        store: SpendingStore,
        now: Callable[[], datetime],
        *,
        limit_usd: Callable[[], int],
        ticks: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store = store
        self._now = now
        self._limit_usd = limit_usd
        self._meter = ReplicaMeter(ticks)

    def is_limited(self) -> bool:
        """Return whether there is a limit."""
        return self._limit_s() is not None

    def this_month(self) -> MonthSpending:
        """Return what this month's encodes have used."""
        return self._month(self._limit_s())

    def permitted(self, works: list[JobWork]) -> list[JobWork]:
        """Return the open jobs that may continue; without a limit, the month is not read."""
        limit_s = self._limit_s()
        if limit_s is None:
            return works
        month = self._month(limit_s)
        return [work for work in works if permits(month, work)]

    def may_plan(self) -> bool:
        """Return whether a new job may be planned."""
        limit_s = self._limit_s()
        return limit_s is None or self._month(limit_s).left_s >= PLAN_S + WAKE_S

    def announce_once(self, tell: Callable[[str], None]) -> None:
        """Call `tell` once for each month and limit, with an id made from both."""
        month, limit_s = month_of(self._now()), self._limit_s()
        if limit_s is None or self._store.is_announced(month, limit_s):
            return
        tell(f"{month}-{replica_microusd(limit_s)}")
        self._store.note_announced(month, limit_s)

    def admit(self, step: Step) -> Admission | None:
        """Return the admission of a step that begins now; None if the limit of the month forbids it."""
        has_all_pictures = step.job.plan is not None and not step.job.missing_chunks
        is_limited = step.key not in UNLIMITED and not has_all_pictures
        return self.admit_seconds(deposit_of(step), needed_s=whole_s(step), is_limited=is_limited)

    def admit_seconds(self, deposit_s: float, *, needed_s: float = 0.0, is_limited: bool = True) -> Admission | None:
        """Return the admission of work that takes `deposit_s` replica-seconds and needs `needed_s`; see `admit`."""
        month = month_of(self._now())
        limit_s = self._limit_s() if is_limited else None
        number, before_s = self._meter.begin()
        if limit_s is None:
            return Admission(month, number, 0.0, before_s)
        deposit_s += before_s
        try:
            taken = self._store.add_below(month, deposit_s, limit_s=limit_s - max(0.0, needed_s - deposit_s))
        except StoreUnavailable:
            self._meter.end(number)
            raise
        if taken:
            return Admission(month, number, deposit_s, before_s)
        self._meter.end(number)
        if before_s:  # the replica ran, and is billed, although it had nothing to do
            self._store.add(month, before_s)
        return None

    def settle(self, job_id: str, admission: Admission) -> None:
        """Record what a step has cost, in its month and in its job; while the store is unavailable, record nothing."""
        seconds = self._meter.end(admission.number) + admission.before_s
        try:
            self._store.add(admission.month, seconds - admission.deposit_s)
            self._store.add_to_job(job_id, seconds)
        except StoreUnavailable as error:
            log.warning("the cost of a step of job %s was not recorded: %s", job_id, error.detail)

    def _limit_s(self) -> float | None:
        """Return the present limit in replica-seconds; None if there is none."""
        limit_usd = self._limit_usd()
        return replica_s_for(limit_usd) if limit_usd > 0 else None

    def _month(self, limit_s: float | None) -> MonthSpending:
        now = self._now()
        month = month_of(now)
        return MonthSpending(month, next_month(now), self._store.spent_s(month), limit_s)


def deposit_of(step: Step) -> float:
    """Return the replica-seconds that a step will probably take."""
    plan = step.job.plan
    if step.chunk is None or plan is None:
        return PLAN_S
    return chunk_s(plan, plan.chunks[step.chunk])


def whole_s(step: Step) -> float:
    """Return the replica-seconds that must be left for a step; if it begins a film, enough for the whole film."""
    plan = step.job.plan
    return 0.0 if step.chunk is None or plan is None or step.job.chunks_done else estimated_s(plan)


def needed_s(work: JobWork | JobSummary) -> float:
    """Return how many replica-seconds must be left for a job to continue.

    A film begins only if all of it can be encoded. A film in progress continues chunk by chunk; a replica may have to
    start for each chunk. A film whose chunks are all done may always continue.
    """
    cost: EncodeCost = work.cost
    done = work.chunks_done if isinstance(work.chunks_done, int) else len(work.chunks_done)
    if work.status is not JobStatus.ENCODING:
        return PLAN_S + WAKE_S
    if done >= work.chunks:
        return float("-inf")
    return max(cost.estimate_s, WAKE_S) if not done else cost.estimate_s / work.chunks + WAKE_S


def permits(month: MonthSpending, work: JobWork | JobSummary) -> bool:
    """Return whether the limit of the month lets an open job continue."""
    return month.left_s >= needed_s(work)


def pause_reason(month: MonthSpending, work: JobSummary) -> str | None:
    """Return the sentence that says why an open job waits, or None if the limit lets it continue."""
    if month.limit_s is None or permits(month, work):
        return None
    limit, left = dollars(month.limit_s), dollars(max(0.0, month.left_s))
    again = f"It continues on {month.until:%-d %B}, or when you raise the limit."
    if work.status is JobStatus.ENCODING and not work.chunks_done:
        cost = dollars(work.cost.estimate_s)
        if work.cost.estimate_s > month.limit_s:
            again = "Raise the limit to encode it."
        return f"Paused: encoding this film costs about {cost}, and {left} of this month's {limit} is left. {again}"
    return f"Paused: this month's limit of {limit} for encoding is reached. {again}"


def dollars(seconds: float) -> str:
    """Return the price of replica-seconds for a person, such as $0.43."""
    return f"${replica_microusd(seconds) / 1e6:,.2f}"
