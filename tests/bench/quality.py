"""`./notflix bench quality`: bits and VMAF of the ladder on three real clips, with a quality target, without, in AV1.

We encode each clip four times. The encoder's own pipeline encodes it with the default CRF, then in AV1, and again with
a target of VMAF for the best rendition (`--target`). The last encode is a fixed ladder: every rendition has its maximum
bitrate. Two others encode it in their way: Shaka Streamer with its default bitrates, and a search for the CRF of the
best rendition as in ab-av1, with x264.

VMAF is measured by another build of ffmpeg. BD-rates compare whole ladders, with each rendition scaled to the size of
the best one; the quality of the best rendition is what a viewer with a fast connection sees. `search_share` is the CPU
time for finding the CRFs of a chunk, relative to the encode of a whole chunk of 28 s; the clips are shorter.
"""

from __future__ import annotations

import argparse
import tempfile
from dataclasses import dataclass
from pathlib import Path
from statistics import mean
from typing import TYPE_CHECKING

import imageio_ffmpeg

from functions.encoding.av1_encode import av1_renditions
from functions.encoding.frame_grid import SEGMENT_S
from functions.encoding.ladder import CHUNK_SEGMENTS
from infra.local.home import Home
from tests.bench._bd_rate import bd_rate
from tests.bench._encode_baselines import QUIET
from tests.bench._measure import conclude, run, say
from tests.bench._quality_baselines import search_crf, streamer_films
from tests.bench._sources import quality_clips
from tests.bench._vmaf import vmaf_of_file, worst_second
from tests.support.encoder import Encoder

if TYPE_CHECKING:
    from collections.abc import Sequence

    from functions.encoding.model import EncodePlan
    from functions.encoding.renditions import Rendition
    from functions.encoding.spending.receipts import TitleReceipt

TARGET = 93
EVERY = 4
CHUNK_S = CHUNK_SEGMENTS * SEGMENT_S
GOALS = {"search_share": 0.08, "target_error": 2.0, "av1_bd_rate_fixed": -50.0}


@dataclass(frozen=True, slots=True)
class Measured:
    """A rendition as it was measured: kbit/s, mean VMAF at the size of the best rendition, and its worst second."""

    kbps: float
    vmaf: float
    worst: float


@dataclass(frozen=True, slots=True)
class Ladder:
    """The renditions of one encode of a clip, best first; the receipt is None for the fixed ladder."""

    renditions: tuple[Measured, ...]
    cpu_s: float = 0.0
    receipt: TitleReceipt | None = None
    duration_s: float = 0.0


