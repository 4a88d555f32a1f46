"""The knee: the highest rate of calls at which every call succeeds in time, and what fails below and above it."""

from __future__ import annotations

from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING

from tests.bench._measure import say

if TYPE_CHECKING:
    from tests.bench._load_client import Generator, Window

FIRST_RPS, GROWTH = 8.0, 1.5
HEALTHY_MS = 500.0


@dataclass(frozen=True, slots=True)
class Step:
    """A rate, in requests per second, and the results of calls at that rate."""

    rps: float
    window: Window

    @property
    def is_healthy(self) -> bool:
        """Return whether every call succeeded, with a 99th percentile of at most HEALTHY_MS."""
        return not self.window.errors and not self.window.shed and self.window.quantile_ms(0.99) <= HEALTHY_MS


@dataclass
class Climb:
    """All steps of a measurement, in their order; those that were repeated are included."""

    generator: Generator
    steps: list[Step] = field(default_factory=list)

    async def run(self, rps: float, seconds: float) -> Step:
        """Send calls at a rate for some seconds; return the results."""
        step = Step(rps, await self.generator.run(rps, seconds))
        self.steps.append(step)
        p50, p99 = step.window.quantile_ms(0.5), step.window.quantile_ms(0.99)
        say(f"{rps:6.0f} requests/s: p50 {p50:.0f} ms, p99 {p99:.0f} ms, {step.window.failures()}")
        return step

    async def find_knee(self, step_s: float) -> Step:
        """Raise the rate until it is not healthy; return the step before. Raises RuntimeError if there is none.

        A rate that is not healthy is tried again, because other programs on the machine may have caused that.
        """
        await self.run(FIRST_RPS, step_s)  # imports and connections are not measured, but their errors count
        rps, knee = FIRST_RPS, None
        while True:
            step = await self.run(rps, step_s)
            if not step.is_healthy:
                step = await self.run(rps, step_s)
            if not step.is_healthy:
                if knee is None:
                    raise RuntimeError(f"{rps:.0f} requests/s already were too many; is the machine busy?")
                return knee
            knee = step
            rps *= GROWTH

    def errors(self, knee: Step, *, above: bool) -> int:
        """Return the number of errors in all steps above the knee, or at and below it."""
        return sum(step.window.errors for step in self.steps if (step.rps > knee.rps) == above)

    def shed_by_load(self, knee: Step) -> int:
        """Return the number of calls above the knee that were refused with 503; a rate limit (429) does not count."""
        above = (step.window.results for step in self.steps if step.rps > knee.rps)
        refused = HTTPStatus.SERVICE_UNAVAILABLE
        return sum(result.shed and result.status == refused for results in above for result in results)
