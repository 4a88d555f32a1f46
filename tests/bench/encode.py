"""`./notflix bench encode`: CPU and wall time of an encode, compared with the baselines, on a real clip at 1080p.

The running product is measured from outside: the CPU time of the encoder host with its ffmpeg processes, and the time
since the end of the upload. Each encoder first encodes a tiny film, so that one-time loading is not counted. The film's
own pictures are used only in the runs named `passthrough` and `uploading`; `--only` runs one of the cases. `uploading`
measures films of which only the first 16 MB have arrived. See `_encode_baselines` for the baselines.
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
from tests.bench._sources import SHORT_S, hour_film, long_film, short_film, tiny_film
from tests.support.product import ENCODE_ALL

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
PASSTHROUGH_GOALS = {"cpu_vs_bound": 0.56, "first_picture_s": 1.0, "first_picture_hour_s": 1.0}
UPLOADING_GOALS = {"while_uploading_s": 5.0, "while_uploading_index_last_s": 5.0}
FIRST_COMMIT = 16 << 20
"""How much of a film has arrived when the Studio first commits it, in bytes."""

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
    parser.add_argument("--only", choices=["encode", "passthrough", "uploading"], help="run only one of the cases")
    options = parser.parse_args()
    cache = Home.of().path / "bench"
    cache.mkdir(parents=True, exist_ok=True)
    codes = [
        case(cache, rounds=1 if options.quick else 2)
        for name, case in (("encode", _encoded), ("passthrough", _passthrough), ("uploading", _uploading))
        if options.only in (None, name)
    ]
    return max(codes)


def _encoded(cache: Path, *, rounds: int) -> int:
    """Measure the encode of all renditions; return 0 if its goals are met."""
    short, long, tiny = short_film(cache), long_film(cache), tiny_film(cache)
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
        with product(**ENCODE_ALL) as one:
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
    with product(**ENCODE_ALL) as two:
        say("Starting the product with two encoders …")
        two.up("--encoders", "2")
        _encode(two, tiny, Ours())
        for number in range(1, rounds + 1):
            say(f"Round {number} of {rounds}: ours, with two encoders …")
            _encode(two, short, both)
    if rounds > 1:
        with product(**ENCODE_ALL) as fresh:
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


def _passthrough(cache: Path, *, rounds: int) -> int:
    """Measure a film whose own pictures are its best rendition; return 0 if its goals are met."""
    short, hour, tiny = short_film(cache), hour_film(cache), tiny_film(cache)
    ours, bound, hour_first_s = Ours(), list[ResourceUsage](), list[float]()
    with tempfile.TemporaryDirectory(dir=cache) as folder:
        competitor = Baselines(short, FRAMES, Settings(storage="", mongo_url="").encode_preset, Path(folder))
        for number in range(1, rounds + 1):
            with product() as fresh:
                fresh.up()
                _encode(fresh, tiny, Ours())
                say(f"Passthrough, round {number} of {rounds}: ours …")
                _encode(fresh, short, ours)
                say(f"Passthrough, round {number} of {rounds}: first picture of the film of an hour …")
                hour_first_s.append(_first_picture(fresh, hour))
            say(f"Passthrough, round {number} of {rounds}: bound …")
            bound.append(competitor.bound())
    figures = {
        "cpu_vs_bound": median(ours.cpu_s) / _cpu(bound),
        "first_picture_s": median(ours.first_s),
        "first_picture_hour_s": median(hour_first_s),
    }
    say(f"\nours: {_each(ours.cpu_s)} CPU-s, {_each(ours.wall_s)} s; bound: {_each([b.cpu_s for b in bound])} CPU-s")
    return conclude("passthrough", figures, PASSTHROUGH_GOALS)


def _uploading(cache: Path, *, rounds: int) -> int:
    """Measure films that are still uploaded; return 0 if their goals are met."""
    short, hour, tiny = short_film(cache), hour_film(cache), tiny_film(cache)
    first_s: dict[str, list[float]] = {name: [] for name in UPLOADING_GOALS}
    with product() as one:
        one.up()
        _encode(one, tiny, Ours())
        for number in range(1, rounds + 1):
            for name, film in zip(first_s, (hour, short), strict=True):
                say(f"While uploading, round {number} of {rounds}: {film.name} …")
                first_s[name].append(_first_picture_of_part(one, film))
    return conclude("uploading", {name: median(values) for name, values in first_s.items()}, UPLOADING_GOALS)


def _first_picture_of_part(running: Product, film: Path) -> float:
    """Send the first bytes of a film, and its index if that is at the end; return the seconds to the first manifest."""
    whole, index, number = film.stat().st_size, _index_position(film), next(_numbers)
    with film.open("rb") as file:
        front = file.read(FIRST_COMMIT)
        file.seek(index)
        tail = file.read() if index > FIRST_COMMIT else b""
    storefront, upload_id = running.storefront, f"{number:012x}-00000001"
    sent = storefront.commit(f"bench {number}.mp4", [front], whole=whole, upload_id=upload_id, tail=tail)
    first_s = first_manifest_s(storefront, sent, time.perf_counter())
    storefront.close()
    return first_s


def _index_position(film: Path) -> int:
    """Return the position of the index of an MP4 (ISO/IEC 14496-12, 4.2)."""
    position = 0
    with film.open("rb") as file:
        while (head := file.read(16))[4:8] != b"moov":
            short = int.from_bytes(head[:4])
            position += int.from_bytes(head[8:16]) if short == 1 else short
            file.seek(position)
    return position


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
