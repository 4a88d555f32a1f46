"""How a run of many tests is spread over several processes by pytest-xdist.

A **unit** is a set of tests that run in one process, in their order: the tests of a file, or of all files that share a
product. Each process starts its own stores and its own product when a test first needs them. Whichever process is free
takes the next unit; units that take minutes come first, so that all processes end at about the same time.
"""

from __future__ import annotations

import os
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from xdist.scheduler import LoadScopeScheduling

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pytest

KINDS = ("unit", "simulation", "integration", "e2e", "security", "faults")
"""The folders of the tests, from quick tests to tests that drive the whole product."""

LONG_UNITS = (
    "tests/e2e/test_site_",
    "tests/integration/",
    "tests/faults/test_product.py",
    "tests/integration/encoding/",
    "tests/integration/encoding/test_p",
    "tests/integration/encoding/test_r",
    "tests/integration/encoding/test_s",
    "tests/e2e/test_media.py",
    "tests/e2e/test_site_drops.py",
    "tests/simulation/",
    "tests/e2e/test_site_studio",
    "tests/integration/azure/",
    "tests/e2e/test_backup.py",
    "tests/e2e/test_random_actions.py",
    "tests/e2e/test_resilience.py",
    "tests/security/",
    "tests/integration/stores/",
    "tests/e2e/test_site_usage.py",
    "tests/e2e/test_site_watch.py",
    "tests/e2e/test_site_billing.py",
    "tests/e2e/test_players.py",
)
"""The prefix of the paths of each unit that takes minutes; the longest unit comes first.

A file belongs to the longest prefix with which its path begins.
"""


def processes(arguments: Sequence[str]) -> int:
    """Return how many processes run the tests that the arguments name; 0 means the process of pytest itself.

    Only whole kinds are spread: a few files take less time than another process needs to start. There are two processes
    more than cores, because many tests wait for films to play or for leases to expire: with one more, two cores were
    idle for a sixth of the time. Each process needs up to 2 GB, so there are four at most.
    """
    if not any(_is_kind(argument) for argument in arguments):
        return 0
    return min((os.process_cpu_count() or 1) + 2, 4)


def unit_of(nodeid: str) -> str:
    """Return the name of the unit to which a test belongs."""
    file = nodeid.partition("::")[0]
    return max((unit for unit in LONG_UNITS if file.startswith(unit)), key=len, default=file)


def order_of(nodeid: str) -> int:
    """Return the sort key of a test in a run by several processes: long units first, and kinds from slow to quick."""
    unit = unit_of(nodeid)
    if unit in LONG_UNITS:
        return LONG_UNITS.index(unit)
    return len(LONG_UNITS) + len(KINDS) - rank(nodeid)


def rank(path: str) -> int:
    """Return the place of a test's kind among all kinds."""
    parts = PurePosixPath(path.partition("::")[0]).parts
    return next((place for place, kind in enumerate(KINDS) if kind in parts), len(KINDS))


class UnitScheduling(LoadScopeScheduling):  # type: ignore[misc] # the package has no types
    """Hands out units in the order of the tests."""

    def __init__(self, config: pytest.Config, log: object) -> None:
        config.option.loadscopereorder = False
        super().__init__(config, log)

    def _split_scope(self, nodeid: str) -> str:
        return unit_of(nodeid)


def _is_kind(argument: str) -> bool:
    """Return whether an argument names the tests of a whole kind, or all tests."""
    parts = [part for part in PurePosixPath(os.path.relpath(argument)).parts if part != "."]
    return len(parts) == 0 or (parts[0] == "tests" and len(parts) <= 2 and not parts[-1].endswith(".py"))
