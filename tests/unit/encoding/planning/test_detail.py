"""Which renditions are left out because a smaller one shows the same."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import TYPE_CHECKING, Any, cast

import pytest

from functions.encoding.av1.commands import av1_chunk_arguments
from functions.encoding.ffmpeg import Finished, RunTooLong
from functions.encoding.ffmpeg_commands import DEFAULT_CRF, chunk_arguments, default_crf
from functions.encoding.frame_grid import FrameGrid
from functions.encoding.ladder import renditions_for
from functions.encoding.picture_plan import PicturePlan
from functions.encoding.planning.detail import SAME_DB, NeededRenditions, find_needed, needed_of, worst_psnr
from functions.encoding.planning.probe import ProbedSource
from functions.encoding.quality_commands import detail_arguments, detail_report_name
from functions.encoding.spending.receipt_schemas import JobReceipt
from functions.encoding.spending.receipts import TitleReceipt
from tests.support.encoding_plans import make_plan

if TYPE_CHECKING:
    from pathlib import Path

LADDER = renditions_for(1920, 1080)
SAME, OTHER = SAME_DB, SAME_DB - 0.1


def left_out(*worst: float | None, copies: int = 0) -> list[str]:
    return [each.name for each in needed_of(LADDER, worst, copies=copies).left_out]


@pytest.mark.parametrize(
    ("worst", "names"),
    [
        ((OTHER, OTHER, OTHER, OTHER), []),
        ((SAME, OTHER, OTHER, OTHER), ["v1080"]),
        ((SAME, SAME, OTHER, SAME), ["v1080", "v720"]),
        ((OTHER, SAME, SAME, SAME), []),
        ((None, SAME, SAME, SAME), []),
        ((SAME, SAME, SAME, SAME), ["v1080", "v720"]),
    ],
)
def test_largest_renditions_are_left_out_as_long_as_the_next_one_shows_the_same(
    worst: tuple[float | None, ...], names: list[str]
) -> None:
    assert left_out(*worst) == names


def test_a_title_keeps_two_renditions_and_the_smallest_one() -> None:
    small = renditions_for(640, 360)
    assert needed_of(small, (SAME,), copies=0).encoded == small
    assert needed_of(small, (SAME,), copies=1).encoded == small[-1:], "copied pictures count"


def test_best_rendition_has_at_least_half_of_the_lines_and_is_compressed_less() -> None:
    best, *others = needed_of(LADDER, (SAME,) * 4, copies=0).encoded
    assert (best.name, best.height * 2) == ("v540", 1080)
    assert default_crf(best) == DEFAULT_CRF - 6
    assert {default_crf(each) for each in others} == {DEFAULT_CRF}
    copied, *_ = needed_of(LADDER, (SAME, OTHER, OTHER, OTHER), copies=1).encoded
    assert default_crf(copied) == DEFAULT_CRF, "the copied pictures are the best ones"
    plan = make_plan(renditions=(best, *others))
    for arguments in (
        chunk_arguments(plan, plan.chunks[0], "film.mp4"),
        av1_chunk_arguments(plan, plan.chunks[0], "film.mp4"),
    ):
        first, second, *_ = (arguments[at + 1] for at, word in enumerate(arguments) if word == "-crf")
        assert float(first) < float(second)


def test_owner_reads_which_were_left_out_and_why() -> None:
    assert NeededRenditions(LADDER).note is None
    assert needed_of(LADDER, (SAME, OTHER, OTHER, OTHER), copies=0).note == (
        "1080p was left out, because the film has no more detail than 720p shows."
    )
    assert needed_of(LADDER, (SAME, SAME, OTHER, OTHER), copies=0).note == (
        "1080p, 720p were left out, because the film has no more detail than 540p shows."
    )


def test_the_picture_with_the_most_detail_decides() -> None:
    report = "n:1 mse_avg:0.1 psnr_avg:51.2 psnr_y:{} psnr_u:61.0 psnr_v:60.0\n"
    assert worst_psnr(report.format("58.10") + report.format("46.31") + report.format("inf")) == 46.31
    assert worst_psnr(report.format("inf")) is None, "a black picture says nothing"
    assert worst_psnr("") is None


def test_only_key_frames_are_decoded_and_each_size_is_compared_with_the_next() -> None:
    arguments = detail_arguments(LADDER, "https://host/film.mp4", stream=0, begins_s=[1.5, 90.0])
    assert arguments.count("-skip_frame") == arguments.count("-i") == 2
    assert arguments[arguments.index("-ss") + 1] == "1.500"
    graph = arguments[arguments.index("-filter_complex") + 1]
    assert graph.count("psnr=") == len(LADDER) - 1
    assert [name for each in LADDER if (name := detail_report_name(each)) in graph] == [
        detail_report_name(each) for each in LADDER[:-1]
    ]


def source(**picture: Any) -> ProbedSource:
    seen = PicturePlan(0, "h264", Fraction(0), variable_rate=False, deinterlace=False, tone_map=False)
    grid = FrameGrid(Fraction(24), 2400)
    return ProbedSource("mov", 100.0, True, 1920, 1080, grid, 0, "", replace(seen, **picture), (), ())


class Comparing:
    """An ffmpeg that finds no detail beyond the smallest rendition, or ends otherwise."""

    def __init__(self, *, status: int = 0, error: Exception | None = None) -> None:
        self.status, self.error, self.runs = status, error, 0

    def run(self, _: list[str], *, folder: Path, **__: object) -> Finished:
        self.runs += 1
        if self.error:
            raise self.error
        for each in LADDER[:-1]:
            (folder / detail_report_name(each)).write_text("psnr_y:60.0\n")
        return Finished(self.status, "", "", 0.1, 10)

    def raise_if_unreachable(self, result: Finished) -> None:
        pass


def needed(ffmpeg: Comparing, folder: Path, found: ProbedSource, *, copies: int = 0) -> tuple[str, ...]:
    chosen = find_needed(cast("Any", ffmpeg), "film.mp4", found, LADDER, copies=copies, work_dir=str(folder))
    return tuple(each.name for each in chosen.encoded)


def test_source_without_detail_is_encoded_from_half_of_its_lines_on(tmp_path: Path) -> None:
    assert needed(Comparing(), tmp_path, source()) == ("v540", "v360", "v234")


@pytest.mark.parametrize("ffmpeg", [Comparing(status=1), Comparing(error=RunTooLong("It took too long."))])
def test_all_sizes_are_encoded_if_they_could_not_be_compared(ffmpeg: Comparing, tmp_path: Path) -> None:
    assert len(needed(ffmpeg, tmp_path, source())) == len(LADDER)


@pytest.mark.parametrize("picture", [{"deinterlace": True}, {"telecine": True}])
def test_fields_are_not_taken_for_detail(picture: dict[str, bool], tmp_path: Path) -> None:
    ffmpeg = Comparing()
    assert len(needed(ffmpeg, tmp_path, source(**picture))) == len(LADDER)
    assert ffmpeg.runs == 0


def test_receipt_names_what_was_left_out() -> None:
    assert JobReceipt.of(TitleReceipt((), left_out=("v1080",))).left_out == ["v1080"]
