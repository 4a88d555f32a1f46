"""A city, a road, a stage, cut paper, and a planet. `focus` is the position of the light."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from infra.local.demo.art import figures
from infra.local.demo.art.canvas import mix
from infra.local.demo.art.light import WHITE, draw_sky, draw_sun

if TYPE_CHECKING:
    from infra.local.demo.art.canvas import Canvas
    from infra.local.demo.art.light import Palette


def city(canvas: Canvas, palette: Palette, focus: float) -> None:
    """A skyline in three layers with lit windows."""
    draw_sky(canvas, palette, 0.85)
    canvas.stars(0.5)
    draw_sun(canvas, palette, focus * canvas.aspect, 0.26, 0.11)
    for layer, (foot, tall, thin) in enumerate(((0.66, 0.3, 0.035), (0.8, 0.36, 0.055), (0.97, 0.4, 0.085))):
        near = layer / 2
        paint = mix(mix(palette.mid, palette.deep, 0.35), palette.dark, 0.25 + 0.72 * near)
        x = -0.02
        while x < canvas.aspect:
            width = thin * (0.6 + canvas.random.random())
            top = foot - tall * canvas.random.random() ** 1.4 - 0.06
            roof = [(x, 1.02), (x, top), (x + width, top), (x + width, 1.02)]
            spire = [(x + width * 0.45, top), (x + width / 2, top - 0.06), (x + width * 0.55, top)]
            canvas.stamp([roof, spire] if canvas.random.random() < 0.22 else [roof], paint)
            _windows(canvas, palette, (x, top, width), near)
            x += width * (1.02 + 0.25 * canvas.random.random())
        haze = np.exp(-(((canvas.y - foot - 0.02) / 0.09) ** 2)) * np.ones_like(canvas.x)
        canvas.add_light(palette.mid, haze * np.float32(0.3 * (1 - near)))


def _windows(canvas: Canvas, palette: Palette, house: tuple[float, float, float], near: float) -> None:
    """Light some windows of a house, given as left, top and width."""
    left, top, width = house
    step = 0.011 + 0.007 * near
    columns, rows = int((width - step) / step), int((1 - top) / (step * 1.5))
    lit = canvas.random.random((rows, max(0, columns))) < 0.13 + 0.1 * near
    paint = mix(palette.glow, palette.mid, 0.45 - 0.35 * near)
    for row, column in zip(*np.nonzero(lit), strict=True):
        x, y = left + step * (0.75 + column), top + step * (0.8 + 1.5 * row)
        x0, y0 = int(x * canvas.height), int(y * canvas.height)
        x1, y1 = int((x + step * 0.5) * canvas.height) + 1, int((y + step * 0.75) * canvas.height) + 1
        if x1 > 0:
            canvas.pixels[y0:y1, max(0, x0) : x1] = paint


def road(canvas: Canvas, palette: Palette, focus: float) -> None:
    """A straight road to the horizon, with wires beside it and clouds ahead."""
    horizon = 0.57
    draw_sky(canvas, palette, horizon)
    x = focus * canvas.aspect
    draw_sun(canvas, palette, x, horizon - 0.03, 0.07)
    clouds = canvas.noise(0.35, 6, stretch=3)
    canvas.blend(
        mix(palette.deep, palette.dark, 0.3),
        ((clouds - 0.5) * 3.4).clip(0, 1) * (1 - canvas.y / horizon * 0.9).clip(0, 1),
    )
    canvas.ground(horizon - 0.02 + canvas.ridge(0.02, 6), mix(palette.mid, palette.dark, 0.45))
    plain = np.full(canvas.width, horizon, np.float32)
    canvas.ground(plain, mix(palette.mid, palette.dark, 0.6), fog=palette.dark, depth=0.4)
    canvas.stamp(
        [[(x - 0.004, horizon), (x + 0.004, horizon), (x + 0.5, 1.02), (x - 0.62, 1.02)]],
        mix(palette.dark, palette.mid, 0.12),
    )
    for dash in range(9):
        near, far = (1.0 / (1 + 0.75 * dash), 1.0 / (1 + 0.75 * dash + 0.33))
        near_y, far_y = horizon + 0.45 * near, horizon + 0.45 * far
        canvas.stamp(
            [
                [
                    (x - 0.071 * near, near_y),
                    (x - 0.049 * near, near_y),
                    (x - 0.049 * far, far_y),
                    (x - 0.071 * far, far_y),
                ]
            ],
            palette.glow,
        )
    for pole in range(8):
        share = 1.0 / (1 + 0.7 * pole)
        at, foot, tall = x + 0.72 * share + 0.01, horizon + 0.36 * share, 0.62 * share
        wide = 0.009 * share
        canvas.stamp(
            [
                [(at - wide, foot), (at - wide, foot - tall), (at + wide, foot - tall), (at + wide, foot)],
                [
                    (at - 0.08 * share, foot - tall * 0.93),
                    (at + 0.08 * share, foot - tall * 0.93),
                    (at + 0.08 * share, foot - tall * 0.9),
                    (at - 0.08 * share, foot - tall * 0.9),
                ],
            ],
            palette.dark,
        )


def rays(canvas: Canvas, palette: Palette, focus: float) -> None:
    """Stripes that radiate from a disc, as on an old poster, with rings for a stage."""
    x, y = focus * canvas.aspect, 0.62
    angle = np.arctan2(canvas.y - y, canvas.x - x)
    away = canvas.distance(x, y)
    fan = ((np.sin(angle * 22) * 30 * away).clip(-1, 1) + 1) / 2
    canvas.sky([(0, palette.deep), (1, palette.mid)])
    canvas.blend(mix(palette.deep, palette.mid, 0.65), (fan * np.float32(0.8)).astype(np.float32))
    canvas.glow(x, y, 0.45, palette.glow, 0.6)
    for ring, radius in enumerate((0.34, 0.29, 0.24, 0.19)):
        canvas.disc(x, y, radius, palette.dark if ring % 2 else mix(palette.glow, palette.mid, ring / 5))
    canvas.disc(x, y, 0.14, mix(palette.glow, WHITE, 0.35))
    canvas.ground(0.78 + canvas.ridge(0.004, 3), palette.dark)
    canvas.stamp(figures.person(x, 0.785, 0.24), palette.dark)


def papercut(canvas: Canvas, palette: Palette, focus: float) -> None:
    """Layers of coloured paper with holes and shadows."""
    canvas.sky([(0, mix(palette.glow, WHITE, 0.2)), (1, palette.glow)])
    clouds = canvas.noise(0.55, 3)
    shape = (
        clouds * 0.55 + 0.75 * canvas.distance(focus * canvas.aspect, 0.42) / np.float32(max(canvas.aspect, 1.0)) * 1.5
    )
    sheets = 7
    for sheet in range(sheets):
        edge = 0.34 + 0.095 * sheet
        paint = mix(mix(palette.glow, palette.mid, min(1, sheet / 3)), palette.dark, max(0, sheet - 1) / (sheets - 1))
        canvas.blend(palette.dark, (1 - np.abs(shape - edge + 0.02) / 0.05).clip(0, 1) * np.float32(0.5))
        canvas.blend(paint, ((shape - edge) * canvas.height / 2.2).clip(0, 1))


def space(canvas: Canvas, palette: Palette, focus: float) -> None:
    """A half-lit planet with a ring and a moon in front of a nebula."""
    canvas.sky([(0, palette.dark), (1, mix(palette.dark, palette.deep, 0.6))])
    clouds = canvas.noise(0.5, 6)
    canvas.add_light(palette.mid, ((clouds - 0.45) * 2.4).clip(0, 1) * np.float32(0.5))
    canvas.add_light(palette.glow, ((canvas.noise(0.35, 6) - 0.56) * 3).clip(0, 1) * np.float32(0.3))
    canvas.stars(1.0, 0.0016)
    x, y, radius = focus * canvas.aspect, 0.45, 0.27
    away = canvas.distance(x, y)
    canvas.glow(x - 0.1, y - 0.08, radius * 1.5, palette.mid, 0.5)
    body = ((radius - away) * canvas.height / 1.5).clip(0, 1)
    bands = canvas.noise(0.16, 4, stretch=7)
    light = (0.62 - ((canvas.x - x) * 0.8 + (canvas.y - y) * 0.6) / radius * 0.75).clip(0.02, 1)
    for channel in range(3):
        surface = palette.mid[channel] + (palette.glow[channel] - palette.mid[channel]) * ((bands - 0.3) * 1.8).clip(
            0, 1
        )
        plane = canvas.pixels[:, :, channel]
        plane += (surface * light**1.3 - plane) * body
    tilt_x = (canvas.x - x) * 0.94 + (canvas.y - y) * 0.34
    tilt_y = ((canvas.y - y) * 0.94 - (canvas.x - x) * 0.34) / 0.2
    orbit = np.hypot(tilt_x, tilt_y)
    ring = np.exp(-(((orbit - radius * 1.62) / (radius * 0.2)) ** 2)) * (0.55 + 0.45 * np.sin(orbit * 210))
    behind = (away < radius) & (tilt_y < 0)
    canvas.add_light(palette.glow, np.where(behind, 0, ring).astype(np.float32) * np.float32(0.6))
    canvas.disc(x - 0.47, y - 0.2, 0.032, mix(palette.glow, palette.mid, 0.3))
