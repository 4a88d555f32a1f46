"""`./notflix bench queue`: how long uploads wait for their first picture, or their refusal, while encoders are busy.

Two encoders run. First, many short films are uploaded at once. The bound for their first pictures is the time of one
film alone, plus the CPU time of all films divided by the number of processors. Then a film of two hours at 1080p is
uploaded. While it is encoded, single films are uploaded: short and long ones, in MP4, Matroska and MPEG-TS, in H.264,
HEVC and MPEG-2. Then the hostile files of the tests are uploaded, one after the other. Times are counted from the end
of an upload. The two-hour film is not encoded to its end.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from infra.local.home import Home
from tests.bench._measure import conclude, cpu_of_tree, say
from tests.bench._product import first_manifest_s, product, ready_s
from tests.bench._sources import broadcast_film, clip_film, feature_film, hevc_film, long_film, tiny_film
from tests.support.hostile import HOSTILE, Trap

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.bench._product import Product
    from tests.support.uploads import Sent, Storefront

PARTS = ("many", "busy", "refused")
"""Many films at once; single films, and hostile files, while a film of two hours is encoded."""

ENCODERS = 2
GOALS = {"first_picture_busy_s": 15.0, "refusal_p95_s": 10.0}
POLL_S = 0.2
WITHIN_S = 900
QUICK_REFUSALS = 8
"""Of so many hostile files, one is uploaded in a quick run."""

SHOWN = 4
"""How many of the slowest refusals are printed."""


def main() -> int:
    """Run the benchmark and print its results; return 0 if all goals are met, else 1."""
    parser = argparse.ArgumentParser(prog="./notflix bench queue", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="12 films at once instead of 50, and fewer single files")
    parser.add_argument("--only", choices=PARTS, nargs="+", default=PARTS, help="measure only some of the parts")
    options = parser.parse_args()
    parts = options.only
    cache = Home.of().path / "bench"
    cache.mkdir(parents=True, exist_ok=True)
    clip, tiny, feature = clip_film(cache), tiny_film(cache), feature_film(cache)
    single = [clip, hevc_film(cache), broadcast_film(cache)]
    if not options.quick:
        single += [long_film(cache), feature, clip, tiny]
    figures: dict[str, float] = {}
    goals: dict[str, float] = {}
    with product() as running:
        say(f"Starting the product with {ENCODERS} encoders …")
        running.up("--encoders", str(ENCODERS))
        storefront = running.storefront
        for number in range(ENCODERS):
            _ready(storefront, f"warm-up {number}.mp4", tiny)
        if "many" in parts:
            many = 12 if options.quick else 50
            figures |= _many_at_once(running, storefront, clip, many)
            work_s = many * figures["work_per_film_cpu_s"] / (os.cpu_count() or 1)
            goals[f"first_picture_p95_of_{many}_s"] = figures["first_picture_alone_s"] + work_s
        if {"busy", "refused"} & {*parts}:
            figures |= _beside_a_long_film(
                storefront,
                feature,
                single if "busy" in parts else [],
                list(HOSTILE)[:: QUICK_REFUSALS if options.quick else 1] if "refused" in parts else [],
            )
        storefront.close()
    return conclude("queue", figures, goals | {name: goal for name, goal in GOALS.items() if name in figures})


def _many_at_once(running: Product, storefront: Storefront, film: Path, many: int) -> dict[str, float]:
    """Encode a film alone, then `many` that are uploaded at once; return the figures."""
    alone_s, work_s = _alone(running, storefront, film)
    say(f"Uploading {many} films at once …")
    firsts = _first_pictures(storefront, [(f"many {number}.mp4", film) for number in range(many)])
    say("Waiting for the end of their encodes …")
    storefront.ended(firsts, within_s=WITHIN_S)
    return {
        "first_picture_alone_s": alone_s,
        f"first_picture_p95_of_{many}_s": _p95(list(firsts.values())),
        "work_per_film_cpu_s": work_s,
    }


def _beside_a_long_film(
    storefront: Storefront, feature: Path, single: Sequence[Path], hostile: Sequence[str]
) -> dict[str, float]:
    """Upload single films and hostile files while a film of two hours is encoded; return the figures.

    Raises RuntimeError if that film was not encoded all the time.
    """
    say("Uploading a film of two hours …")
    long = storefront.send("feature.mkv", feature)
    figures = {"first_picture_feature_s": first_manifest_s(storefront, long, time.perf_counter())}
    busy = []
    for number, film in enumerate(single):
        say(f"Uploading {film.name} while it is encoded …")
        sent = storefront.send(f"busy {number}{film.suffix}", film)
        busy.append(first_manifest_s(storefront, sent, time.perf_counter()))
    if busy:
        figures["first_picture_busy_s"] = max(busy)
        say(f"while the film of two hours was encoded: {', '.join(f'{value:.1f}' for value in busy)} s")
    if hostile:
        say("Uploading files that are not films while it is encoded …")
        figures["refusal_p95_s"] = _p95(_refusals(storefront, hostile))
    job = storefront.job(long)
    if job is None or job["status"] != "encoding":
        raise RuntimeError(f"The film of two hours was not encoded meanwhile: {job}")
    return figures


def _alone(running: Product, storefront: Storefront, film: Path) -> tuple[float, float]:
    """Return the time to the first picture of a film in an idle product, and the CPU time of all services for it."""
    services = running.pids("")
    before = sum(map(cpu_of_tree, services))
    sent = storefront.send("alone.mp4", film)
    uploaded = time.perf_counter()
    first_s = first_manifest_s(storefront, sent, uploaded)
    ready_s(storefront, sent, uploaded)
    return first_s, sum(map(cpu_of_tree, services)) - before


def _ready(storefront: Storefront, name: str, film: Path) -> None:
    ready_s(storefront, storefront.send(name, film), time.perf_counter())


def _first_pictures(storefront: Storefront, films: Sequence[tuple[str, Path]]) -> dict[Sent, float]:
    """Upload films without a pause; return the time from the end of each upload to its first picture."""
    waiting = {storefront.send(name, film): time.perf_counter() for name, film in films}
    found: dict[Sent, float] = {}
    while waiting:
        for sent, uploaded in list(waiting.items()):
            if storefront.is_playable(sent):
                found[sent] = time.perf_counter() - uploaded
                del waiting[sent]
        time.sleep(POLL_S)
    return found


def _refusals(storefront: Storefront, cases: Sequence[str]) -> list[float]:
    """Upload hostile files one after the other; return the time from the end of each upload to its refusal."""
    found: list[float] = []
    for number, case in enumerate(cases):
        with tempfile.TemporaryDirectory() as name:
            make, _ = HOSTILE[case]
            folder = Path(name)
            content = make(Trap(folder, folder / "secret.mp4", "http://127.0.0.1:9/secret.mp4"))
            path = folder / "film.mp4"
            path.write_bytes(content)
            sent = storefront.send(f"refused {number}.mp4", path)
        uploaded = time.perf_counter()
        while not ((job := storefront.job(sent)) and job["status"] == "failed"):
            if job and job["status"] == "ready":
                raise RuntimeError(f"“{case}” was accepted: {job}")
            time.sleep(POLL_S)
        found.append(time.perf_counter() - uploaded)
    slowest = sorted(zip(found, cases, strict=True), reverse=True)[:SHOWN]
    say(f"slowest refusals: {', '.join(f'{case} {value:.1f} s' for value, case in slowest)}")
    return found


def _p95(values: list[float]) -> float:
    return sorted(values)[max(0, round(len(values) * 0.95) - 1)]


if __name__ == "__main__":
    raise SystemExit(main())