def main() -> int:
    """Run the benchmark and print its results; return 0 if all goals are met, else 1."""
    parser = argparse.ArgumentParser(prog="./notflix bench quality", description=__doc__)
    parser.add_argument("--target", type=int, default=TARGET, help="the VMAF of the best rendition")
    parser.add_argument("--clip", help="encode only this clip")
    options = parser.parse_args()
    cache = Home.of().path / "bench"
    cache.mkdir(parents=True, exist_ok=True)
    clips = {name: clip for name, clip in quality_clips(cache).items() if options.clip in (None, name)}
    figures: dict[str, float] = {}
    shares, misses, in_av1 = [], [], []
    for name, clip in clips.items():
        with tempfile.TemporaryDirectory(dir=cache) as folder:
            same, av1 = _encoded_twice(clip, Path(folder) / "same")
            ours = _encoded(clip, Path(folder) / "target", target=options.target)
            fixed = _fixed(clip, Path(folder) / "fixed")
            figures |= _others(name, clip, Path(folder), same, av1, ours, target=options.target)
        best, before = ours.renditions[0], same.renditions[0]
        figures[f"{name}_bd_rate_fixed"] = _bd_rate(fixed, ours)
        figures[f"{name}_bd_rate_same_crf"] = _bd_rate(same, ours)
        figures[f"{name}_av1_bd_rate_fixed"] = _bd_rate(fixed, av1)
        figures[f"{name}_av1_bd_rate_same_crf"] = _bd_rate(same, av1)
        figures[f"{name}_av1_cpu"] = av1.cpu_s / same.cpu_s
        figures[f"{name}_bits"] = _kbps(ours) / _kbps(same)
        figures[f"{name}_bits_fixed"] = _kbps(ours) / _kbps(fixed)
        say(f"\n{name}: the best rendition, {before.kbps:.0f} kbit/s and VMAF {before.vmaf:.1f} with the same CRF;")
        say(f"  {best.kbps:.0f} kbit/s and VMAF {best.vmaf:.1f} with the target, {best.worst:.1f} in the worst second;")
        say(f"  {fixed.renditions[0].kbps:.0f} kbit/s and VMAF {fixed.renditions[0].vmaf:.1f} at the maximum bitrate")
        say(f"  {av1.renditions[0].kbps:.0f} kbit/s and VMAF {av1.renditions[0].vmaf:.1f} in AV1")
        in_av1.append(_bd_rate(fixed, av1))
        receipt = ours.receipt
        assert receipt
        for rendition in receipt.renditions:
            say(f"  {rendition.name}: CRF {rendition.lowest_crf} to {rendition.highest_crf}, {rendition.mean_vmaf}")
        encode_cpu_s = ours.cpu_s - receipt.search_cpu_s - receipt.measure_cpu_s
        say(f"  {encode_cpu_s:.1f} CPU-s, {receipt.search_cpu_s:.1f} for CRFs, {receipt.measure_cpu_s:.1f} for VMAF")
        shares.append(receipt.search_cpu_s / (encode_cpu_s / ours.duration_s * CHUNK_S))
        misses.append(abs(best.vmaf - options.target))
    figures |= {"search_share": mean(shares), "target_error": mean(misses), "av1_bd_rate_fixed": mean(in_av1)}
    return conclude("quality", figures, GOALS)


def _others(
    name: str, clip: Path, folder: Path, same: Ladder, av1: Ladder, ours: Ladder, *, target: int
) -> dict[str, float]:
    """Encode a clip as others do; return BD-rates of our ladders, and the cost of the search, relative to ours."""
    say(f"{clip.stem}: encoding with the defaults of Shaka Streamer, and searching as ab-av1 does …")
    plan = _plan_of(clip, folder / "others")
    films = list(streamer_films(clip, plan, folder / "others"))
    streamer = Ladder(tuple(_measured(film, clip, plan, size=film.stat().st_size) for film in films))
    found = search_crf(clip, plan, folder / "others", target=target)
    kbps = found.film.stat().st_size / 125 / float(plan.duration)
    best, receipt = ours.renditions[0], ours.receipt
    assert receipt
    say(f"  the search: CRF {found.crf:.1f}, {kbps:.0f} kbit/s, VMAF {found.vmaf:.1f}, {found.attempts} attempts")
    say(f"  ours: {best.kbps:.0f} kbit/s, VMAF {best.vmaf:.1f}")
    return {
        f"{name}_bd_rate_streamer": _bd_rate(streamer, same),
        f"{name}_av1_bd_rate_streamer": _bd_rate(streamer, av1),
        f"{name}_search_cpu_vs_ours": found.cpu_s / receipt.search_cpu_s if receipt.search_cpu_s else 0.0,
        f"{name}_bits_vs_search": best.kbps / kbps,
    }


def _plan_of(clip: Path, folder: Path) -> EncodePlan:
    folder.mkdir()
    encoder = Encoder(folder, encode_preset="veryfast", passthrough_percent=0)
    return encoder.plan_only(encoder.upload(clip))


