"""Small silhouettes as polygons: a person, a ship, a bird, a lighthouse, trees."""

from __future__ import annotations

from math import cos, pi, sin
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from numpy.random import Generator

Shape = list[tuple[float, float]]


def _placed(points: Shape, x: float, y: float, size: float) -> Shape:
    return [(x + px * size, y - py * size) for px, py in points]


def _circle(x: float, y: float, radius: float) -> Shape:
    return [(x + radius * cos(pi * step / 12), y + radius * sin(pi * step / 12)) for step in range(24)]


def person(x: float, y: float, size: float) -> list[Shape]:
    """Return a person in a long coat, seen from behind, with the feet at (x, y)."""
    coat = [
        (-0.14, 0.24),
        (-0.1, 0.5),
        (-0.11, 0.75),
        (-0.03, 0.81),
        (0.03, 0.81),
        (0.11, 0.75),
        (0.1, 0.5),
        (0.14, 0.24),
    ]
    arms = [
        (-0.11, 0.76),
        (-0.15, 0.7),
        (-0.17, 0.42),
        (-0.12, 0.42),
        (-0.1, 0.6),
        (0.1, 0.6),
        (0.12, 0.42),
        (0.17, 0.42),
        (0.15, 0.7),
        (0.11, 0.76),
    ]
    left = [(-0.09, 0.25), (-0.08, 0.0), (-0.02, 0.0), (-0.01, 0.25)]
    right = [(0.02, 0.25), (0.04, 0.0), (0.1, 0.0), (0.09, 0.25)]
    parts = (coat, arms, left, right)
    return [*(_placed(part, x, y, size) for part in parts), _circle(x, y - 0.9 * size, 0.07 * size)]


def ship(x: float, y: float, size: float) -> list[Shape]:
    """Return a sailing ship with its waterline at (x, y)."""
    hull = [(-0.5, 0.1), (0.55, 0.13), (0.4, 0.0), (-0.4, 0.0)]
    mast = [(-0.02, 0.1), (-0.02, 0.95), (0.02, 0.95), (0.02, 0.1)]
    main = [(0.05, 0.2), (0.05, 0.9), (0.45, 0.22)]
    jib = [(-0.05, 0.2), (-0.05, 0.78), (-0.42, 0.2)]
    return [_placed(part, x, y, size) for part in (hull, mast, main, jib)]


def bird(x: float, y: float, size: float) -> list[Shape]:
    """Return a distant bird."""
    wings = [(-0.5, 0.22), (-0.22, 0.2), (0.0, 0.0), (0.22, 0.2), (0.5, 0.22), (0.2, 0.29), (0.0, 0.09), (-0.2, 0.29)]
    return [_placed(wings, x, y, size)]


def lighthouse(x: float, y: float, size: float) -> list[Shape]:
    """Return a lighthouse with its foot at (x, y); its lamp is at 0.93 times its height."""
    tower = [(-0.12, 0.0), (-0.075, 0.82), (0.075, 0.82), (0.12, 0.0)]
    gallery = [(-0.11, 0.82), (-0.11, 0.86), (0.11, 0.86), (0.11, 0.82)]
    lamp = [(-0.06, 0.86), (-0.06, 0.97), (0.06, 0.97), (0.06, 0.86)]
    roof = [(-0.085, 0.97), (0.0, 1.08), (0.085, 0.97)]
    return [_placed(part, x, y, size) for part in (tower, gallery, lamp, roof)]


def conifer(x: float, y: float, size: float, random: Generator) -> list[Shape]:
    """Return a fir with its foot at (x, y); each call varies it slightly."""
    left: Shape = []
    right: Shape = []
    tiers = 7
    for tier in range(tiers):
        height = 1 - (tier + 1) / tiers * 0.92
        reach = 0.05 + 0.2 * (tier + 1) / tiers * (0.8 + 0.4 * random.random())
        left += [(-reach, height), (-reach * 0.55, height + 0.03)]
        right += [(reach, height), (reach * 0.55, height + 0.03)]
    outline = [(0.0, 1.0), *right, (0.03, 0.08), (0.03, -0.3), (-0.03, -0.3), (-0.03, 0.08), *reversed(left)]
    return [_placed(outline, x, y, size)]
