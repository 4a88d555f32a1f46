"""A discrete-event model of an encode: its messages, the encoders that take them, and the rule that starts encoders.

Times are in seconds from the end of an upload, work is in core-seconds. An encoder takes one message of each queue at a
time, so the first segment of a film (`front`), a chunk and a track of sound may share the cores of a replica. A task
that is alone on a replica is as fast as Amdahl's law says; otherwise fronts get what they can use, and the others share
the rest, as their priorities demand.

The scale rule is that of `infra/encoder.bicep`: KEDA looks at the queues every POLL_S and asks for one replica per so
many messages; the platform adds replicas in steps of 1, 4 and 100 % and keeps the highest number of the last
COOL_DOWN_S (learn.microsoft.com/azure/container-apps/scale-app, "Scale behavior"). START_S, the time from the decision
to a working encoder, is an estimate.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from functions.encoding.spending.costs import COOL_DOWN_S, CORES, START_S

if TYPE_CHECKING:
    from collections.abc import Iterator

POLL_S = 24.0
FIRST_STEP = 4
"""After the first replica, the platform goes to this number, and then doubles it at each poll."""

FRONT, CHUNK, SOUND = "front", "chunk", "sound"
LENGTHS = {FRONT: 2}
"""How many waiting messages of a queue ask for another replica; for chunks and sound it is a setting."""

EPSILON = 1e-9


@dataclass(frozen=True, slots=True)
class Task:
    """A message: its queue and its work."""

    queue: str
    core_s: float


@dataclass(frozen=True, slots=True)
class Film:
    """An encode: a plan, then one phase of tasks after the other, then the publication; `serial` is Amdahl's share."""

    plan_s: float
    publish_s: float
    serial: float
    phases: tuple[tuple[Task, ...], ...]


@dataclass(frozen=True, slots=True)
class Encoders:
    """Encoders that run already: machines with `cores` and a number of processes each."""

    cores: float
    processes: int
    machines: int = 1


@dataclass(frozen=True, slots=True)
class Rule:
    """Replicas of one process each, started from zero."""

    most: int
    chunks_per_replica: int
    cores: float = CORES
    start_s: float = START_S


@dataclass(frozen=True, slots=True)
class Outcome:
    """The first picture, the end of each phase, the number of replicas at most, and what is billed for them."""

    first_picture_s: float
    done_s: tuple[float, ...]
    replicas: int
    replica_s: float


def speedup(serial: float, cores: float) -> float:
    """Return how much faster a task is on so many cores than on one; on less than one core it is slower."""
    return cores if cores < 1 else 1 / (serial + (1 - serial) / cores)


def serial_share(speed: float, cores: float) -> float:
    """Return the serial share of a task that is `speed` times faster on `cores` cores, between 0 and 1."""
    return min(1.0, max(0.0, (cores / speed - 1) / (cores - 1)))


def simulate(film: Film, on: Encoders | Rule) -> Outcome:
    """Return the outcome of encoding a film with encoders that have nothing else to do."""
    return _Run(film, on).end()


@dataclass(slots=True)
class _Running:
    queue: str
    left: float
    process: int


@dataclass(slots=True)
class _Node:
    """A machine or replica with its processes; it works from `ready_at` on."""

    cores: float
    processes: int
    ready_at: float
    running: list[_Running] = field(default_factory=list)

    def free(self, queue: str) -> Iterator[int]:
        taken = {task.process for task in self.running if task.queue == queue}
        yield from (number for number in range(self.processes) if number not in taken)

    def speeds(self, serial: float) -> list[float]:
        """Return the core-seconds per second that each running task gets."""
        cap = speedup(serial, self.cores)
        speeds = [0.0] * len(self.running)
        left = self.cores
        for is_front in (True, False):
            group = [index for index, task in enumerate(self.running) if (task.queue == FRONT) == is_front]
            for done, index in enumerate(group):
                speeds[index] = min(cap, left / (len(group) - done))
                left -= speeds[index]
        return speeds


