"""Picture quality in VMAF, and the constant rate factor (CRF) of x264 that reaches it.

The logarithm of the odds of VMAF, ln(v / (100 - v)), falls in proportion to the CRF, by nearly the same amount in every
film and every size; decision 44 has the figures. So one measurement with any CRF is enough to find the others.
"""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from functions.encoding.renditions import Rendition

ODDS_PER_CRF = 0.145
"""By how much the logarithm of the odds of VMAF falls if the CRF rises by 1."""

LOWER_PER_OCTAVE = 3.0
"""The target of a rendition is lowered by this for each halving of its lines: it is watched on a smaller display."""

LOWEST_CRF, HIGHEST_CRF = 17.0, 30.0
"""The range of chosen CRFs: lower ones spend bits that nobody sees; higher ones blur what VMAF does not notice."""

CRF_STEP = 0.5

BEST_VMAF, WORST_VMAF = 99.5, 10.0
"""Measured values are limited to this range, because the logarithm of the odds has no bounds."""


def read_vmaf(report: str) -> dict[int, float]:
    """Return the VMAF of each measured frame, by its number, from the report of the filter `libvmaf`."""
    return {int(frame["frameNum"]): float(frame["metrics"]["vmaf"]) for frame in json.loads(report)["frames"]}


def target_of(rendition: Rendition, best: Rendition, *, vmaf: float) -> float:
    """Return the VMAF that a rendition is to reach, if the best one is to reach `vmaf`."""
    return vmaf - LOWER_PER_OCTAVE * math.log2(lines_of(best) / lines_of(rendition))


def crf_for(target: float, *, vmaf: float, crf: float) -> float:
    """Return the CRF that reaches a target, if pictures encoded with `crf` have this VMAF."""
    exact = crf + (_odds(vmaf) - _odds(target)) / ODDS_PER_CRF
    return min(HIGHEST_CRF, max(LOWEST_CRF, round(exact / CRF_STEP) * CRF_STEP))


def lines_of(rendition: Rendition) -> int:
    """Return the number of lines of a rendition; a portrait picture counts as if it were rotated."""
    return min(rendition.width, rendition.height)


def _odds(vmaf: float) -> float:
    bounded = min(BEST_VMAF, max(WORST_VMAF, vmaf))
    return math.log(bounded / (100 - bounded))
