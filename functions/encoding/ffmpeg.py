"""The one place where ffmpeg and other programs are run: with limits, without a shell, on untrusted input."""

from __future__ import annotations

import logging
import os
import re
import resource
import select
import shlex
import shutil
import subprocess
import time
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, BinaryIO

from functions.encoding.work_folders import raise_if_full
from functions.platform.errors import EncodeFault, SourceRefused, StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

log = logging.getLogger(__name__)

FORMATS = "mov,matroska,avi,mpegts,mpeg,flv,asf,ogg,mxf,srt,webvtt"
"""Demuxers that an upload may use. Without this list, a concat script or playlist named .mp4 could open other files."""

POLL_S = 0.1
PROBE_LIMIT_S = 90
YIELDING = 10
"""Niceness added for a process that yields: it gets about a ninth of the CPU share of a process that does not yield."""

CPU_ROUNDING_S = 0.5
"""A process that the kernel stopped at its CPU limit may report up to this many seconds less than the limit."""

MAX_OUTPUT_BYTES = 64 << 30

MOST_PRINTED = 128 << 20
"""Bytes that a process may print: they are kept in memory. The longest good output, that of a probe, is a tenth of
this."""

_GONE = re.compile(r"(?:HTTP error|Server returned) 404")
_AWAY = re.compile(
    r"HTTP error (?:408|429|5\d\d)|Server returned 5|Connection (?:refused|reset|timed out)|Stream ends prematurely|"
    r"Will reconnect|Failed to resolve|Error in the pull function|End of file.*http"
)
_READ_FAILURES = re.compile(r"HTTP error|Server returned|Input/output error")
_DAMAGE = re.compile(
    r"corrupt decoded frame|Error submitting packet to decoder|Invalid NAL unit size|error while decoding|"
    r"missing picture in access unit|Could not find ref with POC|Error decoding|Frame num gap|"
    r"[Mm]issing reference picture|reference picture missing"
)
_SOUND_DAMAGE = re.compile(r"\[aist#.*(?:Error submitting packet to decoder|corrupt decoded frame)")
_LOSS = re.compile(r"invalid as first byte of an EBML number|Packet corrupt")
_EMPTY = re.compile(r"Output file is empty|Nothing was written into output file")
_SHORTAGE = re.compile(r"No space left on device|Cannot allocate memory|Disk quota exceeded|File too large")


class RunTooLong(EncodeFault):
    """A process did not end within its time limit, so it was stopped."""


@dataclass(frozen=True, slots=True)
class Finished:
    """How a process ended: exit status, standard output, standard error, CPU-seconds, peak resident memory in MB.

    `ran_out` is true if it was stopped because it used all CPU-seconds that it was allowed.
    """

    status: int
    output: str
    errors: str
    cpu_s: float
    peak_mb: int
    ran_out: bool = False

    @property
    def is_damaged(self) -> bool:
        """Whether a decoder reported that it could not decode some frames correctly."""
        return _DAMAGE.search(self.errors) is not None

    @property
    def is_sound_damaged(self) -> bool:
        """Whether a decoder of the encoded sound failed; other streams of the source are only analysed, not encoded."""
        return _SOUND_DAMAGE.search(self.errors) is not None

    @property
    def has_losses(self) -> bool:
        """Whether a demuxer skipped a part of the file, so that packets may be missing."""
        return _LOSS.search(self.errors) is not None

    @property
    def is_empty(self) -> bool:
        """Whether an output is empty because nothing came from the input."""
        return _EMPTY.search(self.errors) is not None

    @property
    def is_verdict(self) -> bool:
        """Whether the result says something about the input: the process was not killed and had enough resources."""
        return self.status >= 0 and not _SHORTAGE.search(self.errors)

    @property
    def last_words(self) -> str:
        """The last line of standard error without query strings of addresses, for a log or a reason."""
        lines = [line for line in self.errors.splitlines() if line.strip()]
        return without_addresses(lines[-1].strip()) if lines else "no message"


