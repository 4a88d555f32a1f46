"""`./notflix bench scale`: how long encodes take in Azure with 1 to 1,000 replicas, predicted, and what they cost.

Two clips of different length are encoded by one encoder. From their times and CPU times follow the work for a second of
film, and how much of it more cores speed up. With this the model (`_scale_model`) predicts how a film of two minutes is
encoded by one, two and three encoders on this machine, which is measured too. The table for Azure uses the CPU time of
the encoders only. Its replicas have cores as fast as those of this machine, or `--core-speed` times as fast.
"""

from __future__ import annotations

import argparse
import itertools
import time
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

from functions.encoding.frame_grid import FrameGrid
from functions.encoding.ladder import chunks_for
from functions.encoding.spending.costs import CHUNKS_PER_REPLICA, CORES, MOST_REPLICAS, replica_microusd
from infra.local.home import Home
from tests.bench._measure import conclude, cpu_of_tree, say
from tests.bench._product import first_manifest_s, product, ready_s
from tests.bench._scale_model import (
    CHUNK,
    FRONT,
    SOUND,
    Encoders,
    Film,
    Rule,
    Task,
    serial_share,
    simulate,
)
from tests.bench._sources import (
    SHORT_S,
    TWO_MINUTES_S,
    brief_film,
    short_film,
    tiny_film,
    two_minute_film,
)
from tests.support.product import ENCODE_ALL

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from tests.bench._product import Product

FPS = 24
CORES_HERE = 2
"""The encoders are measured on so many cores."""

ENCODERS = (1, 2, 3)
MOST_ERROR = 0.15
"""The goal: how far a predicted time may be from the measured one, as a share of it."""

AV1_WORK = 2.05
"""Measured: the CPU time of SVT-AV1 with preset 8, relative to that of x264 with preset veryfast."""

SOUND_WORK = 0.01
"""The share of the work that is the sound; it is encoded beside the pictures."""

MINUTES = (10, 60, 120)
REPLICAS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)

_numbers = itertools.count(1)


@dataclass(frozen=True, slots=True)
class Measured:
    """An encode on this machine: seconds, and CPU-seconds of the encoders and of all services."""

    first_s: float
    wall_s: float
    encoder_cpu_s: float
    cpu_s: float


@dataclass(frozen=True, slots=True)
class Rates:
    """The core-seconds for a second of film, and the times that do not depend on its length."""

    core_s: float
    serial: float
    plan_s: float
    publish_s: float

    def film(self, seconds: float, *works: float) -> Film:
        """Return a film with a phase for each of `works`, which are relative to an encode in H.264."""
        phases = (tuple(self._tasks(seconds, work, sound=not at)) for at, work in enumerate(works or (1.0,)))
        return Film(self.plan_s, self.publish_s, self.serial, tuple(phases))

    def _tasks(self, seconds: float, work: float, *, sound: bool) -> Iterator[Task]:
        for chunk in chunks_for(FrameGrid(Fraction(FPS), round(seconds * FPS))):
            pictures = (chunk.end_frame - chunk.first_frame) / FPS
            yield Task(CHUNK if chunk.index or not sound else FRONT, pictures * self.core_s * work)
        if sound:
            yield Task(SOUND, SOUND_WORK * seconds * self.core_s)

    def on_cores(self, speed: float) -> Rates:
        """Return the rates on cores that are `speed` times as fast."""
        return Rates(self.core_s / speed, self.serial, self.plan_s / speed, self.publish_s / speed)


