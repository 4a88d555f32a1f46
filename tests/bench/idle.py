"""`./notflix bench idle`: what the product uses while nobody does anything: two titles, no viewer, no upload."""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

from infra.local.processes.liveness import cpu_of
from infra.local.processes.state import read_state
from tests.bench._measure import conclude, say
from tests.bench._product import product
from tests.bench._soak import processes_of
from tests.support.media import Film, make_film

GOALS = {"all_percent": 2.0}
"""Percent of one core that all processes of the product use together."""

ENCODED_WITHIN_S = 600


def main() -> int:
    """Run the benchmark and print its results; return 0 if all goals are met, else 1."""
    parser = argparse.ArgumentParser(prog="./notflix bench idle", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a shorter time")
    settle_s, seconds = (60.0, 60.0) if parser.parse_args().quick else (120.0, 300.0)
    with product() as own, tempfile.TemporaryDirectory() as folder:
        say("Starting the product …")
        own.up()
        storefront = own.storefront
        film = make_film(Film(frames=145), Path(folder))
        sent = [storefront.send(f"Film {number}.mp4", film) for number in (1, 2)]
        storefront.ended(sent, within_s=ENCODED_WITHIN_S)
        storefront.close()
        say(f"Both films are ready. Measuring for {seconds:.0f} s, after {settle_s:.0f} s …")
        time.sleep(settle_s)
        state = read_state(own.home)
        assert state is not None
        pids = {**processes_of(own), "supervisor": state.pid}
        began, before = time.monotonic(), {name: cpu_of(pid) for name, pid in pids.items()}
        time.sleep(seconds)
        elapsed_s = time.monotonic() - began
        percent = {name: 100 * (cpu_of(pid) - before[name]) / elapsed_s for name, pid in pids.items()}
    figures = {f"{name}_percent": value for name, value in sorted(percent.items(), key=lambda each: -each[1])}
    return conclude("idle", {"all_percent": sum(percent.values()), **figures}, GOALS)


if __name__ == "__main__":
    raise SystemExit(main())
