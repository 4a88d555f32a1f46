"""The Functions host in a simulation: queues with leases and attempts, poison queues, blob events, timers, clients."""

from __future__ import annotations

import itertools
import json
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache, partial
from typing import TYPE_CHECKING, Any

import azure.functions as func

from functions.platform.errors import NotflixError, StoreUnavailable
from functions.platform.queues import PARKED, Queues
from functions.platform.triggers import LOST_BLOBS
from infra.local.host.timers import Schedule
from tests.simulation.kernel import LEASE, Ended, Job

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from types import ModuleType

    from tests.simulation.kernel import Simulation

ATTEMPTS = 5
"""`maxDequeueCount` and `poisonBlobThreshold` in host.json."""

RETRY = timedelta(seconds=5)
"""`visibilityTimeout` in host.json: the time between two attempts."""

CLIENT_TIMEOUT = timedelta(minutes=1)
"""How long a client waits for an answer before it makes its request again."""

CLIENT_RETRY = timedelta(seconds=7)
CLIENT_PATIENCE = 400
"""How many times a client repeats a request that was not answered or was answered with 503: for most of an hour."""

API, ENCODER = "api", "encoder"


@dataclass(frozen=True, slots=True)
class HostFunction:
    """A function of the product, as the host would call it."""

    name: str
    app: str
    call: Callable[[Any], object]


@dataclass(frozen=True, slots=True)
class Functions:
    """The functions of some slices, by queue, and their timers with their schedules."""

    queues: dict[str, HostFunction]
    blobs: HostFunction | None
    timers: tuple[tuple[HostFunction, Schedule], ...]


@cache
def functions_of(*modules: ModuleType) -> Functions:
    """Return the functions that the trigger modules of slices declare."""
    queues: dict[str, HostFunction] = {}
    blobs, timers = None, []
    for module in modules:
        for attribute, app in (("app", API), ("encoder", ENCODER)):
            declared = getattr(module, attribute, None)
            if declared is None:
                continue
            for built in declared.blueprint._function_builders:
                function = built._function
                user = function.get_user_function()
                made = HostFunction(function.get_function_name(), app, getattr(user, "__wrapped__", user))
                trigger = function.get_trigger()
                match trigger.get_binding_name():
                    case "queueTrigger":
                        queues[trigger.queue_name] = made
                    case "blobTrigger":
                        blobs = made
                    case "timerTrigger":
                        timers.append((made, Schedule.parse(trigger.schedule)))
    return Functions(queues, blobs, tuple(timers))


@dataclass(eq=False, slots=True)
class QueuedMessage:
    """A message in a queue; `receipt` changes with each delivery, as a pop receipt does."""

    queue: str
    body: bytes
    visible_at: datetime
    number: int
    attempts: int = 0
    receipt: int = 0


@dataclass(eq=False, slots=True)
class HostTimer:
    """A timer; `waits` is true once it is due, until its function is called for the `runs`-th time."""

    function: HostFunction
    schedule: Schedule
    due_at: datetime
    waits: bool = False
    runs: int = 0


@dataclass(eq=False, slots=True)
class ClientRequest:
    """A request that a person or another service repeats until it is answered."""

    name: str
    app: str
    call: Callable[[], object]
    due_at: datetime
    tries: int = 0
    waits: bool = True


