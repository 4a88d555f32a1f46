"""The CRF that reaches a quality, from the quality of samples."""

from __future__ import annotations

import json
import math

import pytest

from functions.encoding.ladder import renditions_for
from functions.encoding.quality import HIGHEST_CRF, LOWEST_CRF, crf_for, lines_of, read_vmaf, target_of
from functions.encoding.renditions import Rendition

MEASURED = {
    "animation": {20: 94.33, 24: 90.07, 28: 83.17},
    "water": {20: 90.66, 24: 85.42, 28: 76.91},
    "water in 234 lines": {20: 91.3, 24: 85.7, 28: 76.0},
}
"""VMAF by CRF, for the clips in decision 44."""


def test_report_is_read_by_frame() -> None:
    frames = [{"frameNum": number, "metrics": {"vmaf": 90.5 + number}} for number in (0, 2, 4)]
    assert read_vmaf(json.dumps({"version": "3", "frames": frames})) == {0: 90.5, 2: 92.5, 4: 94.5}


@pytest.mark.parametrize("clip", MEASURED)
@pytest.mark.parametrize("wanted", [20, 24, 28])
def test_one_measurement_predicts_the_others(clip: str, wanted: int) -> None:
    found = crf_for(MEASURED[clip][wanted], vmaf=MEASURED[clip][24], crf=24)
    assert abs(found - wanted) <= 0.5


def test_chunk_that_is_too_good_is_compressed_more_and_one_that_is_too_bad_less() -> None:
    assert crf_for(93, vmaf=93, crf=23) == 23
    assert 23 < crf_for(93, vmaf=96, crf=23) <= HIGHEST_CRF
    assert LOWEST_CRF <= crf_for(93, vmaf=89, crf=23) < 23


@pytest.mark.parametrize(("vmaf", "crf"), [(100.0, HIGHEST_CRF), (0.0, LOWEST_CRF)])
def test_chosen_crfs_have_bounds(vmaf: float, crf: float) -> None:
    assert crf_for(93, vmaf=vmaf, crf=23) == crf


def test_chosen_crfs_are_steps_so_that_a_rounding_error_changes_nothing() -> None:
    chosen = {crf_for(93, vmaf=90 + step / 100, crf=23) * 2 for step in range(500)}
    assert all(math.isclose(each, round(each)) for each in chosen)


def test_small_renditions_need_less_quality_than_the_best_one() -> None:
    renditions = renditions_for(1920, 1080)
    targets = [target_of(rendition, renditions[0], vmaf=93) for rendition in renditions]
    assert targets[0] == 93
    assert targets == sorted(targets, reverse=True)
    assert targets[3] == pytest.approx(93 - 3 * math.log2(3))


def test_portrait_picture_counts_as_large_as_the_same_picture_lying() -> None:
    assert lines_of(Rendition("v1080", 1080, 1920, 5000)) == lines_of(Rendition("v1080", 1920, 1080, 5000)) == 1080