def without_addresses(text: str) -> str:
    """Return `text` without the query strings of addresses and without keys, because neither must ever be logged."""
    return re.sub(r"(https?://[^\s?'\"]+)\?[^\s'\"]*|(-decryption_key) \S+", r"\1\2", text)


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

    def decodable(self) -> frozenset[str]:
        """Return the names of the codecs that ffmpeg decodes."""
        return _decodable(self.ffmpeg)

    def probe(
        self, address: str, *arguments: str, limit_s: float = PROBE_LIMIT_S, cpu_s: int | None = None
    ) -> Finished:
        """Run ffprobe on `address` and return its result; after `cpu_s` CPU-seconds it is stopped.

        Raises RunTooLong after `limit_s` seconds.
        """
        reading = [word for name, value in input_options(address).items() for word in (f"-{name}", value)]
        argv = [self.ffprobe, "-v", "error", *reading, *arguments, address]
        return self._run(argv, limit_s=limit_s, cpu_s=cpu_s)

    def run(
        self,
        arguments: Sequence[str],
        *,
        folder: Path,
        limit_s: float,
        cpu_s: int | None = None,
        watch: Callable[[], None] = lambda: None,
        yields: bool = False,
    ) -> Finished:
        """Run ffmpeg in `folder`, calling `watch` ten times a second and once at the end; return how it ended.

        With `yields`, the process runs at a lower priority. If `watch` raises, the process is killed and the exception
        propagates. A process that uses more than `cpu_s` CPU-seconds is killed; see `Finished.ran_out`.
        Raises RunTooLong after `limit_s` seconds, DiskUnavailable if the disk of `folder` is full.
        """
        common = [self.ffmpeg, "-hide_banner", "-nostdin", "-nostats", "-loglevel", "warning", "-y"]
        return self._run([*common, *arguments], limit_s=limit_s, cpu_s=cpu_s, folder=folder, watch=watch, yields=yields)

    def run_beside(
        self, argv: Sequence[str], *, folder: Path, limit_s: float, watch: Callable[[], None] = lambda: None
    ) -> Finished:
        """Run another program, which yields, on what ffmpeg has made; limits and exceptions are those of `run`."""
        return self._run(argv, limit_s=limit_s, folder=folder, watch=watch, yields=True)

    def raise_if_unreachable(self, result: Finished) -> None:
        """Raise if the source could not be read, even if the exit status is 0 (as after a cut connection).

        Raises SourceRefused if the source is gone, StoreUnavailable if storage did not answer, else EncodeFault.
        """
        if _GONE.search(result.errors):
            raise SourceRefused("The upload is no longer in storage. Upload it again.")
        if _AWAY.search(result.errors):
            log.warning("storage did not answer: %s", result.last_words)
            raise StoreUnavailable("Storage did not answer while the upload was read.")
        if _READ_FAILURES.search(result.errors):
            log.warning("storage refused: %s", result.last_words)
            raise EncodeFault("The upload could not be read from storage.")

    def _run(
        self,
        argv: Sequence[str],
        *,
        limit_s: float,
        cpu_s: int | None = None,
        folder: Path | None = None,
        watch: Callable[[], None] = lambda: None,
        yields: bool = False,
    ) -> Finished:
        log.debug("run %s", without_addresses(shlex.join(argv)))

        # Output goes to files, not pipes: a full pipe would block the process. The files are in memory: on a full disk,
        # a part of the output would be missing, and the film would be judged by the rest.
        with _memory_file("output") as output, _memory_file("errors") as errors:

            def look() -> None:
                if folder:
                    raise_if_full(folder)
                if max(os.fstat(file.fileno()).st_size for file in (output, errors)) > MOST_PRINTED:
                    raise EncodeFault("A step printed too much and was stopped.")
                watch()

            process = subprocess.Popen(
                [*_ends_with_its_host(), *argv],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=errors,
                cwd=folder,
                env={"PATH": os.environ.get("PATH", os.defpath), "MALLOC_ARENA_MAX": "2", "LC_ALL": "C.UTF-8"},
            )
            try:
                self._limit(process.pid, cpu_s=cpu_s or int(limit_s * 64))
                if yields:
                    # relative to our own niceness, because an unprivileged user cannot lower a niceness
                    niceness = min(19, os.getpriority(os.PRIO_PROCESS, 0) + YIELDING)
                    os.setpriority(os.PRIO_PROCESS, process.pid, niceness)
                usage = _wait(process, limit_s=limit_s, watch=look)
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
                ran_out=cpu_s is not None and usage.ru_utime + usage.ru_stime > cpu_s - CPU_ROUNDING_S,
            )

    def _limit(self, pid: int, *, cpu_s: int) -> None:
        """Limit the resources that the decoder can use on a hostile file."""
        memory = self.memory_mb << 20
        for kind, soft, hard in (
            (resource.RLIMIT_AS, memory, memory),
            (resource.RLIMIT_CPU, cpu_s, cpu_s + 1),  # SIGXCPU at the soft limit, SIGKILL at the hard limit
            (resource.RLIMIT_FSIZE, MAX_OUTPUT_BYTES, MAX_OUTPUT_BYTES),
            (resource.RLIMIT_CORE, 0, 0),
        ):
            try:
                resource.prlimit(pid, kind, (soft, hard))
            except ProcessLookupError:
                return  # the process has already ended


def _memory_file(name: str) -> BinaryIO:
    """Return a new file that is kept in memory and has no path."""
    return os.fdopen(os.memfd_create(name), "w+b")


def _wait(process: subprocess.Popen[bytes], *, limit_s: float, watch: Callable[[], None]) -> resource.struct_rusage:
    """Wait until `process` ends and return its resource usage. Raises RunTooLong after `limit_s` seconds."""
    deadline = time.monotonic() + limit_s
    pidfd = os.pidfd_open(process.pid)
    try:
        while not select.select([pidfd], [], [], POLL_S)[0]:
            watch()
            if time.monotonic() > deadline:
                raise RunTooLong(f"A step did not finish within {limit_s:.0f} s and was stopped.")
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


@cache
def _decodable(ffmpeg: str) -> frozenset[str]:
    """Return the codecs that are listed with the flag D; cached for the lifetime of this process."""
    listed = subprocess.run([ffmpeg, "-hide_banner", "-codecs"], capture_output=True, text=True, check=True).stdout
    return frozenset(re.findall(r"^ D\S{5} (\w+)", listed, re.MULTILINE))
