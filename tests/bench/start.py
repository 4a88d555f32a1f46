"""`./notflix bench start`: how long the product takes to start, and how long the functions take to import."""

from __future__ import annotations

import argparse
import subprocess
import sys
from statistics import median

from infra.local.stores.home import REPOSITORY
from tests.bench._measure import conclude, resident_mb, say
from tests.bench._product import product

GOALS = {"import_vs_azure_functions": 1.5, "second_up_s": 10.0}
TIMED_IMPORT = "import time; began = time.perf_counter(); import {0}; print(time.perf_counter() - began)"


def main() -> int:
    """Run the benchmark and print its results; return 0 if all goals are met, else 1."""
    parser = argparse.ArgumentParser(prog="./notflix bench start", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer repetitions")
    quick = parser.parse_args().quick

    say("Importing …")
    _import_s("function_app")  # so that bytecode and the file cache exist
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
    """Return the seconds that a new interpreter takes to import a module, without its own start."""
    command = [sys.executable, "-c", TIMED_IMPORT.format(module)]
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=True, timeout=120)
    return float(done.stdout)


if __name__ == "__main__":
    raise SystemExit(main())
