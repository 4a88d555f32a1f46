"""How other encoders choose bitrates for a clip: the defaults of Shaka Streamer, and a search as in ab-av1.

Sources: `streamer/bitrate_configuration.py` and `transcoder_node.py` of shaka-project/shaka-streamer (e70bb66);
`src/command/crf_search.rs` of alexheretic/ab-av1 (18c2c02).
"""

from __future__ import annotations

import resource
from dataclasses import dataclass, replace
from statistics import mean
from typing import TYPE_CHECKING

from tests.bench._encode_baselines import QUIET
from tests.bench._measure import run
from tests.bench._vmaf import vmaf_of_file

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from functions.encoding.model import EncodePlan

STREAMER_RUNGS = {144: 108, 240: 242, 360: 400, 480: 1000, 576: 1500, 720: 2000, 1080: 4000}
"""The bitrates of H.264 in kbit/s by the number of lines, for up to 30 frames a second."""
STREAMER_SEGMENT_S = 4
HD_LINES = 720

LOWEST_CRF, HIGHEST_CRF, CRF_STEP = 10.0, 46.0, 0.1
FIRST_TOLERANCE = 0.1
"""How far above the target a result may be at first; it doubles with each attempt."""


@dataclass(frozen=True, slots=True)
class Found:
    """What a search found for the best rendition: its CRF and VMAF, the file, and the CPU-seconds of the search."""

    crf: float
    vmaf: float
    film: Path
    attempts: int
    cpu_s: float


def streamer_films(clip: Path, plan: EncodePlan, folder: Path) -> Iterator[Path]:
    """Encode a clip in H.264 with the defaults of Shaka Streamer for films; yield the renditions, best first."""
    best = plan.renditions[0]
    length = str(round(STREAMER_SEGMENT_S * plan.grid.rate))
    for lines, kbps in sorted(STREAMER_RUNGS.items(), reverse=True):
        if lines > best.height:
            continue
        target = folder / f"{lines}.mp4"
        width = 2 * round(best.width * lines / best.height / 2)
        run(
            [
                *(*QUIET, "-i", str(clip), "-map", "0:v:0", "-vf", f"scale={width}:{lines},setsar=1:1"),
                *("-c:v", "libx264", "-preset", "slow", "-profile:v", "high" if lines >= HD_LINES else "main"),
                *("-pix_fmt", "yuv420p", "-flags", "+loop+cgop", "-sc_threshold", "0", "-fps_mode", "passthrough"),
                *("-b:v", f"{kbps}k", "-keyint_min", length, "-g", length, str(target)),
            ]
        )
        yield target


def search_crf(clip: Path, plan: EncodePlan, folder: Path, *, target: float) -> Found:
    """Search the highest CRF whose VMAF reaches a target, by encoding the whole clip with x264 again and again.

    The next CRF is interpolated between the nearest results above and below the target. The clips are shorter than the
    samples of ab-av1, which then takes all of a film. Raises ValueError if no CRF reaches the target.
    """
    best = plan.renditions[0]
    results: dict[float, Found] = {}
    crf, begun_s = (LOWEST_CRF + HIGHEST_CRF) / 2, _children_cpu_s()
    while True:
        film = folder / f"crf-{crf:.1f}.mp4"
        run(
            [
                *(*QUIET, "-i", str(clip), "-map", "0:v:0", "-vf", f"scale={best.width}:{best.height}:flags=bicubic"),
                *("-c:v", "libx264", "-preset", plan.preset, "-crf", f"{crf:.1f}", "-pix_fmt", "yuv420p"),
                *("-g", str(plan.grid.longest), "-keyint_min", str(plan.grid.longest), "-sc_threshold", "0"),
                *("-fps_mode", "passthrough", str(film)),
            ]
        )
        frames = vmaf_of_file(film, clip, width=best.width, height=best.height)
        results[crf] = Found(crf, mean(frames), film, len(results) + 1, _children_cpu_s() - begun_s)
        tolerance = FIRST_TOLERANCE * 2 ** (len(results) - 1)
        if target < results[crf].vmaf < target + tolerance:
            return results[crf]
        following = _next_crf(results, target)
        if following is None:
            return replace(_best(results, target), attempts=results[crf].attempts, cpu_s=results[crf].cpu_s)
        crf = following


def _next_crf(results: dict[float, Found], target: float) -> float | None:
    """Return the CRF to try next, or None if the neighbours of the target are known."""
    good = max((found for found in results.values() if found.vmaf >= target), key=lambda found: found.crf, default=None)
    bad = min((found for found in results.values() if found.vmaf < target), key=lambda found: found.crf, default=None)
    if good is None:
        return None if LOWEST_CRF in results else LOWEST_CRF
    if bad is None:
        return None if HIGHEST_CRF in results else HIGHEST_CRF
    if bad.crf - good.crf < 1.5 * CRF_STEP:
        return None
    share = (good.vmaf - target) / (good.vmaf - bad.vmaf)
    between = round(good.crf + share * (bad.crf - good.crf), 1)
    return round(min(max(between, good.crf + CRF_STEP), bad.crf - CRF_STEP), 1)


def _best(results: dict[float, Found], target: float) -> Found:
    reached = [found for found in results.values() if found.vmaf >= target]
    if not reached:
        raise ValueError(f"No CRF reaches VMAF {target}.")
    return max(reached, key=lambda found: found.crf)


def _children_cpu_s() -> float:
    """Return the CPU-seconds of all processes that this one has started and that have ended."""
    spent = resource.getrusage(resource.RUSAGE_CHILDREN)
    return spent.ru_utime + spent.ru_stime
