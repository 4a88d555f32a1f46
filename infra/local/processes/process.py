"""The process of one service, owned by a thread of the supervisor.

When that thread ends, the kernel sends SIGTERM to the process (PR_SET_PDEATHSIG, set by `setpriv`), so no process
outlives a supervisor that was killed. A process that is still starting is stopped only after it answers: MariaDB hangs
forever if SIGTERM reaches it earlier.
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

from infra.local.home import CannotRun, Home
from infra.local.processes.liveness import SilenceWatch
from infra.local.processes.service import Service, ServiceState, ServiceStatus, birth_of, with_system_programs

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

log = logging.getLogger(__name__)

CHECK_INTERVAL_S = 0.05
MAX_RESTART_DELAY_S = 30.0
RECOVERY_S = 600.0
"""How long a restarted process may take to answer: a database first repairs what its last process left unfinished."""
RESET_DELAY_AFTER_S = 60.0
MAX_LOG_BYTES = 16_000_000

DIE_WITH_PARENT = ("setpriv", "--pdeathsig", "TERM", "--")


class _Stopped(Exception):
    """A stop of the process was requested before it was ready."""


class ServiceProcess(threading.Thread):
    """Starts a service once its dependencies are ready, reports each state change, and restarts it if configured to."""

    def __init__(
        self,
        service: Service,
        *,
        home: Home,
        needs: Sequence[ServiceProcess],
        on_change: Callable[[ServiceStatus], None],
    ) -> None:
        super().__init__(name=f"process-{service.name}", daemon=True)
        self.service = service
        self._needs = tuple(needs)
        self._log_path = home.log(service.name)
        self._folder = service.folder or home.path
        self._on_change = on_change
        self._ready: Future[bool] = Future()
        self._stopping = threading.Event()
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._handles_sigterm = False
        self._restarts = 0

    def wait_until_ready(self) -> bool:
        """Return True once the service is ready, False once it is certain that it will not become ready."""
        return self._ready.result()

    def cancel_waiting(self) -> None:
        """Make `wait_until_ready` return False if the service is not ready yet."""
        self._set_ready(False)

    def request_stop(self) -> None:
        """Start no further process, and send SIGTERM to the running process as soon as it can handle the signal."""
        with self._lock:
            self._stopping.set()
            if self._handles_sigterm and self._process is not None and self._process.returncode is None:
                self._process.terminate()

    def wait_until_stopped(self) -> bool:
        """Wait for the process to end and return True; kill it and return False if that takes longer than `stop_s`."""
        self.join(self.service.stop_s)
        if not self.is_alive():
            return True
        with self._lock:
            if self._process is not None and self._process.returncode is None:
                os.killpg(self._process.pid, signal.SIGKILL)
        self.join()
        return False

    def run(self) -> None:
        """Prepare, start and watch the service; this is the main function of the thread."""
        try:
            self._report(ServiceState.PREPARING)
            self.service.prepare(self._run_command)
            if all(need.wait_until_ready() for need in self._needs):
                self._bring_up()
                self._watch()
        except _Stopped:
            pass
        except CannotRun as error:
            self._report(ServiceState.FAILED, str(error))
        except Exception as error:
            log.exception("%s could not be started", self.service.label)
            self._report(
                ServiceState.FAILED, f"{self.service.label} could not be set up ({error}); its log is {self._log_path}."
            )
        finally:
            self._set_ready(False)
            self._stop_remaining()
            if self._stopping.is_set():
                self._report(ServiceState.STOPPED)

    def _bring_up(self) -> None:
        if self.service.argv:
            self._start(self.service.argv, self.service.environment, handles_sigterm=False)
        self._report(ServiceState.STARTING)
        self._wait_for_answer(self.service.start_s)
        self.service.provision()
        self._set_ready(True)
        self._report(ServiceState.READY)

    def _watch(self) -> None:
        """Wait for the process to end and restart it, each time after a longer delay, until a stop is requested."""
        delay_s = 1.0
        while self._process is not None:
            reason, answered_s = self._wait_until_useless(self._process)
            if self._stopping.is_set():
                return
            log.warning("%s", reason)
            if not self.service.restart:
                self._report(ServiceState.DOWN, reason)
                return
            if answered_s > RESET_DELAY_AFTER_S:
                delay_s = 1.0
            self._restarts += 1
            self._report(ServiceState.RESTARTING, reason)
            if self._stopping.wait(delay_s):
                return
            delay_s = min(2 * delay_s, MAX_RESTART_DELAY_S)
            self._start(self.service.argv, self.service.environment, handles_sigterm=False)
            try:
                self._wait_for_answer(max(self.service.start_s, RECOVERY_S))
                self.service.provision()  # Azurite loses writes of the last seconds before it was killed
                self._report(ServiceState.READY)
            except _Stopped:
                raise
            except Exception as error:
                log.exception("%s could not be set up after a restart", self.service.label)
                self._report(ServiceState.RESTARTING, str(error))
                self._process.terminate()

    def _wait_until_useless(self, process: subprocess.Popen[bytes]) -> tuple[str, float]:
        """Wait until the process has ended, by itself or because it answered no query.

        Return the reason, and for how many seconds the process answered.
        """
        began = time.monotonic()
        watch = SilenceWatch(self.service, process, self._lock) if self.service.patience else None
        code = self._wait_for_exit(process)
        answered_s = time.monotonic() - began
        if watch is not None:
            watch.ended.set()
            if watch.silence is not None:
                reason = f"{self.service.label} {watch.silence} and is being restarted; its log is {self._log_path}."
                return reason, watch.liveness.answered_at - began
        return f"{self.service.label} ended with exit code {code}; its log is {self._log_path}.", answered_s

    def _wait_for_answer(self, within_s: float) -> None:
        deadline = time.monotonic() + within_s
        while (reason := self.service.check()) is not None:
            if self._process is not None and not _is_running(self._process):
                code = self._wait_for_exit(self._process)
                raise CannotRun(
                    f"{self.service.label} ended with exit code {code} while it was starting; "
                    f"its log is {self._log_path}."
                )
            if time.monotonic() > deadline:
                where = (
                    f"its log is {self._log_path}" if self.service.argv else f"its address is {self.service.address}"
                )
                raise CannotRun(f"{self.service.label} did not answer in {within_s:.0f} s ({reason}); {where}.")
            time.sleep(CHECK_INTERVAL_S)
        with self._lock:
            self._handles_sigterm = True
            if self._stopping.is_set():
                raise _Stopped

    def _run_command(self, *argv: str, environment: Mapping[str, str] | None = None) -> None:
        code = self._wait_for_exit(self._start(argv, environment or {}, handles_sigterm=True))
        self._process = None
        if self._stopping.is_set():
            raise _Stopped
        if code != 0:
            raise CannotRun(
                f"{self.service.label} could not be set up: {argv[0]} ended with exit code {code}; "
                f"its log is {self._log_path}."
            )

    def _stop_remaining(self) -> None:
        """Stop the process if it still runs, as it may after the service has failed."""
        if self._process is not None and self._process.returncode is None:
            self._process.terminate()
            self._wait_for_exit(self._process)

    def _start(
        self, argv: Sequence[str], environment: Mapping[str, str], *, handles_sigterm: bool
    ) -> subprocess.Popen[bytes]:
        full_environment = {**os.environ, "PATH": with_system_programs(os.environ.get("PATH")), **environment}
        if shutil.which(argv[0], path=full_environment["PATH"]) is None:
            raise CannotRun(
                f"{self.service.label} needs the program {argv[0]}, which is not installed; `./notflix up` installs it."
            )
        if self._log_path.exists() and self._log_path.stat().st_size > MAX_LOG_BYTES:
            self._log_path.replace(self._log_path.with_suffix(".1.log"))
        with self._lock, self._log_path.open("ab") as output:
            if self._stopping.is_set():
                raise _Stopped
            log.info("starting %s: %s", self.service.name, shlex.join(argv))
            self._handles_sigterm = handles_sigterm
            self._process = subprocess.Popen(
                [*DIE_WITH_PARENT, *argv],
                cwd=self._folder,
                env=full_environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # Ctrl-C reaches only the supervisor, which stops services in order
            )
            return self._process

    def _wait_for_exit(self, process: subprocess.Popen[bytes]) -> int:
        """Wait for the process, kill the rest of its process group, and return its exit code."""
        if process.returncode is not None:
            return process.returncode
        # WNOWAIT does not reap the process, so its group id cannot be reused yet
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        with self._lock:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            return process.wait()

    def _set_ready(self, ready: bool) -> None:
        with self._lock:
            if not self._ready.done():
                self._ready.set_result(ready)

    def _report(self, state: ServiceState, detail: str = "") -> None:
        process = self._process
        pid = process.pid if process is not None and process.returncode is None else None
        self._on_change(
            ServiceStatus(
                name=self.service.name,
                label=self.service.label,
                state=state,
                address=self.service.address,
                pid=pid,
                born=birth_of(pid) if pid is not None else None,
                restarts=self._restarts,
                detail=detail,
                log=str(self._log_path) if self.service.argv else "",
            )
        )


def _is_running(process: subprocess.Popen[bytes]) -> bool:
    return os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT | os.WNOHANG) is None
