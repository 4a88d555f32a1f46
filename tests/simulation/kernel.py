"""A deterministic scheduler that runs jobs as coroutines, switches between them at port calls, and injects faults.

Each call of a port is an effect. Before and after an effect, the process that makes it can crash, or be suspended until
its message has been delivered again or another job has overtaken it. The store can refuse the call, or apply it and not
answer. All decisions come from the seed, so a seed always results in the same run.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Protocol

from greenlet import greenlet

from functions.platform.errors import NotflixError, StoreUnavailable
from tests.simulation.faults import COVERED_FAULTS, Fault, Target

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

SWITCHES = 0.15
"""The share of effects at which the scheduler may continue with another job."""

AT_ONCE = 4
"""The maximum number of jobs that run concurrently."""

LEASE = timedelta(minutes=10)
"""How long a message stays invisible after its process was killed or suspended."""

MOST_STEPS = 20_000
MOST_WAITS = 100
"""How many times other jobs are let past while a suspended job waits for its second delivery."""
CALL = timedelta(milliseconds=1)
TIMEOUT = timedelta(seconds=5)

LASTING = 10
"""With it, the longest outage lasts 100 minutes, which is longer than any message is deferred."""


class Crash(BaseException):
    """The process was killed; derived from BaseException, so that no `except Exception` catches it."""


@dataclass(frozen=True, slots=True)
class Ended:
    """How a job ended: normally with a result, by an error, or by a crash of its process."""

    result: object = None
    error: Exception | None = None
    crashed: bool = False


@dataclass(slots=True)
class Job:
    """Work that a process of the app `app` does; `repeat` returns the same work again, as if it were delivered twice.

    `ended` is called when the work has ended, `suspended` when its process stops for longer than a lease. After that,
    `delivered_again` returns whether the work was given to another process.
    """

    name: str
    app: str
    work: Callable[[], object]
    ended: Callable[[Ended], None] = lambda ended: None
    suspended: Callable[[], None] = lambda: None
    delivered_again: Callable[[], bool] = lambda: False

    def repeat(self) -> Job:
        """Return a second delivery of the job; nobody waits for its end."""
        return Job(self.name, self.app, self.work)


class JobSource(Protocol):
    """The jobs that can start."""

    def ready(self, now: datetime) -> Sequence[Callable[[], Job]]:
        """Return a function for each job that can start now; calling it takes the job."""

    def next_time(self, now: datetime) -> datetime | None:
        """Return the next time at which a job can start, or None."""

    def moved(self, before: datetime, now: datetime) -> None:
        """React to a jump of the clock."""

    def restarted(self, app: str) -> None:
        """React to the restart of an app after a crash."""


@dataclass(eq=False, slots=True)
class Task:
    """A running job, its coroutine, and the reason for which it is paused."""

    job: Job
    number: int
    coroutine: greenlet
    wakes_at: datetime
    waits_for: Task | None = None
    killed: bool = False
    over: bool = False
    repeats: bool = False

    def ready(self, now: datetime) -> bool:
        """Return whether the task can continue."""
        return self.wakes_at <= now and (self.waits_for is None or self.waits_for.over)


@dataclass
class Simulation:
    """One run: its clock, tasks, faults, and the trace of its effects."""

    seed: int
    start: datetime
    targets: tuple[Target, ...] = ()
    horizon: int = 200
    trace: list[tuple[datetime, int, str]] = field(default_factory=list)
    seen: dict[str, int] = field(default_factory=dict)
    covered: set[tuple[str, Fault]] = field(default_factory=set)
    surprises: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.rng = random.Random(self.seed)
        self.now = self.start
        self.jobs: JobSource | None = None
        self.outages: dict[str, datetime] = {}
        self.effects = 0
        self.faults_injected = 0
        self.calm = False
        self._faults_done = False
        self._running: Task | None = None
        self._tasks: list[Task] = []
        self._started = 0
        self._hub = greenlet.getcurrent()
        rng = self.rng
        kinds = (*COVERED_FAULTS, Fault.REFUSED, Fault.UNANSWERED)
        self._planned = {
            rng.randrange(self.horizon): rng.choice(kinds) for _ in range(rng.choice((0, 0, 0, 1, 1, 2, 3)))
        }
        self._outages_at = {
            rng.randrange(self.horizon): timedelta(seconds=rng.choice((5, 60, 120, 600)))
            for _ in range(rng.choice((0, 0, 0, 1, 2)))
        }

    def clock(self) -> datetime:
        """Return the time."""
        return self.now

    def note(self, text: str) -> None:
        """Add a line to the trace."""
        self.trace.append((self.now, self._running.number if self._running else 0, text))

    # Effects

    def effect[R](self, store: str, name: str, call: Callable[[], R], away: Callable[[], R] | None = None) -> R:
        """Call a port, or fail or stop as planned; `away` replaces the error of an unavailable store."""
        task = self._running
        if task is None:  # the test itself looks at a store
            return call()
        if task.killed:
            raise Crash
        key = f"{task.job.name} {name}"
        number, self.effects = self.effects, self.effects + 1
        if not self.calm and self.rng.random() < SWITCHES:
            self._pause(task)
        fault = self._fault(number, key)
        self.seen.setdefault(key, number)
        self.now += CALL
        self.note(f"{key}{f'  ◄ {fault}' if fault else ''}")
        match fault:
            case Fault.CRASH_BEFORE:
                self._crash(task, key, fault)
            case Fault.LATE:
                self._suspend(task, key)
            case Fault.REORDERED:
                task.waits_for = self._overtake(task)
                self._pause(task)
                self.covered.add((key, fault))
            case Fault.TWICE:
                task.repeats = True
                self.covered.add((key, fault))
        if fault is Fault.REFUSED or self._is_away(store):
            if fault is Fault.CRASH_AFTER:  # it is killed while it waits for the store
                self._crash(task, key, fault)
            return self._unavailable(store, away)
        result = call()
        if isinstance(result, Iterator):
            result = iter(list(result))  # type: ignore[assignment]
        if fault is Fault.CRASH_AFTER:
            self._crash(task, key, fault)
        if fault is Fault.UNANSWERED:
            return self._unavailable(store, away)
        return result

    def _fault(self, number: int, key: str) -> Fault | None:
        if key not in self.seen and (target := next((each for each in self.targets if each.effect == key), None)):
            self.faults_injected += 1
            # A later fault of the seed could prevent this one from being covered. And what follows is the same when a
            # further target is added, so that its effect is reached.
            self._faults_done = True
            return target.fault
        if self.calm or self._faults_done:
            return None
        fault = self._planned.pop(number, None)
        if lasts := self._outages_at.pop(number, None):
            self.lose(self.rng.choice(self.stores), lasts)
        if fault:
            self.faults_injected += 1
        return fault

    def lose(self, store: str, lasts: timedelta) -> None:
        """Make a store unavailable for some time, unless no more faults are to happen."""
        if not self.calm and not self._faults_done:
            lasts *= LASTING if store in self.lasting else 1
            self.outages[store] = self.now + lasts
            self.note(f"{store} is away for {lasts.total_seconds():.0f} s")
            self.faults_injected += 1

    stores: Sequence[str] = ("documents",)
    """The stores that can become unavailable."""

    lasting: Sequence[str] = ()
    """The stores among them whose outages are longer, by the factor LASTING."""

    def _is_away(self, store: str) -> bool:
        return self.outages.get(store, self.now) > self.now

    def _unavailable[R](self, store: str, away: Callable[[], R] | None) -> R:
        self.now += TIMEOUT
        self.note(f"{store} does not answer")
        if away:
            return away()
        raise StoreUnavailable(f"{store} does not answer (simulated).")

    def _crash(self, task: Task, key: str, fault: Fault) -> None:
        """Kill all tasks of the task's app, and the task itself."""
        self.covered.add((key, fault))
        for other in self._tasks:
            if other.job.app == task.job.app:
                other.killed = True
        raise Crash

    def _suspend(self, task: Task, key: str) -> None:
        """Suspend a task for longer than a lease, and until another process has received its work."""
        task.wakes_at = self.now + LEASE * 1.1
        task.job.suspended()
        self._pause(task)
        for _ in range(MOST_WAITS):
            if task.job.delivered_again():
                self.covered.add((key, Fault.LATE))
                return
            self._pause(task)

    def _overtake(self, task: Task) -> Task:
        """Return another task that runs to its end before `task` continues: one that waits, or a second delivery."""
        assert self.jobs
        waiting = self.jobs.ready(self.now)
        job = self.rng.choice(waiting)() if waiting else task.job.repeat()
        return self._add(job)

    # Scheduling

    def run(self) -> None:
        """Run jobs until none is left."""
        assert self.jobs
        for _ in range(MOST_STEPS):
            self._reap()
            paused = [task for task in self._tasks if task.ready(self.now)]
            ready = self.jobs.ready(self.now) if len(self._tasks) < AT_ONCE else ()
            if paused or ready:
                chosen = self.rng.randrange(len(paused) + len(ready))
                self._continue(paused[chosen] if chosen < len(paused) else self._add(ready[chosen - len(paused)]()))
                continue
            times = [task.wakes_at for task in self._tasks if task.wakes_at > self.now]
            if upcoming := self.jobs.next_time(self.now):
                times.append(upcoming)
            if not times:
                if self._tasks:
                    raise AssertionError(f"{[task.job.name for task in self._tasks]} wait for each other")
                return
            self.forward(min(times) - self.now)
        raise AssertionError(f"the run did not end within {MOST_STEPS} steps")

    def forward(self, by: timedelta) -> None:
        """Move the clock forward."""
        assert self.jobs
        before, self.now = self.now, self.now + by
        self.jobs.moved(before, self.now)

    def _add(self, job: Job) -> Task:
        self._started += 1
        task = Task(job, self._started, greenlet(self._work, parent=self._hub), self.now)
        self._tasks.append(task)
        return task

    def _continue(self, task: Task) -> None:
        self._running = task
        task.coroutine.switch(task)
        self._running = None

    def _pause(self, task: Task) -> None:
        """Pause, so that the scheduler can choose any task; return when it has chosen this one."""
        self._hub.switch()
        task.waits_for = None
        if task.killed:
            raise Crash

    def _reap(self) -> None:
        """End the tasks of killed processes."""
        while killed := next((task for task in self._tasks if task.killed), None):
            self._running = killed
            if killed.coroutine:
                killed.coroutine.throw(Crash)
            else:  # it had not begun
                self._end(killed, Ended(crashed=True))
            self._running = None

    def _work(self, task: Task) -> None:
        try:
            ended = Ended(result=task.job.work())
        except Crash:
            ended = Ended(crashed=True)
        except Exception as error:  # noqa: BLE001 - as the host does
            ended = Ended(error=error)
            self.note(f"{task.job.name} raised {type(error).__name__}: {error}")
            if not isinstance(error, NotflixError):
                self.surprises.append(f"{task.job.name} raised {type(error).__name__}: {error}")
        self._end(task, ended)

    def _end(self, task: Task, ended: Ended) -> None:
        task.over = True
        self._tasks.remove(task)
        task.job.ended(ended)
        if ended.crashed:
            self.note(f"the process of {task.job.name} was killed")
            assert self.jobs
            self.jobs.restarted(task.job.app)
        if task.repeats and not ended.crashed:
            self.note(f"{task.job.name} is delivered again")
            self._add(task.job.repeat())


class Port:
    """A port whose calls are effects of a simulation.

    While the store is away, a call raises StoreUnavailable, or does what `away` defines for its method.
    """

    def __init__(
        self,
        simulation: Simulation,
        store: str,
        name: str,
        target: object,
        away: dict[str, Callable[[], Any]] | None = None,
    ) -> None:
        self._simulation = simulation
        self._store = store
        self._name = name
        self._target = target
        self._away = away or {}

    def __getattr__(self, method: str) -> Any:
        call = getattr(self._target, method)
        if not callable(call):
            return call
        name, away = f"{self._name}.{method}", self._away.get(method)

        def effect(*arguments: Any, **named: Any) -> Any:
            return self._simulation.effect(self._store, name, lambda: call(*arguments, **named), away)

        setattr(self, method, effect)
        return effect
