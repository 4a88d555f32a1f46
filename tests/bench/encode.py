"""`./notflix bench encode`: CPU and wall time of an encode, compared with the baselines, on a real clip at 1080p.

The running product is measured from outside: the CPU time of the encoder host with its ffmpeg processes, and the time
since the end of the upload. Each encoder first encodes a tiny film, so that one-time loading is not counted. See
`_encode_baselines` for the baselines.
"""

from __future__ import annotations

import argparse
import itertools
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

from functions.platform.settings import Settings
from infra.local.home import Home
from tests.bench._encode_baselines import Baselines
from tests.bench._measure import (
    PeakMemoryWatch,
    ResourceUsage,
    conclude,
    cpu_of_tree,
    peak_mb,
    say,
)
from tests.bench._product import first_manifest_s, product, ready_s
from tests.bench._sources import SHORT_S, long_film, short_film, tiny_film

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.bench._product import Product

FRAMES = round(SHORT_S * 24)
LONG_OVER_SHORT = 1.2
GOALS = {
    "cpu_vs_single": 1.05,
    "cpu_vs_bound": 1.30,
    "wall_vs_serial": 1.0,
    "first_picture_s": 10.0,
    "encoder_rss_mb": 200.0,
    "ffmpeg_rss_mb": 2048.0,
}

_numbers = itertools.count(1)


@dataclass(slots=True)
class Ours:
    """The measurements of the product's encodes, one value per run."""

    cpu_s: list[float] = field(default_factory=list)
    wall_s: list[float] = field(default_factory=list)
    first_s: list[float] = field(default_factory=list)
    encoder_mb: float = 0.0
    ffmpeg_mb: float = 0.0


def main() -> int:
    """Run the benchmark and print its results; return 0 if all goals are met, else 1."""
    parser = argparse.ArgumentParser(prog="./notflix bench encode", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="one round of each instead of two")
    quick = parser.parse_args().quick
    cache = Home.of().path / "bench"
    cache.mkdir(parents=True, exist_ok=True)
    short, long, tiny = short_film(cache), long_film(cache), tiny_film(cache)
    rounds = 1 if quick else 2

    ours, both = Ours(), Ours()
    baselines: dict[str, list[ResourceUsage]] = {"single": [], "bound": [], "serial": []}
    long_first_s: list[float] = []
    with tempfile.TemporaryDirectory(dir=cache) as folder:
        competitor = Baselines(short, FRAMES, Settings(storage="", mongo_url="").encode_preset, Path(folder))
        runs: dict[str, Callable[[], ResourceUsage]] = {
            "single": competitor.single,
            "bound": competitor.bound,
            "serial": competitor.serial,
        }
        with product() as one:
            say("Starting the product with one encoder …")
            one.up()
            _encode(one, tiny, Ours())
            for number in range(1, rounds + 1):
                say(f"Round {number} of {rounds}: ours …")
                _encode(one, short, ours)
                for name, run in runs.items():
                    say(f"Round {number} of {rounds}: {name} …")
                    baselines[name].append(run())
            say("First picture of the ten-minute film …")
            long_first_s.append(_first_picture(one, long))
    with product() as two:
        say("Starting the product with two encoders …")
        two.up("--encoders", "2")
        _encode(two, tiny, Ours())
        for number in range(1, rounds + 1):
            say(f"Round {number} of {rounds}: ours, with two encoders …")
            _encode(two, short, both)
    if not quick:
        with product() as fresh:
            say("First picture of the ten-minute film, second run …")
            fresh.up()
            long_first_s.append(_first_picture(fresh, long))

    figures = {
        "cpu_vs_single": median(ours.cpu_s) / _cpu(baselines["single"]),
        "cpu_vs_bound": median(ours.cpu_s) / _cpu(baselines["bound"]),
        "wall_vs_serial": median(ours.wall_s) / median(usage.wall_s for usage in baselines["serial"]),
        "first_picture_s": median(ours.first_s),
        "first_picture_long_s": median(long_first_s),
        "two_workers_vs_one": median(both.wall_s) / median(ours.wall_s),
        "encoder_rss_mb": max(ours.encoder_mb, both.encoder_mb),
        "ffmpeg_rss_mb": max(ours.ffmpeg_mb, both.ffmpeg_mb),
    }
    say(f"\nours: {_each(ours.cpu_s)} CPU-s, {_each(ours.wall_s)} s")
    say(f"ours, with two encoders: {_each(both.cpu_s)} CPU-s, {_each(both.wall_s)} s")
    for name, usages in baselines.items():
        say(f"{name}: {_each([usage.cpu_s for usage in usages])} CPU-s, {_each([usage.wall_s for usage in usages])} s")
    return conclude("encode", figures, GOALS | {"first_picture_long_s": LONG_OVER_SHORT * figures["first_picture_s"]})


def _encode(running: Product, film: Path, seen: Ours) -> None:
    """Upload a film to an idle product; record the CPU time, memory and duration of its encode."""
    storefront = running.storefront
    encoders = running.pids("encoder")
    before = sum(map(cpu_of_tree, encoders))
    with PeakMemoryWatch(encoders, "ffmpeg") as children:
        sent = storefront.send(f"bench {next(_numbers)}.mp4", film)
        uploaded = time.perf_counter()
        seen.first_s.append(first_manifest_s(storefront, sent, uploaded))
        seen.wall_s.append(ready_s(storefront, sent, uploaded))
    seen.cpu_s.append(sum(map(cpu_of_tree, encoders)) - before)
    seen.ffmpeg_mb = max(seen.ffmpeg_mb, children.peak_mb)
    seen.encoder_mb = max([seen.encoder_mb, *map(peak_mb, encoders)])
    storefront.close()


def _first_picture(running: Product, film: Path) -> float:
    """Upload a film to an idle product; return the seconds from the end of the upload to the first manifest."""
    storefront = running.storefront
    sent = storefront.send(f"bench {next(_numbers)}.mp4", film)
    first_s = first_manifest_s(storefront, sent, time.perf_counter())
    storefront.close()
    return first_s


def _cpu(usages: list[ResourceUsage]) -> float:
    return median(usage.cpu_s for usage in usages)


def _each(values: list[float]) -> str:
    return ", ".join(f"{value:.1f}" for value in values)


if __name__ == "__main__":
    raise SystemExit(main())
