"""The queue for password hashes; it is fair, so a flood from a few networks does not keep other people waiting.

Each line contains the waiting attempts of one network. People who have already proved that an account is theirs wait in
a line of that account instead. Lines take turns: the next attempt comes from the line that was served least recently.
There are few waiting places, and one line may take only some of them. When all are taken, a new attempt displaces an
attempt of the line that occupies the most places. If several lines occupy equally many, it displaces an attempt of the
one that has made the most attempts recently. Attempts of known people are served first and have their own places, but
at least every fourth turn goes to others.
"""

from __future__ import annotations

import math
import threading
import time
from collections import Counter, OrderedDict
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

CONCURRENT = 2
MOST_WAITING = 8
MOST_KNOWN_WAITING = 3
"""Two running hashes and eleven waiting attempts leave 3 of an instance's 16 threads for other requests."""

MOST_IN_LINE = 6
"""An office may take six of the eight places; two stay free, so that other lines rarely have to displace an attempt."""

KNOWN_IN_A_ROW = 3
HALF_LIFE_S = 30.0
MOST_REMEMBERED = 4096


@dataclass(frozen=True, slots=True)
class Line:
    """A line in which attempts wait: that of a network or, with `known`, that of an account."""

    name: str
    known: bool = False


UNNAMED = Line("")


class HashTicketState(Enum):
    """Whether an attempt waits for its turn, runs, or has been refused or ended."""

    WAITING = "waiting"
    RUNNING = "running"
    REFUSED = "refused"


class HashTicket:
    """One attempt in the queue; `settled` is set once it runs or is refused."""

    __slots__ = ("line", "settled", "state")

    def __init__(self, line: Line) -> None:
        self.line = line
        self.state = HashTicketState.WAITING
        self.settled = threading.Event()


class _LineRecord:
    """The record of a line: its number of recent attempts, which halves every HALF_LIFE_S, and its last turn."""

    __slots__ = ("at", "attempts", "last_turn")

    def __init__(self, at: float) -> None:
        self.attempts = 0.0
        self.at = at
        self.last_turn = 0

    def attempts_at(self, now: float) -> float:
        """Return the number of recent attempts at the time `now`."""
        return self.attempts * math.exp2((self.at - now) / HALF_LIFE_S)

    def add(self, attempts: float, now: float) -> None:
        """Add to the number of recent attempts."""
        self.attempts, self.at = max(0.0, self.attempts_at(now) + attempts), now


class FairQueue:
    """Runs up to `concurrent` attempts at once and distributes the waiting places fairly; thread-safe."""

    def __init__(
        self,
        *,
        concurrent: int = CONCURRENT,
        most_waiting: int = MOST_WAITING,
        most_known_waiting: int = MOST_KNOWN_WAITING,
        most_in_line: int = MOST_IN_LINE,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._concurrent = concurrent
        self._places = {False: most_waiting, True: most_known_waiting}
        self._most_in_line = most_in_line
        self._now = now
        self._lock = threading.Lock()
        self._running = 0
        self._waiting: dict[bool, list[HashTicket]] = {False: [], True: []}
        self._records: OrderedDict[Line, _LineRecord] = OrderedDict()
        self._turn = 0
        self._known_in_a_row = 0

    def enter(self, line: Line) -> HashTicket:
        """Add an attempt to a line; return its ticket, which is running, waiting or, if there is no place, refused."""
        ticket = HashTicket(line)
        with self._lock:
            self._record(line).add(1, self._now())
            if self._running < self._concurrent:
                self._run(ticket)
            elif self._make_place(line):
                self._waiting[line.known].append(ticket)
            else:
                _refuse(ticket)
        return ticket

    def leave(self, ticket: HashTicket) -> None:
        """End a running attempt, so that the next one runs, or remove a waiting attempt."""
        with self._lock:
            if ticket.state is HashTicketState.WAITING:
                self._waiting[ticket.line.known].remove(ticket)
                _refuse(ticket)
            elif ticket.state is HashTicketState.RUNNING:
                ticket.state = HashTicketState.REFUSED
                self._running -= 1
                self._run_next()

    def forgive(self, line: Line) -> None:
        """Subtract a successful attempt from the recent attempts of its line."""
        with self._lock:
            self._record(line).add(-1, self._now())

    def _run(self, ticket: HashTicket) -> None:
        self._running += 1
        self._turn += 1
        self._record(ticket.line).last_turn = self._turn
        ticket.state = HashTicketState.RUNNING
        ticket.settled.set()

    def _run_next(self) -> None:
        known, others = self._waiting[True], self._waiting[False]
        if known and (not others or self._known_in_a_row < KNOWN_IN_A_ROW):
            tickets, self._known_in_a_row = known, self._known_in_a_row + 1
        else:
            tickets, self._known_in_a_row = others, 0
        if tickets:
            ticket = min(tickets, key=lambda each: self._record(each.line).last_turn)  # the first of equal lines
            tickets.remove(ticket)
            self._run(ticket)

    def _make_place(self, line: Line) -> bool:
        """Return whether a new attempt of a line may wait; to make room, it may displace another line's attempt."""
        tickets = self._waiting[line.known]
        in_line = Counter(each.line for each in tickets)
        if in_line[line] >= self._most_in_line:
            return False
        if len(tickets) < self._places[line.known]:
            return True
        if not tickets:
            return False
        now = self._now()

        def claim(each: Line) -> tuple[int, float]:
            return in_line[each], self._record(each).attempts_at(now)

        displaced = max(reversed(tickets), key=lambda each: claim(each.line))  # if several are equal, the newest
        held, attempts = claim(line)
        if (held + 1, attempts) >= claim(displaced.line):
            return False
        tickets.remove(displaced)
        _refuse(displaced)
        return True

    def _record(self, line: Line) -> _LineRecord:
        record = self._records.get(line)
        if record is None:
            record = self._records[line] = _LineRecord(self._now())
            if len(self._records) > MOST_REMEMBERED:
                self._records.popitem(last=False)
        self._records.move_to_end(line)
        return record


def _refuse(ticket: HashTicket) -> None:
    ticket.state = HashTicketState.REFUSED
    ticket.settled.set()
