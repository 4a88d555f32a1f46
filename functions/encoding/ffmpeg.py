"""The one place where ffmpeg and ffprobe are run: with limits, without a shell, on untrusted input."""

from __future__ import annotations

import logging
import os
import re
import resource
import select
import shlex
import shutil
import subprocess
import tempfile
import time
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from functions.platform.errors import EncodeFault, SourceRefused, StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

log = logging.getLogger(__name__)

FORMATS = "mov,matroska,avi,mpegts,mpeg,flv,asf,ogg,srt,webvtt"
"""Demuxers that an upload may use. Without this list, a concat script or playlist named .mp4 could open other files."""

POLL_S = 0.1
PROBE_LIMIT_S = 90
YIELDING = 5
"""Niceness added for a process that yields: it gets about a third of the CPU share of a process that does not yield."""

MAX_OUTPUT_BYTES = 64 << 30

_GONE = re.compile(r"(?:HTTP error|Server returned) 404")
_AWAY = re.compile(
    r"HTTP error (?:408|429|5\d\d)|Server returned 5|Connection (?:refused|reset|timed out)|Stream ends prematurely|"
    r"Will reconnect|Failed to resolve|Error in the pull function|End of file.*http"
)
_READ_FAILURES = re.compile(r"HTTP error|Server returned|Input/output error")
_DAMAGE = re.compile(r"corrupt decoded frame|Error submitting packet to decoder|Invalid NAL unit size")


@dataclass(frozen=True, slots=True)
class Finished:
    """How a process ended: exit status, standard output, standard error, CPU-seconds, peak resident memory in MB."""

    status: int
    output: str
    errors: str
    cpu_s: float
    peak_mb: int

    @property
    def damaged_frames(self) -> int:
        """Number of frames or packets that the decoder reported as damaged."""
        return len(_DAMAGE.findall(self.errors))

    @property
    def last_words(self) -> str:
        """The last line of standard error without query strings of addresses, for a log or a reason."""
        lines = [line for line in self.errors.splitlines() if line.strip()]
        return without_addresses(lines[-1].strip()) if lines else "no message"


def without_addresses(text: str) -> str:
    """Return `text` with the query string of each address removed, because a SAS must never be logged."""
    return re.sub(r"(https?://[^\s?'\"]+)\?[^\s'\"]*", r"\1", text)


def input_options(address: str) -> dict[str, str]:
    """Return the options for an untrusted input: the formats it may use, and how to recover from broken range reads."""
    if not address.startswith(("http://", "https://")):
        return {"protocol_whitelist": "file", "format_whitelist": FORMATS}
    return {
        "protocol_whitelist": "https,tls,tcp" if address.startswith("https://") else "http,tcp",
        "format_whitelist": FORMATS,
        "seekable": "1",
        "rw_timeout": "15000000",  # microseconds; without this, a stalled read never ends
        "reconnect": "1",  # without this, ffmpeg exits 0 with short output when a connection is cut
        "reconnect_on_network_error": "1",
        "reconnect_on_http_error": "408,429,5xx",
        "reconnect_delay_max": "8",
    }


