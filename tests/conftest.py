"""The order of all tests, from quick tests to tests that drive the whole product, and the shared fixtures."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, Phase, settings

from tests.support import distribution, ports

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

# A busy machine is slow, which says nothing about the code.
settings.register_profile("notflix", deadline=None, suppress_health_check=[HealthCheck.too_slow])
# Mutation tests only ask whether any example fails, so they look for no smaller one; each trial has the same examples.
settings.register_profile(
    "mutation", settings.get_profile("notflix"), derandomize=True, phases=(Phase.explicit, Phase.generate)
)
settings.load_profile("notflix")

# The graph's server does not run long enough in tests for the optimising compiler of Java to be worth its work: without
# it, a start takes 2.2 CPU-seconds instead of 3.7.
os.environ.setdefault("JDK_JAVA_OPTIONS", "-XX:TieredStopAtLevel=1")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options of this project.

    `--all` also runs the tests marked `extended`, and gives the other tests their full number of runs. `--seed` and
    `--fault` repeat a single run of a simulation. `--runs` and `--first-seed` set the number and the seeds of the runs
    of simulations and of fault runs.
    """
    parser.addoption("--all", action="store_true", help="also run the extended tests, which take hours")
    parser.addoption("--seed", type=int, help="the seed of a single run of the simulations and fault tests")
    parser.addoption("--runs", type=int, help="the number of runs of each simulated flow, or of fault runs")
    parser.addoption("--first-seed", type=int, default=0, help="the first seed of simulations and fault runs")
    parser.addoption("--fault", action="append", default=[], help="a fault of this run, as a failed run prints it")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Sort the tests by kind, in the order of collection within a kind; leave out the extended ones unless asked."""
    is_spread = config.getoption("dist", "no") != "no" or hasattr(config, "workerinput")
    key = distribution.order_of if is_spread else distribution.rank
    items.sort(key=lambda item: key(item.nodeid))
    if config.getoption("--all"):
        return
    left_out = [item for item in items if item.get_closest_marker("extended")]
    items[:] = [item for item in items if not item.get_closest_marker("extended")]
    config.hook.pytest_deselected(items=left_out)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """Return how many processes run the tests; 0 means the process of pytest itself."""
    is_alone = config.getoption("seed") is not None or config.getoption("capture") == "no"
    return 0 if is_alone else distribution.processes(config.args)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> distribution.UnitScheduling:
    """Return the scheduler, which keeps the tests of a unit together."""
    return distribution.UnitScheduling(config, log)


@pytest.fixture(scope="session")
def in_full(pytestconfig: pytest.Config) -> bool:
    """Return whether this is a run of `./notflix test --all`, in which tests make many more repetitions."""
    return bool(pytestconfig.getoption("--all"))


@pytest.fixture
def announce(capfd: pytest.CaptureFixture[str]) -> Callable[[str], None]:
    """Return a function that prints a line to the terminal at once, even from another process of the run."""

    def say(line: str) -> None:
        print(line)  # pytest repeats this line in the report of a failure
        with capfd.disabled():
            print(f"\n{line}", end="", file=sys.stderr, flush=True)

    return say


@pytest.fixture
def refused_port() -> Iterator[int]:
    """Return a loopback port that refuses connections for as long as the test runs."""
    with ports.refused_port() as port:
        yield port
