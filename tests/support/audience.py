"""Many concurrent viewers: each sends heartbeats on its own schedule, some of them duplicated or late."""

from __future__ import annotations

import http.client
import json
import random
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from functions.platform.errors import StoreUnavailable
from functions.usage.service import UsageService
from tests.support.usage import MemoryViewingDays

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime

    from functions.catalogue.model import Title
    from functions.platform.signed_tokens import SignedTokens
    from functions.usage.model import View
    from functions.usage.ports import UsageStore

TITLE = "film"
FILM_S = 7200.0
WORKERS = 40
ANSWER_WITHIN_S = 20.0
LAST_ATTEMPTS = 20
"""How often a last heartbeat is sent: all viewers leave at once, so some are asked to try again."""

LATE_SHARE = 0.1
"""The share of heartbeats that are followed by a duplicate or late heartbeat."""


class NoTitles:
    """A catalogue that fails when it is used, because opening titles and heartbeats must not use it."""

    def get(self, title_id: str) -> Title:
        raise AssertionError(f"{title_id} was asked for")

    def known(self, title_ids: object) -> Mapping[str, Title]:
        raise AssertionError(f"{title_ids} were asked for")


@dataclass(slots=True)
class Seat:
    """A viewer; their film plays in real time from `began`, whether or not heartbeats arrive."""

    user_id: str
    ticket: str
    due: float
    began: float = 0.0
    sequence: int = 0
    highest_stored_s: float = 0.0
    told_s: float = 0.0

    @property
    def position_s(self) -> float:
        """Return the current position in the film."""
        return round(time.monotonic() - self.began, 3)


@dataclass
class Report:
    """The results of the heartbeats; latencies are in seconds since each heartbeat was due."""

    latencies_s: list[float] = field(default_factory=list)
    refused: int = 0
    unanswered: int = 0
    backwards: int = 0

    def quantile_ms(self, share: float) -> float:
        """Return the quantile of the latencies, in milliseconds."""
        ordered = sorted(self.latencies_s)
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))] * 1000


class Audience:
    """Viewers of a running API; their views are created in the API's own store."""

    def __init__(
        self, api: str, store: UsageStore, tickets: SignedTokens, now: datetime, *, viewers: int, every_s: float
    ) -> None:
        self._address = urlsplit(api)
        self._store = store
        self._every_s = every_s
        self._leaving = threading.Event()
        self._stop = threading.Event()
        titles: Any = NoTitles()
        usage = UsageService(store, titles, tickets, MemoryViewingDays(), send=lambda message: None, now=lambda: now)
        self.seats: list[Seat] = []
        for number in range(viewers):
            user_id = f"{random.getrandbits(128):032x}"
            ticket = usage.open(user_id, TITLE, duration_s=FILM_S).ticket
            assert ticket
            self.seats.append(Seat(user_id, ticket, due=every_s * number / viewers))
        self.report = Report()
        self.sent = 0
        self._lock = threading.Lock()

    def watch(self, seconds: float) -> Report:
        """Send all viewers' heartbeats for `seconds` or until `leave` is called; at the end, each repeats a last one.

        In parallel, check that no stored position moves backwards.
        """
        began = time.monotonic()
        for seat in self.seats:
            seat.began = began
        workers = [
            threading.Thread(target=self._serve, args=(self.seats[number::WORKERS], began, began + seconds))
            for number in range(min(WORKERS, len(self.seats)))
        ]
        checker = threading.Thread(target=self._check_positions)
        for thread in (*workers, checker):
            thread.start()
        for thread in workers:
            thread.join()
        self._stop.set()
        checker.join()
        return self.report

    def leave(self) -> None:
        """Make all viewers leave now."""
        self._leaving.set()

    def kept(self) -> Iterator[tuple[Seat, View]]:
        """Yield each viewer and their stored view."""
        for seat in self.seats:
            kept = self._store.view(seat.user_id, TITLE)
            assert kept, "a view is missing"
            yield seat, kept.view

    def lost(self) -> int:
        """Return the number of viewers whose stored position is less than the last acknowledged one."""
        return sum(view.position_s < seat.told_s for seat, view in self.kept())

    def _serve(self, seats: Sequence[Seat], began: float, ends: float) -> None:
        """Send the heartbeats of some viewers when they are due, over one connection."""
        connection = self._connect()
        waiting = sorted((began + seat.due, number) for number, seat in enumerate(seats))
        while waiting and waiting[0][0] < ends:
            due, number = waiting.pop(0)
            if self._leaving.wait(max(0.0, due - time.monotonic())):
                break
            connection = self._beat(connection, seats[number], due)
            waiting.append((due + self._every_s, number))
            waiting.sort()
        for seat in seats:
            told_s = seat.told_s
            for _ in range(LAST_ATTEMPTS):
                connection = self._beat(connection, seat, None)
                if seat.told_s != told_s:
                    break
                time.sleep(0.5)
        connection.close()

    def _beat(
        self, connection: http.client.HTTPConnection, seat: Seat, due: float | None
    ) -> http.client.HTTPConnection:
        """Send a heartbeat, sometimes followed by a duplicate or late one; return the connection to use afterwards.

        The latency is not measured if `due` is None, as for the last heartbeats when all viewers leave.
        """
        seat.sequence += 1
        position_s = seat.position_s
        try:
            status = self._put(connection, seat, seat.sequence, position_s)
            with self._lock:
                if due is not None:
                    self.report.latencies_s.append(time.monotonic() - due)
                self.report.refused += status != 204
            if status == 204:
                seat.told_s = position_s
                if random.random() < LATE_SHARE:
                    self._put(connection, seat, seat.sequence - random.randrange(2), position_s / 2)
        except (OSError, http.client.HTTPException):
            with self._lock:
                self.report.unanswered += 1
            connection.close()
            return self._connect()
        return connection

    def _put(self, connection: http.client.HTTPConnection, seat: Seat, sequence: int, position_s: float) -> int:
        with self._lock:
            self.sent += 1
        beat = {
            "ticket": seat.ticket,
            "sequence": sequence,
            "position_s": position_s,
            "watched_s": position_s,
            "qoe": {"startup_ms": 900, "rebuffers": 0, "rebuffer_ms": 0, "bitrate_kbps": 2800, "dropped_frames": 0},
        }
        headers = {"Content-Type": "application/json"}
        connection.request("PUT", f"/api/usage/{TITLE}", json.dumps(beat), headers)
        answer = connection.getresponse()
        answer.read()
        return answer.status

    def _connect(self) -> http.client.HTTPConnection:
        host, port = self._address.hostname, self._address.port
        assert host
        return http.client.HTTPConnection(host, port, timeout=ANSWER_WITHIN_S)

    def _check_positions(self) -> None:
        """Read the stored positions in turn until the viewers stop; count those that moved backwards."""
        number = 0
        while not self._stop.wait(0.02):
            seat = self.seats[number % len(self.seats)]
            number += 1
            try:
                kept = self._store.view(seat.user_id, TITLE)
            except StoreUnavailable:
                continue  # the store was killed, so no position can be read
            if kept:
                self.report.backwards += kept.view.position_s < seat.highest_stored_s
                seat.highest_stored_s = max(seat.highest_stored_s, kept.view.position_s)
