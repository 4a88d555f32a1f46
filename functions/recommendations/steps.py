"""Steps: how often viewers went on from one title to another, counted so that one change takes back another exactly.

Each viewer's history gives a step from a title to each of the next 20, which weighs 1/d where the other stands d places
later, and a fifth of that for the way back. Weights are whole thousandths: sums of them do not depend on their order.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

WINDOW = 20
ONE = 1000
FORTH = tuple(round(ONE / distance) for distance in range(1, WINDOW + 1))
BACK = tuple(round(ONE / 5 / distance) for distance in range(1, WINDOW + 1))

TELLING = 300
"""A step that weighs less says nothing: a single viewer, more than three places apart."""

ROW = 200
"""How many steps lead away from a title at most after a rebuild."""

POWER, DAMPING, SHRINKAGE = 0.8, 0.4, 5
"""A step's strength is `(weight / 1000)^0.8 / ((views_from + 5) * (views_to + 5))^0.4`: near 1 where all take it."""


def steps(history: Sequence[str]) -> Counter[tuple[str, str]]:
    """Return the weights of all steps of a history, earliest first."""
    weights: Counter[tuple[str, str]] = Counter()
    for place, title in enumerate(history):
        for distance, later in enumerate(history[place + 1 : place + 1 + WINDOW]):
            weights[title, later] += FORTH[distance]
            weights[later, title] += BACK[distance]
    return weights


def difference(before: Sequence[str], after: Sequence[str]) -> dict[tuple[str, str], tuple[int, int]]:
    """Return the steps whose weights change when a history does, with the weight before and after."""
    old, new = steps(before), steps(after)
    return {step: (old[step], new[step]) for step in old.keys() | new.keys() if old[step] != new[step]}


def strength(weight: int, views_from: int, views_to: int) -> float:
    """Return how much a step says."""
    damped = ((views_from + SHRINKAGE) * (views_to + SHRINKAGE)) ** DAMPING
    return float((weight / ONE) ** POWER / damped)


def rows(
    histories: Iterable[Sequence[str]], views: Mapping[str, int], titles: frozenset[str] | None = None
) -> dict[str, dict[str, int]]:
    """Return the telling steps that lead away from titles (all, or these), the strongest of each title."""
    counted: dict[str, Counter[str]] = {}
    for history in histories:
        for place, title in enumerate(history):
            if titles is not None and title not in titles:
                continue
            row = counted.setdefault(title, Counter())
            for distance, later in enumerate(history[place + 1 : place + 1 + WINDOW]):
                row[later] += FORTH[distance]
            for distance, earlier in enumerate(reversed(history[max(0, place - WINDOW) : place])):
                row[earlier] += BACK[distance]
    return {title: _strongest(title, row, views) for title, row in counted.items()}


def _strongest(title: str, row: Mapping[str, int], views: Mapping[str, int]) -> dict[str, int]:
    telling = [(other, weight) for other, weight in row.items() if weight >= TELLING]
    if len(telling) > ROW:
        telling.sort(key=lambda step: (-strength(step[1], views[title], views[step[0]]), step[0]))
    return dict(telling[:ROW])


HALF_LIFE_DAYS = 14
_SECONDS = HALF_LIFE_DAYS * 86_400
_BEGINNING = 1_735_689_600  # 1 January 2025, so that heat stays within a float until 2064


def heat(at: datetime) -> float:
    """Return what a view adds to a title's heat: twice as much for each fortnight that it is later.

    Heats need no clock: of two titles the hotter one stays so until somebody watches (forward decay, Cormode et al.,
    2009).
    """
    return float(2.0 ** min(1000.0, (at.timestamp() - _BEGINNING) / _SECONDS))
