"""`./notflix bench start`: how long the product takes to start, and how long the host takes to load the functions.

`jobs_list_ms` is the API's CPU time for one list of jobs for a hundred films of two hours; the Studio requests the list
every 1.5 s while an encode runs. `import_uncompiled` is the import where our modules have no bytecode yet, as at the
first start of a new package.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from statistics import median
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import requests
from pymongo import MongoClient

from functions.encoding.frame_grid import FrameGrid
from functions.encoding.ladder import chunks_for
from functions.encoding.model import JobStatus
from functions.encoding.repository import MongoEncodeJobs
from infra.local.home import REPOSITORY
from tests.bench._measure import conclude, cpu_of_tree, resident_mb, say
from tests.bench._product import product
from tests.support.encoding_plans import make_job, make_plan

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.bench._product import Product

GOALS = {"import_vs_azure_functions": 1.4, "second_up_s": 10.0, "jobs_list_ms": 20.0}
JOBS = 100
TWO_HOURS = FrameGrid(Fraction(24_000, 1001), 172_627)
TIMED_IMPORT = "import time; began = time.perf_counter(); import {0}; print(time.perf_counter() - began)"


def main() -> int:
    """Run the benchmark and print its results; return 0 if all goals are met, else 1."""
    parser = argparse.ArgumentParser(prog="./notflix bench start", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer repetitions")
    quick = parser.parse_args().quick

    say("Importing …")
    ours, bare, uncompiled = [], [], []
    with TemporaryDirectory() as cache:
        compiled = {"PYTHONPYCACHEPREFIX": cache, "PYTHONDONTWRITEBYTECODE": ""}
        _import_s("function_app", compiled)  # this call fills the bytecode and file caches
        for _ in range(5 if quick else 15):
            ours.append(_import_s("function_app", compiled))
            bare.append(_import_s("azure.functions", compiled))
            uncompiled.append(_import_s("function_app", {"PYTHONDONTWRITEBYTECODE": "1"}))
    with product() as own:
        say("Starting for the first time …")
        first_up_s = own.up()
        again = []
        for number in range(1 if quick else 3):
            own.down()
            say(f"Starting again, {number + 1} …")
            again.append(own.up())
        api_mb = max(map(resident_mb, own.pids("api")))
        say(f"Listing {JOBS} encodes …")
        list_ms = _jobs_list_ms(own, calls=20 if quick else 100)
    figures = {
        "import_vs_azure_functions": median(ours) / median(bare),
        "import_uncompiled": median(uncompiled) / median(bare),
        "second_up_s": median(again),
        "api_rss_mb": api_mb,
        "jobs_list_ms": list_ms,
    }
    say(f"\nimport of function_app {median(ours):.3f} s, of azure.functions {median(bare):.3f} s")
    say(f"first start {first_up_s:.1f} s, again {', '.join(f'{seconds:.1f}' for seconds in again)} s")
    return conclude("start", figures, GOALS)


def _jobs_list_ms(own: Product, *, calls: int) -> float:
    """Return the API's CPU time, in milliseconds, for listing the newest jobs when the list is full."""
    endpoints = json.loads(own.home.endpoints_file.read_text(encoding="utf-8"))
    plan = replace(make_plan(), grid=TWO_HOURS, chunks=chunks_for(TWO_HOURS))
    done = frozenset(chunk.index for chunk in plan.chunks)
    now = datetime.now(UTC)
    with MongoClient[dict[str, Any]](endpoints["mongo"], tz_aware=True) as client:
        jobs = MongoEncodeJobs(client["notflix"]["encode_jobs"], lambda: now)
        for number in range(JOBS):
            opened_at = now + timedelta(seconds=number)
            job = make_job(f"{number:012x}", plan=plan, chunks_done=done, status=JobStatus.READY, created_at=opened_at)
            jobs.add_job(job)
    (api,) = own.pids("api")

    def ask() -> None:
        answer = requests.get(
            f"{endpoints['api']}/api/jobs", headers={"x-operator-key": endpoints["api_key"]}, timeout=30
        )
        answer.raise_for_status()
        assert len(answer.json()["jobs"]) == JOBS

    ask()  # this call imports all modules
    before_s = cpu_of_tree(api)
    for _ in range(calls):
        ask()
    return (cpu_of_tree(api) - before_s) * 1000 / calls


def _import_s(module: str, environment: Mapping[str, str]) -> float:
    """Return the seconds that a new interpreter takes to import a module, without the interpreter's own start."""
    command = [sys.executable, "-c", TIMED_IMPORT.format(module)]
    whole = {**os.environ, **environment}
    done = subprocess.run(command, cwd=REPOSITORY, env=whole, capture_output=True, text=True, check=True, timeout=120)
    return float(done.stdout)


if __name__ == "__main__":
    raise SystemExit(main())
