"""A flow: a workload whose runs are determined by a seed, and the invariants after each run."""

from __future__ import annotations

import logging
import random
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Protocol

from tests.simulation.faults import COVERED_FAULTS, Target
from tests.simulation.kernel import Simulation

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.simulation.faults import Fault
    from tests.simulation.host import SimulatedHost

START = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
QUIET = (timedelta(minutes=2), timedelta(minutes=16), timedelta(hours=1, minutes=5), timedelta(hours=26))
"""The pauses after the workload, in which nothing else happens; after each, every timer that is due runs once."""
MOST_ROUNDS = 6
MOST_TRIES = 40
"""How many runs are tried to cover a fault at an effect. While one process is suspended, another may be killed, so that
the fault is not covered."""
FAULTS_AT_ONCE = 5
"""How many faults one run tries to cover, each in another function, so that no message uses up its attempts."""


class FlowRun(Protocol):
    """One run of a flow; `quiet` has the pauses after its workload."""

    simulation: Simulation
    host: SimulatedHost
    quiet: tuple[timedelta, ...] = QUIET

    def broken(self) -> Iterator[str]:
        """Yield a sentence for each invariant that does not hold."""


class Flow(Protocol):
    """A flow; `name` appears in the report."""

    name: str

    def begin(self, simulation: Simulation) -> FlowRun:
        """Return a run of this flow in a simulation, ready to start."""

    def covers(self, effect: str) -> bool:
        """Return whether each fault is injected at an effect; those of other flows need not be covered again."""
        del effect
        return True


@dataclass(frozen=True, slots=True)
class Case:
    """What determines a run: the seed, and faults to inject in addition to those of the seed."""

    seed: int
    targets: tuple[Target, ...] = ()

    def __str__(self) -> str:
        """Return the options that repeat the run."""
        return " ".join((f"--seed {self.seed}", *(f'--fault "{each}"' for each in self.targets)))


@dataclass(frozen=True, slots=True)
class Result:
    """The result of a run: what was seen and covered, and which invariants are broken."""

    case: Case
    seen: dict[str, int]
    covered: set[tuple[str, Fault]]
    broken: tuple[str, ...]
    trace: str

    def __str__(self) -> str:
        """Return a report with the trace and the options that repeat the run."""
        lines = "\n  ".join(self.broken)
        return f"{lines}\nreplay: {self.case}\n{self.trace}"


def run(flow: Flow, case: Case, *, keep_trace: bool = False) -> Result:
    """Run a flow, and check its invariants once nothing happens any more; keep the trace of a failed run."""
    simulation = Simulation(case.seed, START, case.targets)
    begun = flow.begin(simulation)
    simulation.jobs = begun.host
    broken: list[str] = []
    try:
        simulation.run()
        simulation.calm = True
        for _ in range(MOST_ROUNDS):
            injected = simulation.faults_injected
            for pause in begun.quiet:
                simulation.forward(pause)
                simulation.run()
            if simulation.faults_injected == injected:
                break
        broken += simulation.surprises
        broken += [f"no function reads {queue}" for queue in begun.host.unread]
        broken += [f"a message was parked: {message}" for message in begun.host.parked]
        broken += begun.broken()
    except AssertionError as error:
        broken.append(str(error))
    trace = trace_of(simulation) if broken or keep_trace else ""
    return Result(case, simulation.seen, simulation.covered, tuple(broken), trace)


def trace_of(simulation: Simulation) -> str:
    """Return the trace of a run, one line per effect: its time, its task and its name."""
    return "\n".join(f"{at:%m-%d %H:%M:%S.%f} #{task:<3} {text}" for at, task, text in simulation.trace)


@contextmanager
def without_log() -> Iterator[None]:
    """Log nothing: pytest keeps each entry until the test ends, and its traceback keeps the whole run."""
    before = logging.root.manager.disable
    logging.disable()
    try:
        yield
    finally:
        logging.disable(before)


def _function_of(effect: str) -> str:
    """Return the function or request that makes a call."""
    return effect.partition(" ")[0]


