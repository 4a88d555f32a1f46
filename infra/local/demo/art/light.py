"""Palettes, and elements of most scenes: a sky, a sun, distant birds.

The colours of a palette, from the darkest: `dark` (foreground), `deep` (top of the sky), `mid` (air), `glow` (light).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from infra.local.demo.art import figures
from infra.local.demo.art.canvas import Colour, colour, mix

if TYPE_CHECKING:
    from infra.local.demo.art.canvas import Canvas

WHITE: Colour = (1.0, 1.0, 1.0)


@dataclass(frozen=True, slots=True)
class Palette:
    """Four colours, from foreground to light."""

    dark: Colour
    deep: Colour
    mid: Colour
    glow: Colour


PALETTES = {
    name: Palette(*map(colour, colours.split()))
    for name, colours in {
        "ember": "#12080d #2a1030 #a83a3f #ffab6b",
        "dusk": "#0a0b1c #1a1546 #6a3a86 #ff8f7a",
        "teal": "#03141a #08303f #1f7f86 #ffd98a",
        "frost": "#070d18 #12294d #5f8fb8 #e9f6ff",
        "moss": "#060f0a #10301f #4f8a55 #f0f2b0",
        "sand": "#1c0f08 #5a2b1a #d08a4a #ffe7b0",
        "violet": "#0c0618 #2b0f52 #8a3aa8 #ff9fd6",
        "steel": "#08090d #1d222c #69727f #f3e6cf",
        "crimson": "#100306 #3c0710 #a3142a #ff8a5c",
        "mint": "#04120f #0b3b3a #4bb39a #f6ffd8",
        "gold": "#140d04 #40270a #b5792a #ffe08a",
        "night": "#03050d #081230 #27478a #b8d4ff",
    }.items()
}


def draw_sky(canvas: Canvas, palette: Palette, horizon: float) -> None:
    canvas.sky(
        [
            (0, palette.deep),
            (horizon * 0.6, mix(palette.deep, palette.mid, 0.6)),
            (horizon, mix(palette.mid, palette.glow, 0.45)),
            (1, palette.mid),
        ]
    )


def draw_sun(canvas: Canvas, palette: Palette, x: float, y: float, radius: float) -> None:
    canvas.glow(x, y, radius * 7, palette.mid, 0.55)
    canvas.glow(x, y, radius * 3, palette.glow, 0.75)
    canvas.disc(x, y, radius, mix(palette.glow, WHITE, 0.45))


def draw_birds(canvas: Canvas, paint: Colour, x: float, y: float) -> None:
    for _ in range(6):
        where = canvas.random.normal(0, (0.09, 0.035))
        canvas.stamp(figures.bird(x + where[0], y + where[1], 0.018 + 0.014 * canvas.random.random()), paint)
