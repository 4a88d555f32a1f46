"""Find the sound that two episodes share: pure functions on fingerprints.

The same sound gives points that differ in few bits, at the same distance from each other in both episodes. So points
that are equal in half of their bits vote for the offset between the episodes. For the offsets with the most votes, the
stretch is chosen in which the points agree best: each point counts for it if it differs in few bits, and against it
otherwise (the maximum subarray, by Kadane's algorithm). So a short disturbance is passed over, and the ends are exact.

How few bits are few depends on the sound. Rain, applause and wind differ little from any other rain, applause or wind,
and silence or a tone that does not change is like any other. But they differ as little from themselves a few seconds
later. So a point counts for a stretch only if it is more like its counterpart than like its own surroundings.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from operator import xor
from typing import TYPE_CHECKING

from functions.encoding.intros.fingerprint import CENTRE_S, STEP_S

if TYPE_CHECKING:
    from collections.abc import Sequence

    from functions.encoding.intros.fingerprint import Fingerprint

OWN_SHARE = 0.45
"""A point counts for a stretch if it differs from its counterpart in less than this share of the bits in which it
differs from its own surroundings: 2 to 4 in shared music, and 8 to 12 from its surroundings; 6 and 5 in white noise."""

SURROUNDINGS = (24, 37, 53, 71)
"""The surroundings of a point are those so many places before and after it, 3 to 9 s away. They have no common factor,
so a rhythm that repeats is not taken for noise."""

MOST_LIKE = 2
"""So many of the most similar points in the surroundings are left out of account, for the same reason."""

STEADY_AFTER, STEADY_BITS = 8, 2
"""Sound that is the same a second later, except in so few bits, is silence or an unchanging tone, however short."""

LEAST_LOSS = 0.5
"""What each point costs a stretch, so that silence, which agrees perfectly with silence, does not belong to it."""

MOST_BITS = 6.0
"""The points of a shared stretch differ in at most this many bits, on average."""

MOST_ALIKE = 40
"""Halves of points that are more frequent than this in an episode say too little about the offset."""

CANDIDATES, LEAST_VOTES = 6, 8
"""How many offsets are examined, and how many votes an offset needs."""

EDGE_POINTS, EDGE_TIMES, EDGE_BITS = 5, 1.5, 0.5
"""So many points at an edge may differ, on average, in so many times the bits of the average, and half a bit more."""

_HALF = 0xFFFF


@dataclass(frozen=True, slots=True)
class SharedSound:
    """A stretch that two episodes share: where it begins in each, and how long it is, in seconds."""

    first_s: float
    second_s: float
    lasts_s: float


def find_shared(first: Fingerprint, second: Fingerprint, *, least_s: float, most_s: float) -> SharedSound | None:
    """Return the best stretch between the lengths `least_s` and `most_s` that both episodes share, or None."""
    limits, other_limits = _limits(first.points), _limits(second.points)
    best: tuple[float, int, int, int] | None = None
    for offset in _likely_offsets(first.points, second.points, limits):
        found = _best_stretch(first.points, second.points, limits, other_limits, offset)
        if found is None:
            continue
        score, begin, end = found
        if least_s <= _length_s(begin, end) <= most_s and (best is None or score > best[0]):
            best = score, begin, end, offset
    if best is None:
        return None
    _, begin, end, offset = best
    return SharedSound(first.time_s(begin) + CENTRE_S, second.time_s(begin + offset) + CENTRE_S, _length_s(begin, end))


def _length_s(begin: int, end: int) -> float:
    """Return the length of the sound that the points [begin, end) have in common."""
    return (end - 1 - begin) * STEP_S


def _limits(points: Sequence[int]) -> list[float]:
    """Return below how many differing bits each point is more like its counterpart than like its own surroundings."""
    around: list[list[int]] = [[] for _ in points]
    for places in SURROUNDINGS:
        for index, bits in enumerate(map(int.bit_count, map(xor, points, points[places:]))):
            around[index].append(bits)
            around[index + places].append(bits)
    limits = [OWN_SHARE * sorted(each)[min(MOST_LIKE, len(each) - 1)] if each else 0.0 for each in around]
    for index, bits in enumerate(map(int.bit_count, map(xor, points, points[STEADY_AFTER:]))):
        if bits <= STEADY_BITS:
            limits[index] = limits[index + STEADY_AFTER] = 0.0
    return limits


def _likely_offsets(first: Sequence[int], second: Sequence[int], limits: Sequence[float]) -> list[int]:
    """Return the offsets (position in the second episode less that in the first) that are worth an examination."""
    places: defaultdict[int, list[int]] = defaultdict(list)
    for index, point in enumerate(second):
        places[point & _HALF].append(index)
        places[point >> 16 | 1 << 16].append(index)
    votes: Counter[int] = Counter()
    for index, point in enumerate(first):
        if not limits[index]:
            continue
        for half in (point & _HALF, point >> 16 | 1 << 16):
            alike = places.get(half, ())
            if len(alike) <= MOST_ALIKE:
                votes.update([place - index for place in alike])
    # the beginnings of frames differ by up to half a step, so neighbours share the votes
    likely = [offset for offset, number in votes.most_common(CANDIDATES) if number >= LEAST_VOTES]
    return sorted({offset + by for offset in likely for by in (-1, 0, 1)})


def _best_stretch(
    first: Sequence[int],
    second: Sequence[int],
    limits: Sequence[float],
    other_limits: Sequence[float],
    offset: int,
) -> tuple[float, int, int] | None:
    """Return score, begin and end of the stretch of the first episode that agrees best at an offset, or None."""
    start, end = max(0, -offset), min(len(first), len(second) - offset)
    if start >= end:
        return None
    moved = slice(start + offset, end + offset)
    bits = [*map(int.bit_count, map(xor, first[start:end], second[moved]))]
    best = total = 0.0
    begin = best_begin = best_end = 0
    for index, (differing, limit) in enumerate(
        zip(bits, map(min, limits[start:end], other_limits[moved]), strict=True)
    ):
        total += limit - differing - LEAST_LOSS
        if total <= 0:
            total, begin = 0.0, index + 1
        elif total > best:
            best, best_begin, best_end = total, begin, index + 1
    stretch = bits[best_begin:best_end]
    if not stretch or sum(stretch) > MOST_BITS * len(stretch):
        return None
    cut_begin, cut_end = _edges(stretch)
    return best, start + best_begin + cut_begin, start + best_begin + cut_end


def _edges(bits: Sequence[int]) -> tuple[int, int]:
    """Return where a stretch begins and ends in which also the points at its edges agree nearly as well as the others.

    Without this, loud music would begin too early or end too late: it determines the bits of each point that describes
    some of it.
    """
    most = EDGE_POINTS * (EDGE_TIMES * sum(bits) / len(bits) + EDGE_BITS)
    begins = (place for place in range(len(bits)) if sum(bits[place : place + EDGE_POINTS]) <= most)
    ends = (place for place in range(len(bits), 0, -1) if sum(bits[max(0, place - EDGE_POINTS) : place]) <= most)
    return next(begins, 0), next(ends, len(bits))
