"""The difference in bitrate between two ladders at equal quality (Bjøntegaard, ITU-T VCEG-M33)."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

type RatePoint = tuple[float, float]
"""The bitrate of a rendition, in any unit, and its quality."""

STEPS = 200


def bd_rate(anchor: Iterable[RatePoint], tested: Iterable[RatePoint]) -> float:
    """Return how many percent more bits the tested ladder needs at the same quality; negative if it needs fewer.

    The logarithm of the bitrate is interpolated linearly between the points of each ladder, and averaged over the range
    of quality that both have. Raises ValueError if they have none in common.
    """
    one, other = _curve(anchor), _curve(tested)
    low, high = max(one[0][0], other[0][0]), min(one[-1][0], other[-1][0])
    if high <= low:
        raise ValueError("The two ladders have no quality in common.")
    qualities = [low + (high - low) * step / STEPS for step in range(STEPS + 1)]
    gaps = [_at(other, quality) - _at(one, quality) for quality in qualities]
    mean = sum((left + right) / 2 for left, right in pairwise(gaps)) / STEPS
    return (math.exp(mean) - 1) * 100


def _curve(points: Iterable[RatePoint]) -> list[tuple[float, float]]:
    """Return quality and log bitrate of each point, both ascending, without points that cost more but are no better."""
    curve: list[tuple[float, float]] = []
    for rate, quality in sorted(points):
        if not curve or quality > curve[-1][0]:
            curve.append((quality, math.log(rate)))
    return curve


def _at(curve: list[tuple[float, float]], quality: float) -> float:
    for (low, log_low), (high, log_high) in pairwise(curve):
        if quality <= high:
            return log_low + (log_high - log_low) * (quality - low) / (high - low)
    return curve[-1][1]