@dataclass
class SimulatedHost:
    """Starts the functions; messages to queues outside `functions` are dropped if they are in `elsewhere`."""

    simulation: Simulation
    functions: Functions
    elsewhere: frozenset[str] = frozenset()
    restart: Callable[[], None] = lambda: None
    queues: dict[str, list[QueuedMessage]] = field(default_factory=dict)
    requests: list[ClientRequest] = field(default_factory=list)
    answers: dict[str, object] = field(default_factory=dict)
    dropped: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._numbers = itertools.count(1)
        start = self.simulation.now
        self._timers = [HostTimer(made, each, each.next_after(start)) for made, each in self.functions.timers]
        self._events: list[QueuedMessage] = []

    # What happens from outside

    def put(self, queue: str, text: str, *, delay_s: float = 0) -> None:
        """Append a message to a queue."""
        if queue in self.elsewhere:
            self.dropped.append(text)
            return
        visible_at = self.simulation.now + timedelta(seconds=delay_s)
        self.queues.setdefault(queue, []).append(QueuedMessage(queue, text.encode(), visible_at, next(self._numbers)))

    def announce(self, blob: str, *, after: timedelta) -> None:
        """Deliver the event of an upload after a time."""
        self._events.append(QueuedMessage("", blob.encode(), self.simulation.now + after, next(self._numbers)))

    def request(self, name: str, call: Callable[[], object], *, at: datetime, app: str = API) -> None:
        """Make a client's request at a time, and repeat it until it is answered."""
        self.requests.append(ClientRequest(name, app, call, at))

    # What the scheduler asks for

    def ready(self, now: datetime) -> Sequence[Callable[[], Job]]:
        found: list[Callable[[], Job]] = []
        for queue, messages in self.queues.items():
            if made := self.functions.queues.get(queue):
                found += [partial(self._deliver, each, made) for each in messages if each.visible_at <= now]
        found += [partial(self._deliver_event, each) for each in self._events if each.visible_at <= now]
        found += [partial(self._tick, each) for each in self._timers if each.waits]
        found += [partial(self._ask, each) for each in self.requests if each.waits and each.due_at <= now]
        return found

    def next_time(self, now: datetime) -> datetime | None:
        times = [message.visible_at for message in self._waiting() if message.visible_at > now]
        times += [asked.due_at for asked in self.requests if asked.waits and asked.due_at > now]
        return min(times, default=None)

    def moved(self, before: datetime, now: datetime) -> None:
        """Run each timer that is due once; the host does not make up for runs that it missed."""
        for each in self._timers:
            if each.due_at <= now:
                each.due_at = each.schedule.next_after(now)
                each.waits = True

    def restarted(self, app: str) -> None:
        del app
        self.restart()

    @property
    def unread(self) -> list[str]:
        """Return the queues with messages that no function reads, except parked ones."""
        return sorted(queue for queue, held in self.queues.items() if held and queue != PARKED)

    @property
    def parked(self) -> list[str]:
        """Return the parked messages."""
        return [message.body.decode() for message in self.queues.get(PARKED, ())]

    def _waiting(self) -> Iterable[QueuedMessage]:
        for queue, messages in self.queues.items():
            if queue in self.functions.queues:
                yield from messages
        yield from self._events

    def _deliver(self, message: QueuedMessage, made: HostFunction) -> Job:
        message.attempts += 1
        message.receipt += 1
        receipt = message.receipt
        message.visible_at = datetime.max.replace(tzinfo=message.visible_at.tzinfo)  # renewed while the process lives
        self.simulation.note(f"deliver {message.queue} {message.body.decode()} (attempt {message.attempts})")

        def ended(ended: Ended) -> None:
            if message.receipt != receipt or message not in self.queues[message.queue]:
                return  # it was delivered again in the meantime, and the receipt is no longer valid
            if ended.crashed:
                message.visible_at = self.simulation.now + LEASE
            elif ended.error is None:
                self.queues[message.queue].remove(message)
            elif message.attempts >= ATTEMPTS and not message.queue.endswith("-poison"):
                self.queues[message.queue].remove(message)
                self.put(f"{message.queue}-poison", message.body.decode())
            else:
                message.visible_at = self.simulation.now + RETRY

        def suspended() -> None:
            if message.receipt == receipt:
                message.visible_at = self.simulation.now + LEASE

        return Job(
            made.name,
            made.app,
            lambda: made.call(func.QueueMessage(id=str(message.number), body=message.body)),
            ended,
            suspended,
            lambda: message.receipt != receipt,
        )

    def _deliver_event(self, event: QueuedMessage) -> Job:
        made = self.functions.blobs
        assert made
        event.attempts += 1
        event.receipt += 1
        receipt = event.receipt
        event.visible_at = datetime.max.replace(tzinfo=event.visible_at.tzinfo)
        blob = event.body.decode()

        def ended(ended: Ended) -> None:
            if event.receipt != receipt or event not in self._events:
                return
            if ended.crashed:
                event.visible_at = self.simulation.now + LEASE
            elif ended.error is None:
                self._events.remove(event)
            elif event.attempts >= ATTEMPTS:
                self._events.remove(event)
                self.put(LOST_BLOBS, json.dumps({"ContainerName": "uploads", "BlobName": blob}))
            else:
                event.visible_at = self.simulation.now

        def suspended() -> None:
            if event.receipt == receipt:
                event.visible_at = self.simulation.now + LEASE

        from functions.uploads.reference import BlobReference

        return Job(
            made.name,
            made.app,
            lambda: made.call(BlobReference("uploads", blob)),
            ended,
            suspended,
            lambda: event.receipt != receipt,
        )

    def _tick(self, timer: HostTimer) -> Job:
        timer.waits = False
        timer.runs += 1
        run, made = timer.runs, timer.function

        def suspended() -> None:
            """Let another process run the timer, whose lease has expired and whose last run is not recorded."""
            timer.due_at = min(timer.due_at, self.simulation.now + LEASE)

        return Job(
            made.name, made.app, lambda: made.call(None), suspended=suspended, delivered_again=lambda: timer.runs != run
        )

    def _ask(self, asked: ClientRequest) -> Job:
        asked.waits = False
        asked.tries += 1
        tries = asked.tries

        def ended(ended: Ended) -> None:
            if asked.tries != tries or asked.waits:
                return  # the client has stopped waiting for this answer
            if ended.crashed or isinstance(ended.error, StoreUnavailable) or _is_retryable(ended.error):
                assert asked.tries < CLIENT_PATIENCE, f"{asked.name} is never answered"
                asked.waits, asked.due_at = True, self.simulation.now + CLIENT_RETRY
                return
            self.requests.remove(asked)
            self.answers[asked.name] = ended.error or ended.result

        def suspended() -> None:
            if asked.tries == tries:
                asked.waits, asked.due_at = True, self.simulation.now + CLIENT_TIMEOUT

        return Job(asked.name.partition("#")[0], asked.app, asked.call, ended, suspended, lambda: asked.tries != tries)


def _is_retryable(error: Exception | None) -> bool:
    return isinstance(error, NotflixError) and error.retryable


class SimulatedQueues(Queues):
    """The real sender of messages, whose client is the simulated host."""

    def __init__(self, host: SimulatedHost) -> None:
        self._host = host

    def has_waiting(self, queue: str) -> bool:
        now = self._host.simulation.now
        return any(message.visible_at <= now for message in self._host.queues.get(queue, ()))

    def _put(self, queue: str, text: str, *, delay_s: int = 0, time_to_live: int | None = None) -> None:
        del time_to_live
        self._host.simulation.effect(
            "queues", f"queues.send {queue}", lambda: self._host.put(queue, text, delay_s=delay_s)
        )
