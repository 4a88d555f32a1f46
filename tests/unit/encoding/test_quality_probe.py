"""How a chunk's CRFs are found, and how its quality is measured, from ffmpeg's reports."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, cast

import pytest

from functions.encoding.ffmpeg import FFmpeg, Finished
from functions.encoding.quality_commands import report_name
from functions.encoding.quality_probe import QualityProbe
from functions.platform.errors import StoreUnavailable
from tests.support.encoding_plans import make_plan

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from functions.encoding.model import EncodePlan

PLAN = replace(make_plan(), target_vmaf=93)


@dataclass
class ReportingFFmpeg:
    """An ffmpeg that reports this VMAF, frame by frame, for each rendition; it ends with `status` and `errors`."""

    frames: dict[str, list[float]]
    status: int = 0
    errors: str = ""
    runs: list[list[str]] = field(default_factory=list)

    def run(self, arguments: list[str], *, folder: Path, watch: Callable[[], None], **_: Any) -> Finished:
        self.runs.append(arguments)
        watch()
        if any("libvmaf" in word for word in arguments):
            for name, values in self.frames.items():
                frames = [
                    {"frameNum": at, "metrics": {"vmaf": value}} for at, value in enumerate(values) if at % 2 == 0
                ]
                (folder / report_name(name)).write_text(json.dumps({"frames": frames}))
        return Finished(self.status, "", self.errors, cpu_s=1.5, peak_mb=10)

    def raise_if_unreachable(self, result: Finished) -> None:
        FFmpeg("", "", 0).raise_if_unreachable(result)


def probe_with(ffmpeg: ReportingFFmpeg, measured_s: int = 0) -> QualityProbe:
    return QualityProbe(cast("FFmpeg", ffmpeg), cast("FFmpeg", ffmpeg), measured_s=measured_s)


def exact(plan: EncodePlan) -> dict[str, list[float]]:
    """Return the VMAF of frames that reach the target of the best rendition exactly, after a bad first one."""
    return {each.name: [50.0] + [93.0] * 7 for each in plan.renditions}


def test_each_rendition_gets_the_crf_that_reaches_its_target(tmp_path: Path) -> None:
    ffmpeg = ReportingFFmpeg(exact(PLAN))
    chosen = probe_with(ffmpeg).choose(PLAN, PLAN.chunks[1], "film.mkv", folder=tmp_path, watch=lambda: None)
    assert chosen.crfs["v360"] == 23
    assert chosen.crfs["v234"] > 23, "a smaller rendition needs less"
    assert chosen.cpu_s == 3.0


@pytest.mark.parametrize(("plan", "chunk"), [(PLAN, 0), (replace(PLAN, target_vmaf=0), 1)])
def test_first_chunk_and_films_without_a_target_are_encoded_at_once(
    plan: EncodePlan, chunk: int, tmp_path: Path
) -> None:
    ffmpeg = ReportingFFmpeg(exact(PLAN))
    chosen = probe_with(ffmpeg).choose(plan, plan.chunks[chunk], "film.mkv", folder=tmp_path, watch=lambda: None)
    assert (chosen.crfs, ffmpeg.runs) == ({}, [])


def test_chunk_whose_samples_cannot_be_encoded_is_encoded_as_without_a_target(tmp_path: Path) -> None:
    ffmpeg = ReportingFFmpeg({}, status=1, errors="Error while filtering")
    chosen = probe_with(ffmpeg).choose(PLAN, PLAN.chunks[1], "film.mkv", folder=tmp_path, watch=lambda: None)
    assert (chosen.crfs, chosen.cpu_s) == ({}, 1.5)


def test_unavailable_storage_is_not_mistaken_for_a_chunk_that_cannot_be_sampled(tmp_path: Path) -> None:
    ffmpeg = ReportingFFmpeg(exact(PLAN), errors="[http @ 0x1] HTTP error 503 Server Busy")
    with pytest.raises(StoreUnavailable):
        probe_with(ffmpeg).choose(PLAN, PLAN.chunks[1], "film.mkv", folder=tmp_path, watch=lambda: None)


def segments_in(folder: Path) -> None:
    for rendition in PLAN.renditions:
        (folder / rendition.name).mkdir()
        (folder / rendition.name / "init.mp4").write_bytes(b"init")
        (folder / rendition.name / "s00002.m4s").write_bytes(b"segment")


def test_quality_is_stated_for_each_second(tmp_path: Path) -> None:
    segments_in(tmp_path)
    frames = {each.name: [95.0] * 24 + [80.0] * 24 for each in PLAN.renditions}
    measured = probe_with(ReportingFFmpeg(frames), 2).measure(
        PLAN, PLAN.chunks[1], "film.mkv", folder=tmp_path, watch=lambda: None
    )
    assert measured.at == (8.0, 9.0)
    assert measured.vmafs["v360"] == (95.0, 80.0)
    assert (tmp_path / "measured-v360.mp4").read_bytes() == b"initsegment"


def test_last_second_may_be_shorter_by_less_than_half(tmp_path: Path) -> None:
    segments_in(tmp_path)
    frames = {each.name: [90.0] * 30 for each in PLAN.renditions}
    measured = probe_with(ReportingFFmpeg(frames), 2).measure(
        PLAN, PLAN.chunks[1], "film.mkv", folder=tmp_path, watch=lambda: None
    )
    assert measured.at == (8.0,)


@pytest.mark.parametrize("status", [0, 1])
def test_chunk_whose_quality_cannot_be_measured_is_stored_without_it(tmp_path: Path, status: int) -> None:
    segments_in(tmp_path)
    measured = probe_with(ReportingFFmpeg({}, status=status), 2).measure(
        PLAN, PLAN.chunks[1], "film.mkv", folder=tmp_path, watch=lambda: None
    )
    assert (measured.vmafs, measured.at) == ({}, ())
    assert measured.cpu_s > 0


def test_nothing_is_measured_of_a_film_that_ended_before_the_segment_or_unless_asked(tmp_path: Path) -> None:
    ffmpeg = ReportingFFmpeg(exact(PLAN))
    for seconds in (0, 2):
        probe_with(ffmpeg, seconds).measure(PLAN, PLAN.chunks[1], "film.mkv", folder=tmp_path, watch=lambda: None)
    assert ffmpeg.runs == []


def test_without_an_ffmpeg_that_has_vmaf_nothing_is_measured(tmp_path: Path) -> None:
    segments_in(tmp_path)
    ffmpeg = ReportingFFmpeg(exact(PLAN))
    probe = QualityProbe(cast("FFmpeg", ffmpeg), None, measured_s=1)
    chosen = probe.choose(PLAN, PLAN.chunks[1], "film.mkv", folder=tmp_path, watch=lambda: None)
    measured = probe.measure(PLAN, PLAN.chunks[1], "film.mkv", folder=tmp_path, watch=lambda: None)
    assert (chosen.crfs, measured.vmafs, ffmpeg.runs) == ({}, {}, [])


def test_encoder_whose_claim_was_taken_over_stops_looking_for_crfs(tmp_path: Path) -> None:
    class TakenOver(Exception):
        pass

    def taken_over() -> None:
        raise TakenOver

    with pytest.raises(TakenOver):
        probe_with(ReportingFFmpeg(exact(PLAN))).choose(
            PLAN, PLAN.chunks[1], "film.mkv", folder=tmp_path, watch=taken_over
        )
