"""Notices a process that still runs but answers no query, such as a database whose disk was full."""

from __future__ import annotations

import logging
import os
import signal
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable

    from infra.local.processes.service import Service

log = logging.getLogger(__name__)

TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")
BUSY_SHARE = 0.05
"""A process that uses more than this share of a core counts as busy, even if it does not answer in time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How a running service is queried, and for how long it may answer none of the queries before it is restarted.

    The service is queried every `every_s` seconds, and again after `again_s` if it did not answer within `answer_s`.
    It is restarted once it has answered nothing for `silent_s`, or for `busy_s` while it uses the processor: a restart
    would not help a server that is slow because the machine is overloaded.
    """

    every_s: float = 15.0
    again_s: float = 2.0
    answer_s: float = 10.0
    silent_s: float = 30.0
    busy_s: float = 180.0


class Liveness:
    """Queries one running process. `check` returns None if the service answers, otherwise the reason."""

    def __init__(self, name: str, pid: int, check: Callable[[], str | None], patience: Patience) -> None:
        self._name = name
        self._pid = pid
        self._check = check
        self._patience = patience
        self._query: _Query | None = None
        self.answered_at = time.monotonic()

    def wait_for_silence(self, ended: threading.Event) -> str | None:
        """Query until the process has answered nothing for too long; return why, or None once `ended` is set."""
        patience = self._patience
        wait_s = patience.every_s
        cpu_s = cpu_of(self._pid)
        while not ended.wait(wait_s):
            if (reason := self._ask()) is None:
                self.answered_at = time.monotonic()
                cpu_s = cpu_of(self._pid)
                wait_s = patience.every_s
                continue
            wait_s = patience.again_s
            silent_s = time.monotonic() - self.answered_at
            busy = cpu_of(self._pid) - cpu_s > BUSY_SHARE * silent_s
            log.info("%s did not answer a query (%s)", self._name, reason)
            if silent_s >= (patience.busy_s if busy else patience.silent_s):
                return f"answered no query for {silent_s:.0f} s ({reason})"
        return None

    def _ask(self) -> str | None:
        """Return why the service does not answer; a query that hangs is waited for, and no second one is sent."""
        if self._query is None:
            self._query = _Query(self._name, self._check)
        if not self._query.done.wait(self._patience.answer_s):
            return f"no answer within {self._patience.answer_s:.0f} s"
        reason, self._query = self._query.reason, None
        return reason


class SilenceWatch(threading.Thread):
    """Ends a process that answers no query, so that the thread that waits for the process restarts it."""

    def __init__(self, service: Service, process: subprocess.Popen[bytes], lock: threading.Lock) -> None:
        assert service.patience is not None
        super().__init__(name=f"watch-{service.name}", daemon=True)
        self.liveness = Liveness(service.name, process.pid, service.check, service.patience)
        self.ended = threading.Event()
        self.silence: str | None = None
        self._process = process
        self._stop_s = service.stop_s
        self._lock = lock
        self.start()

    def run(self) -> None:
        """Query until the process ends or has to be ended."""
        self.silence = self.liveness.wait_for_silence(self.ended)
        if self.silence is None:
            return
        self._signal(signal.SIGTERM, signal.SIGCONT)  # a stopped process handles signals only once it continues
        if not self.ended.wait(self._stop_s):
            self._signal(signal.SIGKILL)

    def _signal(self, *numbers: signal.Signals) -> None:
        """Send signals to the process unless it has been reaped, after which its id may be in use again."""
        with self._lock:
            for number in numbers:
                if self._process.returncode is None:
                    os.kill(self._process.pid, number)


class _Query(threading.Thread):
    """One query in its own thread, because a driver may wait for a stopped server without a limit."""

    def __init__(self, name: str, check: Callable[[], str | None]) -> None:
        super().__init__(name=f"query-{name}", daemon=True)
        self._check = check
        self.done = threading.Event()
        self.reason: str | None = None
        self.start()

    def run(self) -> None:
        """Send the query."""
        try:
            self.reason = self._check()
        except Exception as error:  # noqa: BLE001 - whatever the driver raises, the service did not answer
            self.reason = f"{type(error).__name__}: {error}"
        self.done.set()


def cpu_of(pid: int) -> float:
    """Return the CPU time of a process in seconds; 0 if it has ended (proc_pid_stat(5), fields 14 and 15)."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return 0.0
    return (int(fields[11]) + int(fields[12])) / TICKS_PER_SECOND