def _encoded(clip: Path, folder: Path, *, target: int) -> Ladder:
    """Encode a clip with the pipeline of the encoder and a target, and measure the published renditions."""
    say(f"{clip.stem}: encoding for VMAF {target} …")
    folder.mkdir()
    encoder = Encoder(
        folder,
        encode_preset="veryfast",
        passthrough_percent=0,
        encode_target_vmaf=target,
        encode_measured_s=1,
        vmaf_ffmpeg=imageio_ffmpeg.get_ffmpeg_exe(),
    )
    progress = encoder.encode(clip)
    job = encoder.job(progress)
    assert job.plan, progress.reason
    assert job.receipt, progress.reason
    renditions = _published(job.plan.renditions, encoder.published(progress), clip, job.plan)
    return Ladder(renditions, job.cpu_s, job.receipt, float(job.plan.duration))


def _encoded_twice(clip: Path, folder: Path) -> tuple[Ladder, Ladder]:
    """Encode a clip with the pipeline of the encoder, in H.264 and in AV1, and measure the published renditions."""
    say(f"{clip.stem}: encoding with the same CRF, and in AV1 …")
    folder.mkdir()
    encoder = Encoder(folder, encode_preset="veryfast", passthrough_percent=0)
    progress = encoder.encode(clip)
    job = encoder.encode_av1(progress)
    assert job.plan, progress.reason
    assert job.av1, progress.reason
    published = encoder.published(progress)
    h264, av1 = (
        _published(each, published, clip, job.plan) for each in (job.plan.renditions, av1_renditions(job.plan))
    )
    return Ladder(h264, job.cpu_s), Ladder(av1, job.av1.cpu_s)


def _published(published: Sequence[Rendition], folder: Path, clip: Path, plan: EncodePlan) -> tuple[Measured, ...]:
    """Measure renditions that were published in a folder."""
    measured = []
    for rendition in published:
        joined = folder / f"{rendition.name}.mp4"
        segments = sorted((folder / rendition.name).glob("s*.m4s"))
        joined.write_bytes(b"".join(path.read_bytes() for path in (folder / rendition.name / "init.mp4", *segments)))
        measured.append(_measured(joined, clip, plan, size=sum(path.stat().st_size for path in segments)))
    return tuple(measured)


def _fixed(clip: Path, folder: Path) -> Ladder:
    """Encode a clip with the same preset and segments, with every rendition at its maximum bitrate."""
    say(f"{clip.stem}: encoding at the maximum bitrates …")
    plan = _plan_of(clip, folder)
    renditions = []
    for rendition in plan.renditions:
        target = folder / f"{rendition.name}.mp4"
        run([*QUIET, "-i", str(clip), "-map", "0:v:0", *_fixed_options(plan, rendition), str(target)])
        renditions.append(_measured(target, clip, plan, size=target.stat().st_size))
    return Ladder(tuple(renditions))


def _fixed_options(plan: EncodePlan, rendition: Rendition) -> list[str]:
    rate = f"{rendition.maxrate_kbps}k"
    return [
        *("-vf", f"scale={rendition.width}:{rendition.height}:flags=bicubic,setsar=1,format=yuv420p"),
        *("-c:v", "libx264", "-preset", plan.preset, "-threads", "2", "-sc_threshold", "0", "-fps_mode", "passthrough"),
        *("-g", str(plan.grid.longest), "-keyint_min", str(plan.grid.longest)),
        *("-b:v", rate, "-maxrate", rate, "-bufsize", f"{2 * rendition.maxrate_kbps}k"),
    ]


def _measured(encoded: Path, clip: Path, plan: EncodePlan, *, size: int) -> Measured:
    best = plan.renditions[0]
    frames = vmaf_of_file(encoded, clip, width=best.width, height=best.height, every=EVERY)
    per_second = max(1, round(plan.grid.rate) // EVERY)
    return Measured(size / 125 / float(plan.duration), mean(frames), worst_second(frames, per_second=per_second))


def _bd_rate(anchor: Ladder, tested: Ladder) -> float:
    one, other = ([(each.kbps, each.vmaf) for each in ladder.renditions] for ladder in (anchor, tested))
    return bd_rate(one, other)


def _kbps(ladder: Ladder) -> float:
    return sum(rendition.kbps for rendition in ladder.renditions)


if __name__ == "__main__":
    raise SystemExit(main())
