"""Measuring: what a process and its children take, the figures beside their goals, and how a benchmark ends."""

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
TICKS_A_SECOND = os.sysconf("SC_CLK_TCK")
WATCH_S = 0.25


@dataclass(frozen=True, slots=True)
class Usage:
    """What something took: seconds on the clock, and seconds of processors."""

    wall_s: float
    cpu_s: float


def run(*commands: Sequence[str], cwd: Path | None = None, uncounted: int = 0) -> Usage:
    """Run commands side by side and return what they took together; the CPU of the last `uncounted` is left out.

    Raises RuntimeError with what a command said if it fails.
    """
    began = time.perf_counter()
    processes = [
        subprocess.Popen(command, cwd=cwd, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        for command in commands
    ]
    readers = [_Reader(process) for process in processes]
    cpu_s = 0.0
    for number, (process, reader) in enumerate(zip(processes, readers, strict=True)):
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        reader.join()
        if process.returncode:
            for other in processes:
                other.kill()
            raise RuntimeError(f"{commands[number][0]} failed: {reader.said[-2000:]}")
        if number < len(processes) - uncounted:
            cpu_s += usage.ru_utime + usage.ru_stime
    return Usage(time.perf_counter() - began, cpu_s)


class _Reader(threading.Thread):
    """Takes what a process says, so that it never waits for a reader."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        super().__init__(daemon=True)
        self._stream = process.stderr
        self.said = ""
        self.start()

    def run(self) -> None:
        """Read to the end."""
        if self._stream is not None:
            self.said = self._stream.read().decode(errors="replace")
            self._stream.close()


def cpu_of_tree(pid: int) -> float:
    """Return the CPU-seconds of a process, of its living descendants, and of all of them that have ended."""
    total = 0
    for each in _tree(pid):
        fields = _stat(each)
        total += sum(int(field) for field in fields[11:15])  # utime, stime, cutime, cstime: proc(5), fields 14 to 17
    return total / TICKS_A_SECOND


def peak_mb(pid: int) -> float:
    """Return the most resident memory that a process ever had, 0 if it is gone."""
    return _memory_mb(pid, "VmHWM")


def resident_mb(pid: int) -> float:
    """Return the resident memory of a process now, 0 if it is gone."""
    return _memory_mb(pid, "VmRSS")


def _memory_mb(pid: int, name: str) -> float:
    try:
        lines = (PROC / str(pid) / "status").read_text().splitlines()
    except (FileNotFoundError, ProcessLookupError):
        return 0.0
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith(f"{name}:")), 0.0)


class ChildrenWatch:
    """While entered, keeps the highest memory of any descendant of some processes that runs a program of this name."""

    def __init__(self, pids: Sequence[int], program: str) -> None:
        self._pids = pids
        self._program = program
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self.peak_mb = 0.0

    def __enter__(self) -> ChildrenWatch:
        self._thread.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._ended.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._ended.wait(WATCH_S):
            for pid in self._pids:
                for child in _tree(pid):
                    if _name(child) == self._program:
                        self.peak_mb = max(self.peak_mb, peak_mb(child))


def _tree(pid: int) -> Iterator[int]:
    """Yield a process and its descendants, those that are still there."""
    yield pid
    for task in (PROC / str(pid) / "task").glob("*/children"):
        try:
            children = task.read_text().split()
        except (FileNotFoundError, ProcessLookupError):
            continue
        for child in children:
            yield from _tree(int(child))


def _stat(pid: int) -> list[str]:
    """Return the fields of /proc/PID/stat after the program's name, none if the process is gone."""
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
    """Tell the person in front what is going on."""
    sys.stdout.write(f"{sentence}\n")
    sys.stdout.flush()


def conclude(
    bench: str, figures: Mapping[str, float], goals: Mapping[str, float], *, at_least: Collection[str] = ()
) -> int:
    """Print the table and the JSON line; return the exit code: 0 if every goal is met.

    A goal is the most that a figure may be, for those in `at_least` the least.
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
