"""The arguments that encode samples of a chunk and compare pictures with the source."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

from functions.encoding.ffmpeg import FORMATS
from functions.encoding.quality_commands import (
    SAMPLE_FRAMES,
    SAMPLES,
    compare_arguments,
    sample_arguments,
    window_arguments,
    window_of,
)
from tests.support.encoding_plans import make_plan

if TYPE_CHECKING:
    from functions.encoding.model import EncodePlan

ADDRESS = "https://notflix.blob.core.windows.net/uploads/film.mkv?sig=s"
FOLDER = Path("/encode")


def graph(arguments: list[str]) -> str:
    return arguments[arguments.index("-filter_complex") + 1]


def values(arguments: list[str], option: str) -> list[str]:
    return [arguments[at + 1] for at, word in enumerate(arguments) if word == option]


def compared(plan: EncodePlan) -> list[str]:
    return compare_arguments(plan, FOLDER, {each.name: FOLDER / f"{each.name}.mp4" for each in plan.renditions})


def test_samples_are_spread_over_the_chunk() -> None:
    plan = make_plan()
    arguments = sample_arguments(plan, plan.chunks[1], ADDRESS, crf=23)
    assert values(arguments, "-ss") == ["6.000000", "10.000000", "14.000000"], "the chunk lasts from 4 s to 16 s"
    assert graph(arguments).count(f"trim=end_frame={SAMPLE_FRAMES}") == SAMPLES


def test_samples_are_about_a_second_after_a_key_frame_in_their_own_third() -> None:
    plan = make_plan()
    arguments = sample_arguments(plan, plan.chunks[1], ADDRESS, crf=23)
    assert arguments.count("-noaccurate_seek") == SAMPLES, "decoding begins at the key frame"
    assert graph(arguments).count("select=gte(n\\,24)*gte(t\\,-2.000000)") == SAMPLES, "24 frames/s, and thirds of 4 s"


def test_samples_are_encoded_like_the_best_rendition_of_the_chunk() -> None:
    plan = make_plan()
    arguments = sample_arguments(plan, plan.chunks[1], ADDRESS, crf=23)
    assert values(arguments, "-crf") == ["23"]
    assert values(arguments, "-preset") == [plan.preset]
    assert values(arguments, "-maxrate") == [f"{plan.renditions[0].maxrate_kbps}k"]
    assert values(arguments, "-threads") == ["2"], "the same bytes on every machine"


def test_source_is_read_once_by_whitelisted_protocols_and_formats() -> None:
    plan = make_plan()
    for arguments, count in (
        (sample_arguments(plan, plan.chunks[1], ADDRESS, crf=23), SAMPLES),
        (window_arguments(plan, plan.chunks[1], ADDRESS), 1),
    ):
        assert values(arguments, "-i") == [ADDRESS] * count
        assert values(arguments, "-format_whitelist") == [FORMATS] * count
        assert values(arguments, "-protocol_whitelist") == ["https,tls,tcp"] * count


def test_the_other_ffmpeg_reads_only_files_that_ours_has_written() -> None:
    arguments = compared(make_plan())
    assert set(values(arguments, "-i")) == {"/encode/frames.mkv", "/encode/v360.mp4", "/encode/v234.mp4"}
    assert values(arguments, "-protocol_whitelist") == ["file"] * 3
    assert values(arguments, "-format_whitelist") == [FORMATS] * 3


def test_the_second_input_of_the_comparison_is_the_source() -> None:
    """VMAF of the source, compared with the encoded picture, would be another number."""
    arguments = compared(make_plan())
    paths = values(arguments, "-i")
    parts = graph(arguments).split(";")
    comparison = next(part for part in parts if "libvmaf" in part)

    def origin(label: str) -> str:
        while not label[0].isdigit():
            chain = next(part for part in parts if f"[{label}]" in part.partition("=")[2])
            label = chain[1:].split("]")[0]
        return paths[int(label.split(":")[0])]

    encoded, source = (word.lstrip("[") for word in comparison.split("]")[:2])
    assert origin(source) == "/encode/frames.mkv"
    assert origin(encoded) != "/encode/frames.mkv"


def test_measured_seconds_are_the_first_of_the_segment_in_the_middle() -> None:
    plan = make_plan()
    window = window_of(plan, plan.chunks[2], seconds=2)
    assert (window.first_segment, window.first_frame, window.end_frame) == (6, 576, 576 + 48)


def test_no_more_is_measured_than_the_segment_has() -> None:
    plan = make_plan(frames=1000, rate=Fraction(24))
    last = plan.chunks[3]
    assert last.segments == 3
    assert window_of(plan, last, seconds=9).end_frame == window_of(plan, last, seconds=4).end_frame == 960
    short = make_plan(frames=980, runs=(1, 3, 4, 2, 1))
    assert window_of(short, short.chunks[4], seconds=4).end_frame == 980
