"""`./notflix bench start`: how long a person waits for the product, and the host for the functions."""

from __future__ import annotations

import argparse
import subprocess
import sys
from statistics import median

from infra.local.home import REPOSITORY
from tests.bench._measure import conclude, resident_mb, say
from tests.bench._product import product

GOALS = {"import_vs_azure_functions": 1.5, "second_up_s": 10.0}
TIMED_IMPORT = "import time; began = time.perf_counter(); import {0}; print(time.perf_counter() - began)"


def main() -> int:
    """Measure, print the table and the line of JSON; return 0 if all goals are met."""
    parser = argparse.ArgumentParser(prog="./notflix bench start", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer repetitions")
    quick = parser.parse_args().quick

    say("Importing …")
    _import_s("function_app")  # so that everything is compiled and in the cache of files
    ours, bare = [], []
    for _ in range(5 if quick else 15):
        ours.append(_import_s("function_app"))
        bare.append(_import_s("azure.functions"))
    with product() as own:
        say("Starting for the first time …")
        first_up_s = own.up()
        again = []
        for number in range(1 if quick else 3):
            own.down()
            say(f"Starting again, {number + 1} …")
            again.append(own.up())
        api_mb = max(map(resident_mb, own.pids("api")))
    figures = {
        "import_vs_azure_functions": median(ours) / median(bare),
        "second_up_s": median(again),
        "api_rss_mb": api_mb,
    }
    say(f"\nimport of function_app {median(ours):.3f} s, of azure.functions {median(bare):.3f} s")
    say(f"first start {first_up_s:.1f} s, again {', '.join(f'{seconds:.1f}' for seconds in again)} s")
    return conclude("start", figures, GOALS)


def _import_s(module: str) -> float:
    """Return how long a fresh interpreter takes to import a module, its own start not counted."""
    command = [sys.executable, "-c", TIMED_IMPORT.format(module)]
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=True, timeout=120)
    return float(done.stdout)


if __name__ == "__main__":
    raise SystemExit(main())