class _Run:
    """The state of a simulation."""

    def __init__(self, film: Film, on: Encoders | Rule) -> None:
        self.film = film
        self.now = 0.0
        self.rule = on if isinstance(on, Rule) else None
        self.nodes = (
            [_Node(on.cores, on.processes, 0.0) for _ in range(on.machines)] if isinstance(on, Encoders) else []
        )
        self.waiting: list[Task] = []
        self.phase = -1
        self.planned_at = math.inf
        self.published_at = math.inf
        self.next_poll = POLL_S / 2 if self.rule else math.inf  # on average
        self.wanted: list[tuple[float, int]] = []
        self.most = 0
        self.replica_s = 0.0
        self.first_picture_s = math.inf
        self.done_s: list[float] = []

    def end(self) -> Outcome:
        """Run until everything is done and all replicas have ended."""
        while len(self.done_s) < len(self.film.phases) or (self.rule and self.nodes):
            if self.planned_at == math.inf and any(node.ready_at <= self.now for node in self.nodes):
                self.planned_at = self.now + self.film.plan_s
            self._take()
            self._advance()
            self._finish()
        return Outcome(self.first_picture_s, tuple(self.done_s), self.most, self.replica_s)

    @property
    def _working(self) -> list[_Node]:
        return [node for node in self.nodes if node.ready_at <= self.now]

    def _take(self) -> None:
        """Give waiting tasks to free encoders; the one that has the least to do takes the next."""
        left = []
        for task in self.waiting:
            free = [node for node in self._working if next(node.free(task.queue), None) is not None]
            if free:
                node = min(free, key=lambda each: len(each.running))
                node.running.append(_Running(task.queue, task.core_s, next(node.free(task.queue))))
            else:
                left.append(task)
        self.waiting = left

    def _advance(self) -> None:
        """Go to the next event, and do the work until then."""
        speeds = {id(node): node.speeds(self.film.serial) for node in self._working}
        ends = [
            self.now + task.left / speed
            for node in self._working
            for task, speed in zip(node.running, speeds[id(node)], strict=True)
            if speed > 0
        ]
        coming = [node.ready_at for node in self.nodes if node.ready_at > self.now]
        planned_at = self.planned_at if self.phase < 0 else math.inf
        published_at = self.published_at if len(self.done_s) <= self.phase else math.inf
        after = min([*ends, *coming, planned_at, published_at, self.next_poll])
        spent = after - self.now
        for node in self._working:
            for task, speed in zip(node.running, speeds[id(node)], strict=True):
                task.left -= speed * spent
        self.replica_s += spent * len(self.nodes) if self.rule else 0.0
        self.now = after

    def _finish(self) -> None:
        """Do what is due now."""
        for node in self.nodes:
            for task in [task for task in node.running if task.left <= EPSILON]:
                node.running.remove(task)
                if task.queue == FRONT:
                    self.first_picture_s = min(self.first_picture_s, self.now)
        if self.planned_at <= self.now and self.phase < 0:
            self._begin(0)
        elif self.phase >= 0 and self.published_at == math.inf and not self._tasks_left():
            self.published_at = self.now + self.film.publish_s
        if self.published_at <= self.now and len(self.done_s) <= self.phase:
            self.done_s.append(self.now)
            if self.phase + 1 < len(self.film.phases):
                self._begin(self.phase + 1)
        if self.next_poll <= self.now:
            self._poll()

    def _begin(self, phase: int) -> None:
        self.phase = phase
        self.published_at = math.inf
        self.waiting = list(self.film.phases[phase])

    def _tasks_left(self) -> int:
        return len(self.waiting) + sum(len(node.running) for node in self.nodes)

    def _poll(self) -> None:
        """Start and end replicas as the rule says."""
        assert self.rule
        self.next_poll += POLL_S
        wanted = min(self.rule.most, self._wanted())
        now = len(self.nodes)
        step = 1 if now == 0 else max(FIRST_STEP, 2 * now)
        self.wanted = [(at, count) for at, count in self.wanted if at > self.now - COOL_DOWN_S]
        self.wanted.append((self.now, wanted))
        for _ in range(min(step, wanted) - now):
            self.nodes.append(_Node(self.rule.cores, 1, self.now + self.rule.start_s))
        keep = max(count for _, count in self.wanted)
        idle = [node for node in self.nodes if not node.running]
        for node in idle[: max(0, len(self.nodes) - keep)]:
            self.nodes.remove(node)
        self.most = max(self.most, len(self.nodes))

    def _wanted(self) -> int:
        """Return how many replicas the queues ask for; messages in work count like those that wait."""
        assert self.rule
        if self.phase < 0:
            return 1
        if self.published_at < math.inf:
            return int(len(self.done_s) <= self.phase)
        tasks = [task.queue for task in self.waiting] + [task.queue for node in self.nodes for task in node.running]
        lengths = {CHUNK: self.rule.chunks_per_replica, SOUND: self.rule.chunks_per_replica} | LENGTHS
        return max(math.ceil(tasks.count(queue) / lengths[queue]) for queue in set(tasks))
