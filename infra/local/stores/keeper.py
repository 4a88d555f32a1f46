"""A keeper owns the process of one part, from its preparation to its end.

It is a thread that lives exactly as long as the process: the kernel is asked to stop the process when that thread ends
(PR_SET_PDEATHSIG through `setpriv`), so nothing outlives a supervisor that was killed. A process that is still starting
is stopped only once it answers: MariaDB hangs for ever when SIGTERM reaches it earlier.
"""

from __future__ import annotations

import contextlib
import logging
import os
import shlex
import shutil
import signal
import subprocess
import threading
import time
from concurrent.futures import Future
from typing import TYPE_CHECKING

from infra.local.stores.home import CannotRun, Home
from infra.local.stores.part import Part, PartState, PartStatus, birth_of, with_system_programs

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

log = logging.getLogger(__name__)

CHECK_EVERY_S = 0.05
LONGEST_PAUSE_S = 30.0
FORGIVEN_AFTER_S = 60.0
LARGEST_LOG_BYTES = 16_000_000

DIES_WITH_ITS_STARTER = ("setpriv", "--pdeathsig", "TERM", "--")


class _Stopped(Exception):
    """The keeper was told to stop before its part was ready."""


class Keeper(threading.Thread):
    """Starts one part when all it needs are ready, tells every change of its state, and restarts it where it may."""

    def __init__(self, part: Part, *, home: Home, needs: Sequence[Keeper], tell: Callable[[PartStatus], None]) -> None:
        super().__init__(name=f"keeper-{part.name}", daemon=True)
        self.part = part
        self._needs = tuple(needs)
        self._log_path = home.log(part.name)
        self._folder = part.folder or home.path
        self._tell = tell
        self._ready: Future[bool] = Future()
        self._stopping = threading.Event()
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._heeds_sigterm = False
        self._restarts = 0

    def wait_until_ready(self) -> bool:
        """Return True once the part is ready, False once it is sure that it will not be."""
        return self._ready.result()

    def stop_waiting(self) -> None:
        """Let those that wait for this part know that it will not become ready."""
        self._settle(False)

    def ask_to_stop(self) -> None:
        """Begin to stop: no other process is started, and the present one is sent SIGTERM as soon as it may be."""
        with self._lock:
            self._stopping.set()
            if self._heeds_sigterm and self._process is not None and self._process.returncode is None:
                self._process.terminate()

    def stopped(self) -> bool:
        """Wait for the end and return True; False if the process had to be killed for not ending in time."""
        self.join(self.part.stop_s)
        if not self.is_alive():
            return True
        with self._lock:
            if self._process is not None and self._process.returncode is None:
                os.killpg(self._process.pid, signal.SIGKILL)
        self.join()
        return False

    def run(self) -> None:
        """Keep the part; the thread's whole life."""
        try:
            self._post(PartState.PREPARING)
            self.part.prepare(self._run_to_its_end)
            if all(need.wait_until_ready() for need in self._needs):
                self._bring_up()
                self._keep()
        except _Stopped:
            pass
        except CannotRun as error:
            self._post(PartState.FAILED, str(error))
        except Exception as error:
            log.exception("%s could not be started", self.part.label)
            self._post(
                PartState.FAILED, f"{self.part.label} could not be set up ({error}); its log is {self._log_path}."
            )
        finally:
            self._settle(False)
            self._end()
            if self._stopping.is_set():
                self._post(PartState.STOPPED)

    def _bring_up(self) -> None:
        if self.part.argv:
            self._start(self.part.argv, self.part.environment, heeds_sigterm=False)
        self._post(PartState.STARTING)
        self._wait_for_answer()
        self.part.provision()
        self._settle(True)
        self._post(PartState.READY)

    def _keep(self) -> None:
        """Wait for the process to end; start it anew, each time after a longer pause, until told to stop."""
        pause_s = 1.0
        while self._process is not None:
            began = time.monotonic()
            code = self._ended(self._process)
            if self._stopping.is_set():
                return
            reason = f"{self.part.label} ended with exit code {code}; its log is {self._log_path}."
            log.warning("%s", reason)
            if not self.part.restart:
                self._post(PartState.DOWN, reason)
                return
            if time.monotonic() - began > FORGIVEN_AFTER_S:
                pause_s = 1.0
            self._restarts += 1
            self._post(PartState.RESTARTING, reason)
            if self._stopping.wait(pause_s):
                return
            pause_s = min(2 * pause_s, LONGEST_PAUSE_S)
            self._start(self.part.argv, self.part.environment, heeds_sigterm=False)
            try:
                self._wait_for_answer()
                self.part.provision()  # Azurite forgets what it was told in the seconds before it was killed
                self._post(PartState.READY)
            except _Stopped:
                raise
            except Exception as error:
                log.exception("%s is not as it should be after a restart", self.part.label)
                self._post(PartState.RESTARTING, str(error))
                self._process.terminate()

    def _wait_for_answer(self) -> None:
        deadline = time.monotonic() + self.part.start_s
        while (reason := self.part.check()) is not None:
            if self._process is not None and not _is_running(self._process):
                code = self._ended(self._process)
                raise CannotRun(
                    f"{self.part.label} ended while it started, with exit code {code}; its log is {self._log_path}."
                )
            if time.monotonic() > deadline:
                where = (
                    f"its log is {self._log_path}" if self.part.argv else f"it was looked for at {self.part.address}"
                )
                raise CannotRun(f"{self.part.label} did not answer in {self.part.start_s:.0f} s ({reason}); {where}.")
            time.sleep(CHECK_EVERY_S)
        with self._lock:
            self._heeds_sigterm = True
            if self._stopping.is_set():
                raise _Stopped

    def _run_to_its_end(self, *argv: str, environment: Mapping[str, str] | None = None) -> None:
        code = self._ended(self._start(argv, environment or {}, heeds_sigterm=True))
        self._process = None
        if self._stopping.is_set():
            raise _Stopped
        if code != 0:
            raise CannotRun(
                f"{self.part.label} could not be set up: {argv[0]} ended with exit code {code}; "
                f"its log is {self._log_path}."
            )

    def _end(self) -> None:
        """Stop the process if it still runs, as that of a part which failed does."""
        if self._process is not None and self._process.returncode is None:
            self._process.terminate()
            self._ended(self._process)

    def _start(
        self, argv: Sequence[str], environment: Mapping[str, str], *, heeds_sigterm: bool
    ) -> subprocess.Popen[bytes]:
        whole = {**os.environ, "PATH": with_system_programs(os.environ.get("PATH")), **environment}
        if shutil.which(argv[0], path=whole["PATH"]) is None:
            raise CannotRun(
                f"{self.part.label} needs the program {argv[0]}, which is not installed; `./notflix up` installs it."
            )
        if self._log_path.exists() and self._log_path.stat().st_size > LARGEST_LOG_BYTES:
            self._log_path.replace(self._log_path.with_suffix(".1.log"))
        with self._lock, self._log_path.open("ab") as output:
            if self._stopping.is_set():
                raise _Stopped
            log.info("starting %s: %s", self.part.name, shlex.join(argv))
            self._heeds_sigterm = heeds_sigterm
            self._process = subprocess.Popen(
                [*DIES_WITH_ITS_STARTER, *argv],
                cwd=self._folder,
                env=whole,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # a terminal's Ctrl-C reaches the supervisor alone, which stops parts in order
            )
            return self._process

    def _ended(self, process: subprocess.Popen[bytes]) -> int:
        """Wait for the process, end what it left behind in its group, and return its exit code."""
        if process.returncode is not None:
            return process.returncode
        os.waitid(
            os.P_PID, process.pid, os.WEXITED | os.WNOWAIT
        )  # not yet reaped, so the group's number is still its own
        with self._lock:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            return process.wait()

    def _settle(self, ready: bool) -> None:
        with self._lock:
            if not self._ready.done():
                self._ready.set_result(ready)

    def _post(self, state: PartState, detail: str = "") -> None:
        process = self._process
        pid = process.pid if process is not None and process.returncode is None else None
        self._tell(
            PartStatus(
                name=self.part.name,
                label=self.part.label,
                state=state,
                address=self.part.address,
                pid=pid,
                born=birth_of(pid) if pid is not None else None,
                restarts=self._restarts,
                detail=detail,
                log=str(self._log_path) if self.part.argv else "",
            )
        )


def _is_running(process: subprocess.Popen[bytes]) -> bool:
    return os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT | os.WNOHANG) is None
