"""Steps: how often viewers went from one title to another, counted so that every change can be undone exactly.

Each viewer's history gives a step from a title to each of the next 20. Its weight is 2/(1 + places + changes of time)
for the places and changes of time between the two, so titles that were watched at the same time are closer; the step
back has a fifth of that weight. Weights are whole thousandths, so sums do not depend on the order of addition.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from datetime import datetime

type History = Sequence[tuple[str, object]]
"""What a viewer watched, and when: by time, and by id among simultaneous ones."""

WINDOW = 20
ONE = 1000
FORTH = tuple(round(2 * ONE / (1 + between)) for between in range(2 * WINDOW + 1))
BACK = tuple(round(2 * ONE / 5 / (1 + between)) for between in range(2 * WINDOW + 1))
"""The weights of a step by the number of places and changes of time between the titles."""

SIGNIFICANT = 200
"""Steps of a lower weight are noise: a single viewer, more than four places apart."""

ROW = 200
"""The most steps that lead away from a title after a rebuild."""

POWER, DAMPING, SHRINKAGE = 0.8, 0.4, 5
"""A step's strength is `(weight / 1000)^0.8 / ((views_from + 5) * (views_to + 5))^0.4`: near 1 if all take it."""


def steps(history: History) -> Counter[tuple[str, str]]:
    """Return the weights of all steps of a history."""
    weights: Counter[tuple[str, str]] = Counter()
    for title, later, between in _pairs(history):
        weights[title, later] += FORTH[between]
        weights[later, title] += BACK[between]
    return weights


def _pairs(history: History) -> Iterator[tuple[str, str, int]]:
    """Yield all pairs of titles within the window, with the places and changes of time between them."""
    moments: list[int] = []
    for place, (_, at) in enumerate(history):
        same = place > 0 and at == history[place - 1][1]
        moments.append((moments[-1] if moments else 0) + (not same))
    for place, (title, _) in enumerate(history):
        for other in range(place + 1, min(place + 1 + WINDOW, len(history))):
            yield title, history[other][0], other - place + moments[other] - moments[place]


def difference(before: History, after: History) -> dict[tuple[str, str], tuple[int, int]]:
    """Return the steps whose weights change with a history, with the weights before and after."""
    old, new = steps(before), steps(after)
    return {step: (old[step], new[step]) for step in old.keys() | new.keys() if old[step] != new[step]}


def strength(weight: int, views_from: int, views_to: int) -> float:
    """Return the strength of a step, the edge's score."""
    damped = ((views_from + SHRINKAGE) * (views_to + SHRINKAGE)) ** DAMPING
    return float((weight / ONE) ** POWER / damped)


def rows(
    histories: Iterable[History], views: Mapping[str, int], titles: frozenset[str] | None = None
) -> dict[str, dict[str, int]]:
    """Return the significant steps that lead away from titles (all, or these), the strongest of each title."""
    counted: dict[str, Counter[str]] = {}
    for history in histories:
        for title, later, between in _pairs(history):
            if titles is None or title in titles:
                counted.setdefault(title, Counter())[later] += FORTH[between]
            if titles is None or later in titles:
                counted.setdefault(later, Counter())[title] += BACK[between]
    return {title: _strongest(title, row, views) for title, row in counted.items()}


def _strongest(title: str, row: Mapping[str, int], views: Mapping[str, int]) -> dict[str, int]:
    significant = [(other, weight) for other, weight in row.items() if weight >= SIGNIFICANT]
    if len(significant) > ROW:
        significant.sort(key=lambda step: (-strength(step[1], views[title], views[step[0]]), step[0]))
    return dict(significant[:ROW])


HALF_LIFE_DAYS = 14
_SECONDS = HALF_LIFE_DAYS * 86_400
_BEGINNING = 1_735_689_600  # 1 January 2025, so that heat stays within a float until 2064


def heat(at: datetime) -> float:
    """Return what a view adds to a title's heat: twice as much for each fortnight that it is later.

    Heats need no clock: their order changes only when somebody watches (forward decay, Cormode et al., 2009).
    """
    return float(2.0 ** min(1000.0, (at.timestamp() - _BEGINNING) / _SECONDS))
