"""Scenes by the water: the open sea, a lighthouse. `focus` is the position of the light."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from infra.local.demo.art import figures
from infra.local.demo.art.canvas import mix
from infra.local.demo.art.light import WHITE, draw_birds, draw_sky, draw_sun

if TYPE_CHECKING:
    from infra.local.demo.art.canvas import Canvas
    from infra.local.demo.art.light import Palette


def sea(canvas: Canvas, palette: Palette, focus: float) -> None:
    """Open water with the reflection of a low sun, and a sail."""
    horizon = 0.56
    draw_sky(canvas, palette, horizon)
    canvas.stars(0.3, 0.0004)
    x = focus * canvas.aspect
    draw_sun(canvas, palette, x, horizon - 0.05, 0.1)
    clouds = canvas.noise(0.25, 5, stretch=5)
    canvas.add_light(palette.glow, ((clouds - 0.54) * 4).clip(0, 1) * np.exp(-(((canvas.y - 0.36) / 0.16) ** 2)) * 0.4)
    below = ((canvas.y - horizon) * canvas.height).clip(0, 1) * np.ones_like(canvas.x)
    depth = ((canvas.y - horizon) / (1 - horizon)).clip(0, 1)
    canvas.blend(mix(palette.deep, palette.mid, 0.5), below)
    canvas.blend(palette.dark, below * depth**0.7 * np.float32(0.92))
    ripple = canvas.noise(0.02, 3, stretch=8)
    spread = 0.05 + 0.32 * depth
    road = np.exp(-(((canvas.x - x) / spread) ** 2)) * ((ripple - 0.46 - 0.05 * depth) * 9).clip(0, 1)
    canvas.add_light(palette.glow, below * road * (1 - 0.55 * depth))
    canvas.add_light(palette.mid, below * ((ripple - 0.55) * 5).clip(0, 1) * np.float32(0.22))
    canvas.stamp(figures.ship(x - min(0.3, 0.28 * canvas.aspect), horizon + 0.012, 0.11), palette.dark)
    draw_birds(canvas, palette.dark, x + 0.12, 0.33)


def beacon(canvas: Canvas, palette: Palette, focus: float) -> None:
    """A lighthouse on a rock at night, with its beam in the mist."""
    canvas.sky([(0, palette.dark), (0.62, mix(palette.deep, palette.mid, 0.45)), (1, palette.deep)])
    canvas.stars(0.55)
    x, foot, size = focus * canvas.aspect, 0.72, 0.42
    lamp = foot - 0.915 * size
    angle = np.arctan2(canvas.y - lamp, x - canvas.x)
    away = canvas.distance(x, lamp)
    mist = 0.6 + 0.8 * canvas.noise(0.2, 4, stretch=2)
    for aim, wide in ((0.14, 0.085), (0.14 - np.pi, 0.06)):
        turned = np.angle(np.exp(1j * (angle - aim))).astype(np.float32)
        beam = np.exp(-((turned / wide) ** 2)) * np.exp(-away / 0.75) * mist
        canvas.add_light(palette.glow, beam.astype(np.float32) * np.float32(0.85))
    canvas.glow(x, lamp, 0.14, palette.glow, 1.0)
    water = canvas.ridge(0.006, 5) + 0.74
    canvas.ground(water, mix(palette.deep, palette.dark, 0.55), depth=0.4)
    ripple = canvas.noise(0.016, 3, stretch=8)
    canvas.add_light(
        palette.mid, ((canvas.y - 0.745) * 60).clip(0, 1) * ((ripple - 0.52) * 6).clip(0, 1) * np.float32(0.5)
    )
    canvas.ground(
        0.93 - 0.24 * np.exp(-(((canvas.x[0] - x - 0.04) / 0.27) ** 2)) + canvas.ridge(0.014, 7), palette.dark
    )
    canvas.stamp(figures.lighthouse(x, foot, size), palette.dark)
    canvas.disc(x, lamp, 0.014, WHITE)