@dataclass(frozen=True, slots=True)
class FFmpeg:
    """Runs the ffmpeg and ffprobe at these paths; `memory_mb` limits the address space of each process."""

    ffmpeg: str
    ffprobe: str
    memory_mb: int

    def version(self) -> str:
        """Return ffmpeg's version, which is part of every plan so that versions are never mixed within a job."""
        return _version(self.ffmpeg)

    def probe(self, address: str, *arguments: str) -> Finished:
        """Run ffprobe on `address` and return its result."""
        reading = [word for name, value in input_options(address).items() for word in (f"-{name}", value)]
        return self._run([self.ffprobe, "-v", "error", *reading, *arguments, address], limit_s=PROBE_LIMIT_S)

    def run(
        self,
        arguments: Sequence[str],
        *,
        folder: Path,
        limit_s: float,
        watch: Callable[[], None] = lambda: None,
        yields: bool = False,
    ) -> Finished:
        """Run ffmpeg in `folder`, calling `watch` ten times a second and once at the end; return how it ended.

        With `yields`, the process runs at a lower priority. If `watch` raises, the process is killed and the exception
        propagates.
        Raises EncodeFault after `limit_s` seconds.
        """
        common = [self.ffmpeg, "-hide_banner", "-nostdin", "-nostats", "-loglevel", "warning", "-y"]
        return self._run([*common, *arguments], limit_s=limit_s, folder=folder, watch=watch, yields=yields)

    def raise_if_unreachable(self, result: Finished) -> None:
        """Raise if the source could not be read, even if the exit status is 0 (as after a cut connection).

        Raises SourceRefused if the source is gone, StoreUnavailable if storage did not answer, else EncodeFault.
        """
        if _GONE.search(result.errors):
            raise SourceRefused("The upload is no longer in storage. Upload it again.")
        if _AWAY.search(result.errors):
            raise StoreUnavailable(f"The upload could not be read from storage: {result.last_words}")
        if _READ_FAILURES.search(result.errors):
            raise EncodeFault(f"The upload could not be read from storage: {result.last_words}")

    def _run(
        self,
        argv: Sequence[str],
        *,
        limit_s: float,
        folder: Path | None = None,
        watch: Callable[[], None] = lambda: None,
        yields: bool = False,
    ) -> Finished:
        log.debug("run %s", without_addresses(shlex.join(argv)))
        # Output goes to files, not pipes: a full pipe would block the process.
        with tempfile.TemporaryFile(dir=folder) as output, tempfile.TemporaryFile(dir=folder) as errors:
            process = subprocess.Popen(
                [*_ends_with_its_host(), *argv],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=errors,
                cwd=folder,
                env={"PATH": os.environ.get("PATH", os.defpath), "MALLOC_ARENA_MAX": "2", "LC_ALL": "C.UTF-8"},
            )
            try:
                self._limit(process.pid, cpu_s=int(limit_s * 64))
                if yields:
                    # relative to our own niceness, because an unprivileged user cannot lower a niceness
                    niceness = min(19, os.getpriority(os.PRIO_PROCESS, 0) + YIELDING)
                    os.setpriority(os.PRIO_PROCESS, process.pid, niceness)
                usage = _wait(process, limit_s=limit_s, watch=watch)
            finally:
                if process.returncode is None:
                    process.kill()
                    process.wait()
            output.seek(0)
            errors.seek(0)
            return Finished(
                status=process.returncode,
                output=output.read().decode("utf-8", "replace"),
                errors=errors.read().decode("utf-8", "replace"),
                cpu_s=usage.ru_utime + usage.ru_stime,
                peak_mb=usage.ru_maxrss // 1024,
            )

    def _limit(self, pid: int, *, cpu_s: int) -> None:
        """Limit the resources that the decoder can use on a hostile file."""
        memory = self.memory_mb << 20
        for kind, most in (
            (resource.RLIMIT_AS, memory),
            (resource.RLIMIT_CPU, cpu_s),
            (resource.RLIMIT_FSIZE, MAX_OUTPUT_BYTES),
            (resource.RLIMIT_CORE, 0),
        ):
            try:
                resource.prlimit(pid, kind, (most, most))
            except ProcessLookupError:
                return  # the process has already ended


def _wait(process: subprocess.Popen[bytes], *, limit_s: float, watch: Callable[[], None]) -> resource.struct_rusage:
    """Wait until `process` ends and return its resource usage. Raises EncodeFault after `limit_s` seconds."""
    deadline = time.monotonic() + limit_s
    pidfd = os.pidfd_open(process.pid)
    try:
        while not select.select([pidfd], [], [], POLL_S)[0]:
            watch()
            if time.monotonic() > deadline:
                raise EncodeFault(f"ffmpeg did not finish within {limit_s:.0f} s and was stopped.")
    finally:
        os.close(pidfd)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    watch()
    return usage


@cache
def _ends_with_its_host() -> tuple[str, ...]:
    """Return a command prefix with which the kernel kills the process when the thread that started it ends.

    Without it, ffmpeg would run for minutes after its host was killed, while another encoder repeats the same work.
    `setpriv`, part of util-linux, sets PR_SET_PDEATHSIG (prctl(2)) and then executes the command.
    """
    setpriv = shutil.which("setpriv")
    return (setpriv, "--pdeathsig", "KILL", "--") if setpriv else ()


@cache
def _version(ffmpeg: str) -> str:
    """Return the version that ffmpeg reports; cached for the lifetime of this process."""
    first = subprocess.run([ffmpeg, "-version"], capture_output=True, text=True, check=True).stdout
    return first.split(maxsplit=3)[2]