@dataclass
class Campaign:
    """Many runs of a flow with different seeds, until each effect has been hit by each fault.

    A run covers up to FAULTS_AT_ONCE faults, each in another function.
    """

    flow: Flow
    first_seed: int = 0
    runs: int = 0
    origins: dict[str, list[Case]] = field(default_factory=dict)
    effects: dict[Case, frozenset[str]] = field(default_factory=dict)
    tries: dict[Target, int] = field(default_factory=dict)
    joined: set[Target] = field(default_factory=set)
    covered: set[tuple[str, Fault]] = field(default_factory=set)
    failures: list[Result] = field(default_factory=list)
    cpu_s: float = 0.0

    def __post_init__(self) -> None:
        self._began = time.process_time()

    @without_log()
    def go(self, runs: int, *, most_failures: int = 5) -> None:
        """Run new seeds; every other time, repeat a seed with more faults.

        While some faults have not been injected at some effect, inject those; after that, inject any fault at any
        effect.
        """
        rng, seed = random.Random(self.first_seed), self.first_seed
        latest: Result | None = None
        while self.runs < runs and len(self.failures) < most_failures:
            if latest is None:
                latest = self._record(run(self.flow, Case(seed)))
                seed += 1
                continue
            if target := next(self._uncovered(), None):
                self._reach(target)
            else:
                target = Target(rng.choice(sorted(latest.seen)), rng.choice(COVERED_FAULTS))
                self._record(run(self.flow, Case(latest.case.seed, (target,))))
            latest = None

    @without_log()
    def cover(self, *, most_failures: int = 5) -> None:
        """Cover each fault at each effect that was seen."""
        while len(self.failures) < most_failures and (target := next(self._uncovered(), None)):
            self._reach(target)

    def _reach(self, target: Target) -> None:
        """Repeat a run in which an effect occurs, and inject a fault there; each try repeats another such run.

        The first try also injects faults at effects of other functions that no run has tried to cover yet. An earlier
        fault can change what follows, so a fault that was not covered among others is then tried alone, and once all
        these runs have been repeated, together with any other fault.
        """
        known, tried = self.origins[target.effect], self.tries.get(target, 0)
        if tried or target in self.joined:
            origin, targets = known[tried % len(known)], [target]
            if tried >= len(known):
                rng = random.Random(tried)
                targets.append(Target(rng.choice(sorted(self.effects[origin])), rng.choice(COVERED_FAULTS)))
        else:
            open_targets = list(self._uncovered())
            beside = {origin: self._together(target, origin, open_targets) for origin in known}
            origin, targets = max(beside.items(), key=lambda item: len(item[1]))
        self.tries[target] = tried + 1
        self.joined.update(targets)
        self._record(run(self.flow, Case(origin.seed, (*origin.targets, *targets))))

    def _together(self, target: Target, origin: Case, open_targets: list[Target]) -> list[Target]:
        """Return a fault and others that a repetition of `origin` can cover too."""
        targets, functions = [target], {_function_of(each.effect) for each in (*origin.targets, target)}
        for other in open_targets:
            if len(targets) == FAULTS_AT_ONCE:
                break
            is_new = other not in self.joined and _function_of(other.effect) not in functions
            if is_new and other.effect in self.effects[origin]:
                targets.append(other)
                functions.add(_function_of(other.effect))
        return targets

    def _record(self, result: Result) -> Result:
        self.runs += 1
        self.cpu_s = time.process_time() - self._began
        if len(result.case.targets) < 2:  # what happens only after several faults need not be hit by yet another one
            self.effects[result.case] = frozenset(result.seen)
            for effect in result.seen:
                known = self.origins.setdefault(effect, [])
                if len(known) < MOST_TRIES:
                    known.append(result.case)
        self.covered |= result.covered
        if result.broken:
            self.failures.append(result)
        return result

    def _uncovered(self) -> Iterator[Target]:
        for effect in self._own:
            for fault in COVERED_FAULTS:
                target = Target(effect, fault)
                if (effect, fault) not in self.covered and self.tries.get(target, 0) < MOST_TRIES:
                    yield target

    @property
    def _own(self) -> list[str]:
        """The effects at which each fault is injected."""
        return [effect for effect in self.origins if self.flow.covers(effect)]

    @property
    def missed(self) -> list[Target]:
        """Return the faults that were not injected at an effect, although the effect was seen."""
        targets = [Target(effect, fault) for effect in self._own for fault in COVERED_FAULTS]
        return [each for each in targets if (each.effect, each.fault) not in self.covered]

    def __str__(self) -> str:
        """Return the figures of the campaign."""
        missed = f", {len(self.missed)} pairs not covered" if self.missed else ""
        return (
            f"{self.flow.name}: {len(self._own)} effects × {len(COVERED_FAULTS)} faults, {len(self.failures)} lost"
            f"{missed} ({self.runs} runs in {self.cpu_s:.0f} CPU-seconds)"
        )
