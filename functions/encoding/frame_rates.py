"""The frame rate of the published grid, derived from the times of a sample of frames."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

STANDARD_RATES = tuple(
    Fraction(n, d)
    for n, d in ((24000, 1001), (24, 1), (25, 1), (30000, 1001), (30, 1), (48, 1), (50, 1), (60000, 1001), (60, 1))
)
"""Frame rates of SMPTE ST 2036 and of common cameras, up to the highest published rate."""


FILM = Fraction(24_000, 1001)
"""The frame rate of film that is shown on NTSC television."""

TELEVISION_RATES = (Fraction(25), Fraction(30_000, 1001))
"""The frame rates of interlaced television."""

FIELDS = Fraction(60_000, 1001)
"""Fields per second of NTSC television."""

_TELECINE_FRAMES = 24
_ROUNDING = Fraction(1, 5000)
_CLOCK_S = Fraction(3, 2000)
"""Sum of the rounding errors of a sample's times, whose clock has at least 1000 ticks per second."""

_ABOVE = Fraction(1, 100)


def frame_rate(real: Fraction, average: Fraction, shown_at: Sequence[Fraction]) -> tuple[Fraction, bool]:
    """Return the frame rate of the published grid, and whether the frame rate of the source varies.

    `real` and `average` come from ffprobe: the lowest rate that can express every timestamp, and the number of frames
    divided by the duration. `shown_at` contains presentation times, in seconds, of a sample of frames. If the rate of
    the source varies, the result is the lowest standard rate, at most 60, at which no frame of the sample is lost.
    """
    times = sorted(set(shown_at))
    gaps = sorted(late - early for early, late in pairwise(times) if 0 < late - early < 1)
    if not gaps:
        return _at_most_60(_snapped(average or real or Fraction(25))), False
    if _is_soft_telecine(times):
        return FILM, False
    typical = gaps[len(gaps) // 2]
    # Packets arrive in decode order, so the last packets of a sample lack their neighbours; ignore the few long gaps.
    near, short, long = max(Fraction(3, 1000), typical / 20), _quantile(gaps, 2), _quantile(gaps, 90)
    if typical - short <= near and long - typical <= near:
        return _at_most_60(_even_rate(real, average, [gap for gap in gaps if abs(gap - typical) <= near])), False
    if real in STANDARD_RATES and abs(real * short - 1) < Fraction(3, 100):
        return real, True
    lowest = next((r for r in STANDARD_RATES if r * short >= Fraction(97, 100)), STANDARD_RATES[-1])
    whole = lowest * Fraction(1001, 1000)
    # A rate that is a thousandth too high occasionally repeats a frame; a rate that is too low loses frames.
    exact = abs(lowest * short - 1) < Fraction(1, 2000)
    return (whole if whole in STANDARD_RATES and not exact else lowest), True


def _even_rate(real: Fraction, average: Fraction, gaps: Sequence[Fraction]) -> Fraction:
    """Return the rate of a source whose frames are evenly spaced; `gaps` are those between neighbouring frames.

    The average that a container states is exact only if the film has no gap, and the real rate only if ffprobe did not
    have to guess it. Either counts only if it agrees with the measured distance between frames.
    """
    lasts = sum(gaps, start=Fraction(0))
    measured, tolerance = len(gaps) / lasts, _ROUNDING + _CLOCK_S / lasts
    for stated in (average, real):
        if stated and abs(stated / measured - 1) <= tolerance:
            return _snapped(stated)
    # No statement agrees, so the times are irregular. A rate that is slightly too high loses no frame.
    nearest = _snapped(measured)
    above = next((rate for rate in STANDARD_RATES if 1 <= rate / measured <= 1 + _ABOVE), nearest)
    return nearest if nearest in STANDARD_RATES else above


def _is_soft_telecine(times: Sequence[Fraction]) -> bool:
    """Return whether frames are shown alternately for two and for three fields of television.

    This is how an NTSC DVD stores film: 24000/1001 frames a second, with flags that repeat a field of every other
    frame.
    """
    fields = [(late - early) * FIELDS for early, late in pairwise(times) if 0 < late - early < 1]
    counts = [round(count) for count in fields if abs(count - round(count)) <= Fraction(1, 6)]
    alternate = sum({early, late} == {2, 3} for early, late in pairwise(counts))
    return len(fields) >= _TELECINE_FRAMES and alternate >= len(fields) * Fraction(95, 100)


def _quantile(ordered: Sequence[Fraction], percent: int) -> Fraction:
    return ordered[len(ordered) * percent // 100] if ordered else Fraction(0)


def _snapped(rate: Fraction) -> Fraction:
    """Return the standard rate within 0.05 % of `rate`, or else `rate` itself as a simple fraction."""
    nearest = min(STANDARD_RATES, key=lambda standard: abs(standard / rate - 1))
    return nearest if abs(nearest / rate - 1) < Fraction(5, 10_000) else rate.limit_denominator(1001)


def _at_most_60(rate: Fraction) -> Fraction:
    while rate > STANDARD_RATES[-1]:
        rate /= 2
    return rate
