"""Measure CPU time and memory of processes, and print the results of a benchmark."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

PROC = Path("/proc")
TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")
POLL_INTERVAL_S = 0.25


@dataclass(frozen=True, slots=True)
class ResourceUsage:
    """Wall time and CPU time, in seconds."""

    wall_s: float
    cpu_s: float


def run(*commands: Sequence[str], cwd: Path | None = None, uncounted: int = 0) -> ResourceUsage:
    """Run commands in parallel; return wall time and CPU time, without the CPU time of the last `uncounted` commands.

    Raise RuntimeError with the error output of a command that fails.
    """
    began = time.perf_counter()
    processes = [
        subprocess.Popen(command, cwd=cwd, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        for command in commands
    ]
    readers = [_StderrReader(process) for process in processes]
    cpu_s = 0.0
    for number, (process, reader) in enumerate(zip(processes, readers, strict=True)):
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        reader.join()
        if process.returncode:
            for other in processes:
                other.kill()
            raise RuntimeError(f"{commands[number][0]} failed: {reader.text[-2000:]}")
        if number < len(processes) - uncounted:
            cpu_s += usage.ru_utime + usage.ru_stime
    return ResourceUsage(time.perf_counter() - began, cpu_s)


class _StderrReader(threading.Thread):
    """Reads the error output of a process, so that the process never blocks on a full pipe."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        super().__init__(daemon=True)
        self._stream = process.stderr
        self.text = ""
        self.start()

    def run(self) -> None:
        """Read until the end of the stream."""
        if self._stream is not None:
            self.text = self._stream.read().decode(errors="replace")
            self._stream.close()


def cpu_of_tree(pid: int) -> float:
    """Return the CPU-seconds of a process and all its descendants, including those that have ended."""
    total = 0
    for each in _tree(pid):
        fields = _stat(each)
        total += sum(int(field) for field in fields[11:15])  # utime, stime, cutime, cstime: proc(5), fields 14 to 17
    return total / TICKS_PER_SECOND


def peak_mb(pid: int) -> float:
    """Return the peak resident memory of a process; 0 if it has ended."""
    return _memory_mb(pid, "VmHWM")


def resident_mb(pid: int) -> float:
    """Return the current resident memory of a process; 0 if it has ended."""
    return _memory_mb(pid, "VmRSS")


def _memory_mb(pid: int, name: str) -> float:
    try:
        lines = (PROC / str(pid) / "status").read_text().splitlines()
    except (FileNotFoundError, ProcessLookupError):
        return 0.0
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith(f"{name}:")), 0.0)


class PeakMemoryWatch:
    """Context manager that records the peak memory of any descendant of `pids` that runs `program`."""

    def __init__(self, pids: Sequence[int], program: str) -> None:
        self._pids = pids
        self._program = program
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self.peak_mb = 0.0

    def __enter__(self) -> PeakMemoryWatch:
        self._thread.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._ended.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._ended.wait(POLL_INTERVAL_S):
            for pid in self._pids:
                for child in _tree(pid):
                    if _name(child) == self._program:
                        self.peak_mb = max(self.peak_mb, peak_mb(child))


def _tree(pid: int) -> Iterator[int]:
    """Yield the ids of a process and of its running descendants."""
    yield pid
    for task in (PROC / str(pid) / "task").glob("*/children"):
        try:
            children = task.read_text().split()
        except (FileNotFoundError, ProcessLookupError):
            continue
        for child in children:
            yield from _tree(int(child))


def _stat(pid: int) -> list[str]:
    """Return the fields of /proc/PID/stat that follow the program's name; an empty list if the process has ended."""
    try:
        return (PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return []


def _name(pid: int) -> str:
    try:
        return (PROC / str(pid) / "comm").read_text().strip()
    except (FileNotFoundError, ProcessLookupError):
        return ""


def say(sentence: str) -> None:
    """Print a line and flush it."""
    sys.stdout.write(f"{sentence}\n")
    sys.stdout.flush()


def conclude(
    bench: str, figures: Mapping[str, float], goals: Mapping[str, float], *, at_least: Collection[str] = ()
) -> int:
    """Print the figures as a table and as one line of JSON; return the exit code: 0 if all goals are met, else 1.

    Each goal is a maximum, except that goals for the figures in `at_least` are minimums.
    """

    def is_met(name: str) -> bool:
        return figures[name] >= goals[name] if name in at_least else figures[name] <= goals[name]

    rows = [("figure", "measured", "goal", "")]
    for name, value in figures.items():
        goal = goals.get(name)
        verdict = "" if goal is None else "met" if is_met(name) else "MISSED"
        sign = ">=" if name in at_least else "<="
        rows.append((name, f"{value:.3f}", "" if goal is None else f"{sign} {goal:.3f}", verdict))
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    say("")
    for row in rows:
        say("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
    say("")
    met = all(map(is_met, goals))
    rounded = {name: round(value, 3) for name, value in figures.items()}
    limits = {name: round(goal, 3) for name, goal in goals.items()}
    say(json.dumps({"bench": bench, "figures": rounded, "goals": limits, "met": met}))
    return 0 if met else 1
