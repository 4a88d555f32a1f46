"""Argument lists for ffmpeg that encode samples of a chunk, and that compare pictures with the source by VMAF."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import ffmpeg

from functions.encoding.ffmpeg import input_options
from functions.encoding.ffmpeg_commands import (
    encoder_options,
    grid_frames,
    in_standard_range,
    joined_arguments,
    progressive,
    ratio_text,
    scaled,
    seconds_text,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from functions.encoding.model import Chunk, EncodePlan
    from functions.encoding.renditions import Rendition

SAMPLES = 3
SAMPLE_FRAMES = 8
"""How many samples of a chunk are encoded, and how many consecutive frames each sample has."""


MEASURED_EVERY = 2
"""VMAF is computed for every second frame, because it takes as long as the encode."""

SAMPLE_FILE = "sample.mkv"
"""The name of the file with the encoded samples."""

FRAMES_FILE = "frames.mkv"
"""The name of the file with uncompressed frames of the source, scaled to the size of the best rendition."""


def report_name(rendition: str) -> str:
    """Return the name of the file with the VMAF of the frames of a rendition."""
    return f"vmaf-{rendition}.json"


def sample_arguments(plan: EncodePlan, chunk: Chunk, address: str, *, crf: float) -> list[str]:
    """Return the arguments that encode samples of a chunk as its best rendition, into the file SAMPLE_FILE.

    The samples themselves are written too, uncompressed, so that they can be compared.
    """
    best = plan.renditions[0]
    kept, encoded = (_samples(plan, chunk, address).filter_multi_output("split", 2)[number] for number in range(2))
    options = encoder_options(plan, best, crf)
    return joined_arguments(_uncompressed(kept), ffmpeg.output(encoded, SAMPLE_FILE, f="matroska", **options))


def window_arguments(plan: EncodePlan, window: Chunk, address: str) -> list[str]:
    """Return the arguments that write the frames of `window` in the source, uncompressed."""
    # Without this filter, a window at the end of the film would also contain frames after the planned end.
    frames = grid_frames(plan, window, address).filter("trim", end_frame=window.end_frame - window.first_frame)
    return joined_arguments(_uncompressed(scaled(_counted(plan, frames), plan.renditions[0])))


def compare_arguments(plan: EncodePlan, folder: Path, files: Mapping[str, Path]) -> list[str]:
    """Return the arguments that compare the files of some renditions with the uncompressed frames in a folder.

    They are for an ffmpeg with libvmaf, and write a report for each rendition (`report_name`).
    """
    frames, outputs = _counted(plan, _file(folder / FRAMES_FILE)), []
    renditions = [rendition for rendition in plan.renditions if rendition.name in files]
    for rendition in renditions:
        source = frames = scaled(frames, rendition)
        if rendition is not renditions[-1]:
            both = frames.filter_multi_output("split", 2)
            source, frames = both[0], both[1]
        encoded = scaled(_counted(plan, _file(files[rendition.name])), rendition)
        report = {"log_fmt": "json", "log_path": report_name(rendition.name), "n_subsample": MEASURED_EVERY}
        compared = ffmpeg.filter([encoded, source], "libvmaf", **report, shortest=1, repeatlast=0)
        outputs.append(ffmpeg.output(compared, "-", f="null"))
    return joined_arguments(*outputs)


def detail_report_name(rendition: Rendition) -> str:
    """Return the name of the file with the PSNR of the pictures of a rendition that were made from the next one."""
    return f"detail-{rendition.name}.log"


def detail_arguments(
    renditions: Sequence[Rendition], address: str, *, stream: int, begins_s: Sequence[float]
) -> list[str]:
    """Return the arguments that compare renditions, not yet encoded, with what is left of them in the next smaller one.

    A key frame before each of the seconds `begins_s` of the source is compared; no other frame is decoded. A report is
    written for each rendition but the last (`detail_report_name`).
    """
    pictures = []
    for begin in begins_s:
        reading = {"ss": f"{begin:.3f}", "noaccurate_seek": None, "skip_frame": "nokey", **input_options(address)}
        frames = ffmpeg.input(address, **reading)[str(stream)].filter("trim", end_frame=1)
        pictures.append(scaled(frames.filter("setpts", "N"), renditions[0]))
    rest, outputs = ffmpeg.concat(*pictures), []
    for larger, smaller in pairwise(renditions):
        split = rest.filter_multi_output("split", 2)
        shown, rest = split[0], scaled(split[1], smaller)
        if smaller is not renditions[-1]:
            split = rest.filter_multi_output("split", 2)
            enlarged, rest = split[0], split[1]
        else:
            enlarged = rest
        report = {"stats_file": detail_report_name(larger)}
        compared = ffmpeg.filter([scaled(enlarged, larger), shown], "psnr", **report)
        outputs.append(ffmpeg.output(compared, "-", f="null"))
    return joined_arguments(*outputs)


def _samples(plan: EncodePlan, chunk: Chunk, address: str) -> Any:
    """Return the stream of the samples of a chunk, one after the other, in the size of the best rendition.

    Each sample is in its own third of the chunk, about a second after the last key frame of the source before the
    middle of the third, or else at the third's beginning. So few frames are decoded before it. A key frame itself is
    often the beginning of a scene, and is not like the rest of it.
    """
    picture = plan.picture
    length = chunk.end_frame - chunk.first_frame
    half = length // (2 * SAMPLES)
    after_key = min(round(plan.grid.rate), half)
    samples = []
    for number in range(SAMPLES):
        middle = chunk.first_frame + length * (2 * number + 1) // (2 * SAMPLES)
        at = seconds_text(max(Fraction(0), plan.grid.seconds(middle)))
        source = ffmpeg.input(address, ss=at, noaccurate_seek=None, **input_options(address))
        frames = progressive(source[str(picture.stream)], picture)
        if picture.telecine:
            frames = frames.filter("fieldmatch").filter("bwdif", mode="send_frame", deint="interlaced")
            frames = frames.filter("decimate", cycle=5)
        # `t` is relative to the middle
        frames = frames.filter("select", f"gte(n,{after_key})*gte(t,-{seconds_text(half / plan.grid.rate)})")
        frames = frames.filter("trim", end_frame=SAMPLE_FRAMES)
        samples.append(scaled(in_standard_range(frames, picture), plan.renditions[0]))
    return _counted(plan, ffmpeg.concat(*samples))


def _uncompressed(frames: Any) -> Any:
    return ffmpeg.output(frames, FRAMES_FILE, **{"c:v": "rawvideo", "f": "matroska"})


def _file(path: Path) -> Any:
    return ffmpeg.input(str(path), **input_options(str(path))).video


def _counted(plan: EncodePlan, frames: Any) -> Any:
    """Return the frames with times that follow from their numbers.

    The filter `setpts` forgets the frame rate; `fps` states it again.
    """
    rate = ratio_text(plan.grid.rate)
    return frames.filter("settb", f"1/({rate})").filter("setpts", "N").filter("fps", fps=rate)


def window_of(plan: EncodePlan, chunk: Chunk, *, seconds: int) -> Chunk:
    """Return the first seconds of the segment in the middle of a chunk, as a chunk of their own."""
    segment = chunk.first_segment + chunk.segments // 2
    first = plan.grid.first_frame(segment)
    end = min(first + max(1, round(seconds * plan.grid.rate)), plan.grid.first_frame(segment + 1))
    return replace(chunk, first_frame=first, end_frame=end, first_segment=segment, segments=1)
