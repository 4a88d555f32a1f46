"""Find the sound that two episodes share: pure functions on fingerprints.

The same sound gives points that differ in few bits, at the same distance from each other in both episodes. So points
that are equal in half of their bits vote for the offset between the episodes. For the offsets with the most votes, the
stretch is chosen in which the points agree best: each point counts for it if it differs in few bits, and against it
otherwise (the maximum subarray, by Kadane's algorithm). So a short disturbance is passed over, and the ends are exact.

Points of silence, or of a tone that does not change, are like those a second later. They would agree with any silence,
so they never count for a stretch.
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

EQUAL_BITS = 9
"""A point that differs in fewer bits than this counts for a stretch. Unrelated sound differs in 11 to 16 of 32."""

MOST_BITS = 6.0
"""The points of a shared stretch differ in at most this many bits, on average."""

STEADY_AFTER, STEADY_BITS = 8, 2
"""Sound that is nearly the same so many points later, in all bits but these, is silence or an unchanging tone."""

MOST_ALIKE = 40
"""Halves of points that are more frequent than this in an episode say too little about the offset."""

CANDIDATES, LEAST_VOTES = 6, 8
"""How many offsets are examined, and how many votes an offset needs."""

_HALF = 0xFFFF


@dataclass(frozen=True, slots=True)
class SharedSound:
    """A stretch that two episodes share: where it begins in each, and how long it is, in seconds."""

    first_s: float
    second_s: float
    lasts_s: float


def find_shared(first: Fingerprint, second: Fingerprint, *, least_s: float, most_s: float) -> SharedSound | None:
    """Return the best stretch between the lengths `least_s` and `most_s` that both episodes share, or None."""
    steady = _steady(first.points)
    best: tuple[int, int, int, int] | None = None
    for offset in _likely_offsets(first.points, second.points, steady):
        found = _best_stretch(first.points, second.points, steady, offset)
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


def _steady(points: Sequence[int]) -> list[bool]:
    """Return for each point whether it describes silence or a tone that does not change."""
    later = (*points[STEADY_AFTER:], *points[-STEADY_AFTER:])
    found = [(one ^ other).bit_count() <= STEADY_BITS for one, other in zip(points, later, strict=False)]
    # the last points are compared with those before them
    return [steady or (index >= STEADY_AFTER and found[index - STEADY_AFTER]) for index, steady in enumerate(found)]


def _likely_offsets(first: Sequence[int], second: Sequence[int], steady: Sequence[bool]) -> list[int]:
    """Return the offsets (position in the second episode less that in the first) that are worth an examination."""
    places: defaultdict[int, list[int]] = defaultdict(list)
    for index, point in enumerate(second):
        places[point & _HALF].append(index)
        places[point >> 16 | 1 << 16].append(index)
    votes: Counter[int] = Counter()
    for index, point in enumerate(first):
        if steady[index]:
            continue
        for half in (point & _HALF, point >> 16 | 1 << 16):
            alike = places.get(half, ())
            if len(alike) <= MOST_ALIKE:
                votes.update([place - index for place in alike])
    # the beginnings of frames differ by up to half a step, so neighbours share the votes
    likely = [offset for offset, number in votes.most_common(CANDIDATES) if number >= LEAST_VOTES]
    return sorted({offset + by for offset in likely for by in (-1, 0, 1)})


def _best_stretch(
    first: Sequence[int], second: Sequence[int], steady: Sequence[bool], offset: int
) -> tuple[int, int, int] | None:
    """Return score, begin and end of the stretch of the first episode that agrees best at an offset, or None."""
    start, end = max(0, -offset), min(len(first), len(second) - offset)
    if start >= end:
        return None
    bits = [*map(int.bit_count, map(xor, first[start:end], second[start + offset : end + offset]))]
    best = total = 0
    begin = best_begin = best_end = 0
    for index, (differing, same) in enumerate(zip(bits, steady[start:end], strict=True)):
        total += -1 if same else EQUAL_BITS - differing
        if total <= 0:
            total, begin = 0, index + 1
        elif total > best:
            best, best_begin, best_end = total, begin, index + 1
    if not best:
        return None
    stretch = bits[best_begin:best_end]
    if sum(stretch) > MOST_BITS * len(stretch):
        return None
    return best, start + best_begin, start + best_end
