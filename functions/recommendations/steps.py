"""Steps: how often viewers went on from one title to another, counted so that every change can be undone exactly.

In a viewer's history there is a step from each title to each of the next 20. Its weight is 2/(1 + p + c): p is the
number of places between the two titles, and c is how many times the viewing time changes between them. So titles with
the same viewing time are closer. The step back has a fifth of that weight. Weights are whole thousandths, so sums do
not depend on the order of addition.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from datetime import datetime

type History = Sequence[tuple[str, object]]
"""The titles that a viewer watched, with times: sorted by time, then by id."""

WINDOW = 20
ONE = 1000
FORTH = tuple(round(2 * ONE / (1 + between)) for between in range(2 * WINDOW + 1))
BACK = tuple(round(2 * ONE / 5 / (1 + between)) for between in range(2 * WINDOW + 1))
"""The weights of a step and of the step back, by the number of places plus changes of time between the titles."""

SIGNIFICANT = 200
"""Steps of lower weight are noise, such as those of one viewer who watched both titles more than four places apart."""

ROW = 200
"""The maximum number of steps that start at a title after a rebuild."""

POWER, DAMPING, SHRINKAGE = 0.8, 0.4, 5
"""The strength of a step is `(weight / 1000)^0.8 / ((views_from + 5) * (views_to + 5))^0.4`.

The strength is near 1 if every viewer of the first title takes the step.
"""


def steps(history: History) -> Counter[tuple[str, str]]:
    """Return the weights of all steps of a history."""
    weights: Counter[tuple[str, str]] = Counter()
    for title, later, between in _pairs(history):
        weights[title, later] += FORTH[between]
        weights[later, title] += BACK[between]
    return weights


def _pairs(history: History) -> Iterator[tuple[str, str, int]]:
    """Yield all pairs of titles within the window, with the number of places plus changes of time between them."""
    moments: list[int] = []
    for place, (_, at) in enumerate(history):
        same = place > 0 and at == history[place - 1][1]
        moments.append((moments[-1] if moments else 0) + (not same))
    for place, (title, _) in enumerate(history):
        for other in range(place + 1, min(place + 1 + WINDOW, len(history))):
            yield title, history[other][0], other - place + moments[other] - moments[place]


def difference(before: History, after: History) -> dict[tuple[str, str], tuple[int, int]]:
    """Return the steps whose weights differ between two versions of a history, with both weights."""
    old, new = steps(before), steps(after)
    return {step: (old[step], new[step]) for step in old.keys() | new.keys() if old[step] != new[step]}


def strength(weight: int, views_from: int, views_to: int) -> float:
    """Return the strength of a step, which is the score of the edge."""
    damped = ((views_from + SHRINKAGE) * (views_to + SHRINKAGE)) ** DAMPING
    return float((weight / ONE) ** POWER / damped)


def rows(
    histories: Iterable[History], views: Mapping[str, int], titles: frozenset[str] | None = None
) -> dict[str, dict[str, int]]:
    """Return the strongest significant steps that start at each title or, if `titles` is set, at each of these."""
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
    """Return the amount that a view adds to a title's heat; this amount doubles every two weeks.

    Heats are compared without a clock: their order changes only when somebody watches (forward decay, Cormode et al.,
    2009).
    """
    return float(2.0 ** min(1000.0, (at.timestamp() - _BEGINNING) / _SECONDS))