def main() -> int:
    """Run the benchmark and print its results; return 0 if all goals are met, else 1."""
    parser = argparse.ArgumentParser(prog="./notflix bench scale", description=__doc__)
    parser.add_argument("--core-speed", type=float, default=1.0, help="speed of a vCPU, relative to a core here")
    speed = parser.parse_args().core_speed
    cache = Home.of().path / "bench"
    cache.mkdir(parents=True, exist_ok=True)
    brief, short, film, tiny = brief_film(cache), short_film(cache), two_minute_film(cache), tiny_film(cache)
    measured: dict[int, Measured] = {}
    for encoders in ENCODERS:
        with product(**ENCODE_ALL) as running:
            say(f"Starting the product with {encoders} encoder{'s' * (encoders > 1)} …")
            running.up("--encoders", str(encoders))
            _measure(running, tiny)
            if encoders == 1:
                say("Encoding the clips that calibrate the model …")
                clips = _measure(running, brief), _measure(running, short)
            say("Encoding the film of two minutes …")
            measured[encoders] = _measure(running, film)
    with product() as running:
        say("Starting the product, which uses the clip's own pictures …")
        running.up()
        _measure(running, tiny)
        copied = _measure(running, short)
    here, there = rates(*clips, cpu_of=lambda clip: clip.cpu_s), rates(*clips, cpu_of=lambda clip: clip.encoder_cpu_s)
    copied_work = copied.encoder_cpu_s / clips[1].encoder_cpu_s
    figures: dict[str, float] = {}
    for encoders, seen in measured.items():
        predicted = simulate(here.film(TWO_MINUTES_S), Encoders(CORES_HERE, encoders))
        say(f"{encoders} encoders: ready after {seen.wall_s:.1f} s, predicted {predicted.done_s[0]:.1f} s")
        figures[f"ready_{encoders}_s"] = seen.wall_s
        figures[f"error_{encoders}"] = abs(predicted.done_s[0] / seen.wall_s - 1)
    figures |= {"core_s_per_s": there.core_s, "serial_share": there.serial, "copied_work": copied_work}
    azure = there.on_cores(speed)
    warm = simulate(azure.film(3600), Encoders(CORES, 1, 200))
    figures["hour_200_encoding_s"] = warm.done_s[0]
    say("")
    for line in table(azure, copied_work):
        say(line)
    goals = {f"error_{encoders}": MOST_ERROR for encoders in ENCODERS} | {"hour_200_encoding_s": 60.0}
    return conclude("scale", figures, goals)


def _measure(running: Product, film: Path) -> Measured:
    storefront = running.storefront
    encoders, services = running.pids("encoder"), running.pids("")
    before = sum(map(cpu_of_tree, encoders)), sum(map(cpu_of_tree, services))
    sent = storefront.send(f"scale {next(_numbers)}.mp4", film)
    uploaded = time.perf_counter()
    first_s = first_manifest_s(storefront, sent, uploaded)
    wall_s = ready_s(storefront, sent, uploaded)
    storefront.close()
    encoder_cpu_s = sum(map(cpu_of_tree, encoders)) - before[0]
    return Measured(first_s, wall_s, encoder_cpu_s, sum(map(cpu_of_tree, services)) - before[1])


def rates(brief: Measured, short: Measured, *, cpu_of: Callable[[Measured], float]) -> Rates:
    """Return what follows from the encodes of two clips by one encoder; `cpu_of` selects the CPU time that counts."""
    parallel = (cpu_of(short) - cpu_of(brief)) / (short.wall_s - brief.wall_s)
    core_s = cpu_of(short) / SHORT_S
    fixed_s = max(0.0, short.wall_s - cpu_of(short) / parallel)
    plan_s = max(0.0, short.first_s - FrameGrid(Fraction(FPS), FPS).gop / FPS * core_s / parallel)
    return Rates(core_s, serial_share(parallel, CORES_HERE), plan_s, max(0.0, fixed_s - plan_s))


def table(azure: Rates, copied_work: float) -> Iterator[str]:
    """Yield the lines of a table in Markdown: from zero replicas, by duration, kind and number of replicas.

    Up to MOST_REPLICAS, each CHUNKS_PER_REPLICA chunks start another replica, as by default; beyond, each chunk does.
    """
    yield "| Film | Kind | Replicas at most | First picture | Ready | AV1 complete | Replica-seconds | Price |"
    yield "| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: |"
    kinds: Mapping[str, Sequence[float]] = {
        "own pictures": (copied_work,),
        "H.264": (1.0,),
        "H.264, then AV1": (1.0, AV1_WORK),
    }
    for minutes, (kind, works) in itertools.product(MINUTES, kinds.items()):
        for most in REPLICAS:
            per_replica = CHUNKS_PER_REPLICA if most <= MOST_REPLICAS else 1
            seen = simulate(azure.film(minutes * 60, *works), Rule(most, per_replica))
            av1 = duration(seen.done_s[1]) if len(works) > 1 else ""
            price = f"${replica_microusd(seen.replica_s) / 1e6:.2f}"
            first = "1 s" if kind == "own pictures" else duration(seen.first_picture_s)
            times = f"{first} | {duration(seen.done_s[0])} | {av1}"
            billed = f"{seen.replica_s:,.0f} | {price}"
            yield f"| {minutes} min | {kind} | {seen.replicas} of {most:,} | {times} | {billed} |"
            if most > MOST_REPLICAS and seen.replicas < most:
                break  # more replicas would not be started


def duration(seconds: float) -> str:
    """Return a time such as 54 s or 3:20 min."""
    whole = round(seconds)
    return f"{whole} s" if whole < 100 else f"{whole // 60}:{whole % 60:02} min"


if __name__ == "__main__":
    raise SystemExit(main())
