"""An open-loop load generator: requests are sent when they are due, whether or not earlier ones have been answered."""

from __future__ import annotations

import asyncio
import math
import random
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

ANSWER_WITHIN_S = 30.0
REFUSED_POLITELY = (429, 503)
KEPT_OPEN_S = 3.0
"""The server closes a connection that was idle for five seconds."""


@dataclass(frozen=True, slots=True)
class Call:
    """A request; `source` is the loopback address from which it is sent."""

    kind: str
    method: str
    path: str
    body: bytes = b""
    headers: tuple[tuple[str, str], ...] = ()
    source: str = ""


@dataclass(frozen=True, slots=True)
class Result:
    """The answer to a call: when the call was due, and how much later the answer came, on the event loop's clock.

    `status` is 0 if there was no answer; `polite` tells whether a refusal said when to try again.
    """

    kind: str
    due: float
    latency_s: float
    status: int
    polite: bool = False

    @property
    def succeeded(self) -> bool:
        """Return whether the call did what it asked for."""
        return 200 <= self.status < 300

    @property
    def shed(self) -> bool:
        """Return whether the call was refused because of the load, with a time to try again."""
        return self.status in REFUSED_POLITELY and self.polite


@dataclass
class Window:
    """The results of a period, and its length in seconds."""

    seconds: float
    results: list[Result] = field(default_factory=list)

    @property
    def answered_rps(self) -> float:
        """Return the successful answers per second."""
        return sum(result.succeeded for result in self.results) / self.seconds

    @property
    def shed(self) -> int:
        """Return the number of calls that were refused because of the load."""
        return sum(result.shed for result in self.results)

    @property
    def errors(self) -> int:
        """Return the number of calls that neither succeeded nor were shed."""
        return sum(not result.succeeded and not result.shed for result in self.results)

    def quantile_ms(self, share: float, *, of: str = "") -> float:
        """Return a quantile of the latencies of successful calls of a kind, in milliseconds; 0 if there are none."""
        taken = sorted(result.latency_s for result in self.results if result.succeeded and of in ("", result.kind))
        return taken[min(len(taken) - 1, int(share * len(taken)))] * 1000 if taken else 0.0

    def failures(self) -> str:
        """Return how often each kind of call was refused or failed, by status; 0 means that there was no answer."""
        counts = Counter((result.kind, result.status) for result in self.results if not result.succeeded)
        return (
            ", ".join(f"{number} × {kind} {status}" for (kind, status), number in counts.most_common()) or "no failures"
        )


@dataclass
class _Connection:
    """A connection to the API, and when it was last used."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    used_at: float = 0.0


class Generator:
    """Sends calls to an API on this machine over a pool of connections that stay open."""

    def __init__(self, host: str, port: int, draw: Callable[[], Call], *, seed: int = 1) -> None:
        self._host = host
        self._port = port
        self._draw = draw
        self._random = random.Random(seed)
        self._idle: dict[str, list[_Connection]] = {}

    async def run(self, rate_rps: float, seconds: float) -> Window:
        """Send calls at random times, `rate_rps` per second on average; return after all have been answered."""
        loop = asyncio.get_running_loop()
        window = Window(seconds)
        due, ends = loop.time(), loop.time() + seconds
        sent: list[asyncio.Task[None]] = []
        while (due := due + self._random.expovariate(rate_rps)) < ends:
            await asyncio.sleep(max(0.0, due - loop.time()))
            sent.append(asyncio.create_task(self._send(self._draw(), due, window)))
        await asyncio.gather(*sent)
        return window

    async def _send(self, call: Call, due: float, window: Window) -> None:
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(ANSWER_WITHIN_S):
                status, polite = await self._exchange(call)
        except (TimeoutError, OSError, EOFError, ValueError):
            status, polite = 0, False
        window.results.append(Result(call.kind, due, loop.time() - due, status, polite))

    async def _exchange(self, call: Call) -> tuple[int, bool]:
        connection = self._unused(call.source) or await self._connect(call.source)
        try:
            connection.writer.write(_request(call, self._host, self._port))
            status, headers = await _read_head(connection.reader)
            if length := int(headers.get("content-length", 0)):
                await connection.reader.readexactly(length)
        except BaseException:
            connection.writer.close()
            raise
        if headers.get("connection") == "close":
            connection.writer.close()
        else:
            connection.used_at = now()
            self._idle.setdefault(call.source, []).append(connection)
        return status, "retry-after" in headers

    def _unused(self, source: str) -> _Connection | None:
        """Return the most recently used idle connection that the server is not about to close."""
        pool = self._idle.get(source, [])
        while pool:
            connection = pool.pop()
            if now() - connection.used_at < KEPT_OPEN_S and not connection.reader.at_eof():
                return connection
            connection.writer.close()
        return None

    async def _connect(self, source: str) -> _Connection:
        local = (source, 0) if source else None
        return _Connection(*await asyncio.open_connection(self._host, self._port, local_addr=local))

    def close(self) -> None:
        """Close all connections."""
        for pool in self._idle.values():
            for connection in pool:
                connection.writer.close()
        self._idle.clear()


def mixture(kinds: Sequence[tuple[float, Callable[[], Call]]], *, seed: int = 1) -> Callable[[], Call]:
    """Return a function that draws calls; each kind is drawn in proportion to its weight."""
    chance = random.Random(seed)
    weights = [weight for weight, _ in kinds]
    makers = [make for _, make in kinds]
    return lambda: chance.choices(makers, weights)[0]()


def recovery_s(window: Window, began: float, *, step_s: float, steps: int, within_ms: float) -> float:
    """Return the seconds from `began` to the first of `steps` consecutive healthy steps; infinity if there are none.

    A step is healthy if every call that was due in it succeeded, with a 99th percentile of at most `within_ms`.
    """
    by_step: dict[int, Window] = {}
    for result in window.results:
        by_step.setdefault(int((result.due - began) // step_s), Window(step_s)).results.append(result)
    healthy = 0
    for number in range(max(by_step, default=-1) + 1):
        step = by_step.get(number, Window(step_s))
        fine = all(result.succeeded for result in step.results) and step.quantile_ms(0.99) <= within_ms
        healthy = healthy + 1 if fine else 0
        if healthy == steps:
            return step_s * (number + 1 - steps)
    return math.inf


def _request(call: Call, host: str, port: int) -> bytes:
    lines = [f"{call.method} {call.path} HTTP/1.1", f"Host: {host}:{port}", f"Content-Length: {len(call.body)}"]
    lines += [f"{name}: {value}" for name, value in call.headers]
    return "\r\n".join((*lines, "", "")).encode("latin-1") + call.body


async def _read_head(reader: asyncio.StreamReader) -> tuple[int, dict[str, str]]:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    headers = dict(line.lower().split(": ", 1) for line in head[1:] if ": " in line)
    return int(head[0].split(" ", 2)[1]), headers


def now() -> float:
    """Return the time on the clock by which results are timed."""
    return time.monotonic()
