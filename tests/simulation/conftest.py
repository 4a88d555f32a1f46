"""Fixtures of the simulations: the wired composition root, and the campaigns."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.simulation.faults import Target
from tests.simulation.flow import Campaign, Case, Flow, run
from tests.simulation.ports import misjudged
from tests.simulation.wiring import Wiring, wired

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

MEMORY_DISK = Path("/dev/shm")
IN_FULL = 50
"""How many times more runs `./notflix test --all` makes."""


@pytest.fixture(scope="module")
def work_dir() -> Iterator[Path]:
    """Return a folder for ffmpeg's files, in memory if possible."""
    folder = Path(tempfile.mkdtemp(prefix="notflix-simulation-", dir=MEMORY_DISK if MEMORY_DISK.is_dir() else None))
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(scope="module")
def wiring(work_dir: Path) -> Iterator[Wiring]:
    with wired(work_dir) as connected:
        yield connected


@pytest.fixture
def campaign(
    request: pytest.FixtureRequest, in_full: bool, announce: Callable[[str], None]
) -> Callable[[Flow, int], None]:
    """Return a function that runs a flow many times, or once with `--seed`, and fails if anything is lost."""
    seed = request.config.getoption("--seed")
    targets = tuple(map(Target.parse, request.config.getoption("--fault")))

    def go(flow: Flow, runs: int) -> None:
        if seed is not None:
            result = run(flow, Case(seed, targets))
            assert not result.broken, str(result)
            return
        made = Campaign(flow, first_seed=request.config.getoption("--first-seed"))
        made.go(request.config.getoption("--runs") or runs * (IN_FULL if in_full else 1))
        made.cover()
        announce(str(made))
        assert not made.failures, "\n\n".join(map(str, made.failures))
        assert not made.missed, "No run covered " + ", ".join(map(str, made.missed))
        if made.runs >= runs:
            assert not (wrong := misjudged(flow.name, made.origins)), "; ".join(wrong)

    return go
