"""Memory, connections and open files of the product's processes over time."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from statistics import median
from typing import TYPE_CHECKING

from infra.local.processes.state import read_state
from tests.bench._measure import PROC, resident_mb

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.bench._product import Product

LISTED = ("resident_mb", "connections", "files")


@dataclass(frozen=True, slots=True)
class Sample:
    """The resources of one process at one moment; `files` are open descriptors other than sockets."""

    resident_mb: float
    connections: int
    files: int


@dataclass
class Samples:
    """Samples of each process, in the order in which they were taken."""

    pids: Mapping[str, int]
    taken: dict[str, list[Sample]] = field(default_factory=dict)

    async def take_every(self, seconds: float) -> None:
        """Take samples until cancelled."""
        while True:
            for name, pid in self.pids.items():
                self.taken.setdefault(name, []).append(_sample(pid))
            await asyncio.sleep(seconds)

    def change(self, name: str, figure: str) -> tuple[float, float]:
        """Return two medians: of the second fifth of the samples and of the last; the first fifth is the warm-up."""
        values = [float(getattr(sample, figure)) for sample in self.taken[name]]
        fifth = max(1, len(values) // 5)
        return median(values[fifth : 2 * fifth] or values), median(values[-fifth:])

    def table(self) -> list[str]:
        """Return lines with the change of each figure of each process."""
        lines = []
        for name in self.taken:
            changes = (
                f"{figure} {before:.0f} to {after:.0f}"
                for figure in LISTED
                for before, after in [self.change(name, figure)]
            )
            lines.append(f"{name:10} {', '.join(changes)}")
        return lines


def processes_of(own: Product) -> dict[str, int]:
    """Return the process ids of all services by name."""
    state = read_state(own.home)
    assert state is not None
    return {service.name: service.pid for service in state.services if service.pid is not None}


def growth(samples: Samples) -> dict[str, float]:
    """Return the largest growth of any process: of memory in megabytes, of connections and files as numbers."""
    changes = {figure: [samples.change(name, figure) for name in samples.taken] for figure in LISTED}
    return {
        "memory_growth_mb": max(after - before for before, after in changes["resident_mb"]),
        "connections_growth": max(after - before for before, after in changes["connections"]),
        "files_growth": max(after - before for before, after in changes["files"]),
    }


def _sample(pid: int) -> Sample:
    sockets = files = 0
    try:
        for link in (PROC / str(pid) / "fd").iterdir():
            try:
                is_socket = str(link.readlink()).startswith("socket:")
            except FileNotFoundError:  # closed meanwhile
                continue
            sockets += is_socket
            files += not is_socket
    except (FileNotFoundError, ProcessLookupError):
        return Sample(0.0, 0, 0)
    return Sample(resident_mb(pid), sockets, files)
