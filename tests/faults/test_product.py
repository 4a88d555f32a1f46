"""Processes, network, storage, disk, clocks and partners of the running product fail; nothing acknowledged is lost.

A run's fault and its moment follow from its seed. `--seed` repeats one run; `--first-seed` and `--runs` choose others.
"""

from __future__ import annotations

import json
import shutil
import threading
import time
from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest
import requests

from tests.faults.breakable import READY_WITHIN_S, breakable_product
from tests.faults.invariants import Invariants
from tests.faults.kinds import RUNS, RUNS_IN_FULL, fault_of_seed
from tests.faults.patience import until
from tests.faults.workload import TINY, Workload
from tests.support.media import make_film
from tests.support.viewers import as_owner

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.faults.breakable import BreakableProduct
    from tests.faults.kinds import InjectedFault

OUTAGE_S, OUTAGE_IN_FULL_S = 20, 120
READY_AFTER_OUTAGE_S = 600
OUTAGES = {"MongoDB": ("secantus",), "storage": ("blob", "queue"), "MySQL": ("mariadb",)}
"""The links to each store."""

PLOT = "Two boats wait for the fog to lift."

BATCH = 8
"""The number of runs after which everything that was acknowledged is compared with the product."""

MOST_LEFT_OUT = 0.1
"""The share of runs that may be impossible on this machine; only root can fill a disk."""


@pytest.fixture(scope="module")
def product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BreakableProduct]:
    """Start the product; keep its logs at the end, in one of pytest's temporary folders."""
    with breakable_product() as running:
        yield running
        shutil.copytree(running.product.home.path / "logs", tmp_path_factory.mktemp("faults") / "logs")


@pytest.fixture(scope="module")
def workload(product: BreakableProduct, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workload]:
    """Start the product, with a subscriber."""
    made = Workload.begin(product.product, make_film(TINY, tmp_path_factory.mktemp("film")))
    yield made
    made.close()


@pytest.fixture(scope="module")
def invariants(workload: Workload) -> Iterator[Invariants]:
    """Return what must be true of the workload."""
    made = Invariants.of(workload)
    yield made
    made.close()


@pytest.mark.timeout(0)
def test_nothing_acknowledged_is_lost(
    product: BreakableProduct,
    workload: Workload,
    invariants: Invariants,
    in_full: bool,
    request: pytest.FixtureRequest,
    announce: Callable[[str], None],
) -> None:
    option = request.config.getoption
    first, runs = option("--first-seed"), option("--runs") or (RUNS_IN_FULL if in_full else RUNS)
    seeds = range(first, first + runs) if (only := option("--seed")) is None else [only]
    faults = {seed: fault_of_seed(seed, in_full=in_full) for seed in seeds}
    left_out = {seed: reason for seed, fault in faults.items() if (reason := fault.lacks(product))}
    assert len(left_out) <= MOST_LEFT_OUT * len(seeds), f"too many runs are impossible here: {set(left_out.values())}"
    for number, (seed, fault) in enumerate(faults.items(), start=1):
        if reason := left_out.get(seed):
            announce(f"seed {seed}: {fault}: left out, because {reason}")
        else:
            announce(f"seed {seed}: {fault}")
            began = time.monotonic()
            run(product, workload, seed, fault)
            announce(f"seed {seed}: over after {time.monotonic() - began:.0f} s")
        if number % BATCH == 0 or number == len(seeds):
            began = time.monotonic()
            invariants.settle()
            announce(f"everything acknowledged is there after {time.monotonic() - began:.0f} s")
    announce(f"{len(seeds) - len(left_out)} runs, {len(left_out)} left out, 0 lost")


@pytest.mark.timeout(0)
@pytest.mark.parametrize(
    "stores", ["MongoDB, storage, MySQL", *(pytest.param(store, marks=pytest.mark.extended) for store in OUTAGES)]
)
def test_film_that_arrives_while_stores_are_away_becomes_ready_by_itself(
    product: BreakableProduct,
    workload: Workload,
    in_full: bool,
    tmp_path: Path,
    stores: str,
    request: pytest.FixtureRequest,
) -> None:
    if request.config.getoption("--seed") is not None:
        pytest.skip("--seed repeats a run of the other test")
    storefront, folder = workload.storefront, f"without {stores}"
    sidecar = tmp_path / "harbour.json"
    sidecar.write_text(json.dumps({"name": "Harbour", "plot": PLOT}))
    with ExitStack() as outage:
        for link in (link for store in stores.split(", ") for link in OUTAGES[store]):
            outage.enter_context(product.links[link].down())
        sent = storefront.send(f"{folder}/harbour.mp4", workload.film)
        storefront.send(f"{folder}/harbour.json", sidecar)
        threading.Event().wait(OUTAGE_IN_FULL_S if in_full else OUTAGE_S)

    def is_ready() -> bool:
        try:
            job = storefront.job(sent)
            title = as_owner(product.product.endpoints, "GET", f"titles/{sent.title_id}")
        except requests.RequestException:
            return False
        return job is not None and job["status"] == "ready" and title.ok and title.json()["plot"] == PLOT

    until(is_ready, within_s=READY_AFTER_OUTAGE_S, what=f"{sent.blob} is ready and described by its sidecar")


def run(product: BreakableProduct, workload: Workload, seed: int, fault: InjectedFault) -> None:
    """Do one of everything while a fault happens, and wait until every process runs well again."""
    broken: list[BaseException] = []
    injecting = threading.Thread(target=inject, args=(product, fault, broken))
    injecting.start()
    workload.do(f"run-{seed}", number=seed)
    injecting.join()
    assert not broken, broken
    until(product.is_ready, within_s=READY_WITHIN_S, what=f"every process is ready after {fault}")


def inject(product: BreakableProduct, fault: InjectedFault, broken: list[BaseException]) -> None:
    """Wait for the moment of a fault, and inject it; note if that was impossible."""
    never = threading.Event()
    never.wait(fault.after_s)
    try:
        with fault.inject(product):
            never.wait(fault.lasts_s)
    except BaseException as error:  # noqa: BLE001 - whatever it is, the run is not what it says
        broken.append(error)
