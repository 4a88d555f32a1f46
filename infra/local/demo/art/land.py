"""Scenes on land: mountains, a forest, dunes, snow under an aurora. `focus` is the position of the light."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from infra.local.demo.art import figures
from infra.local.demo.art.canvas import mix
from infra.local.demo.art.light import WHITE, draw_birds, draw_sky, draw_sun

if TYPE_CHECKING:
    from infra.local.demo.art.canvas import Canvas
    from infra.local.demo.art.light import Palette


def ridges(canvas: Canvas, palette: Palette, focus: float) -> None:
    """Rows of mountains, a low sun, and a person looking at the mountains."""
    draw_sky(canvas, palette, 0.6)
    canvas.stars(0.4)
    x = focus * canvas.aspect
    draw_sun(canvas, palette, x, 0.4, 0.085)
    layers = 6
    for layer in range(layers):
        near = layer / (layers - 1)
        line = 0.5 + 0.085 * layer + canvas.ridge(0.055 - 0.004 * layer)
        paint = mix(mix(palette.mid, palette.glow, 0.25), palette.dark, 0.2 + 0.8 * near**0.8)
        canvas.ground(line, paint, fog=mix(palette.mid, palette.glow, 0.3 * (1 - near)) if near < 0.8 else None)
        if layer == layers - 1:
            at = x - 0.2 * canvas.aspect
            foot = float(line[int(at * canvas.height)])
            canvas.stamp(figures.person(at, foot + 0.004, 0.085), palette.dark)
    draw_birds(canvas, mix(palette.dark, palette.mid, 0.2), x - 0.22, 0.3)


def forest(canvas: Canvas, palette: Palette, focus: float) -> None:
    """Firs in fog, with light between them."""
    canvas.sky(
        [
            (0, mix(palette.deep, palette.mid, 0.4)),
            (0.5, mix(palette.mid, palette.glow, 0.5)),
            (1, mix(palette.deep, palette.mid, 0.3)),
        ]
    )
    x = focus * canvas.aspect
    canvas.glow(x, 0.3, 0.5, palette.glow, 0.8)
    canvas.disc(x, 0.3, 0.07, mix(palette.glow, WHITE, 0.5))
    for layer in range(5):
        near = layer / 4
        paint = mix(mix(palette.mid, palette.glow, 0.3), palette.dark, 0.18 + 0.82 * near**0.9)
        foot = 0.56 + 0.115 * layer
        line = foot + canvas.ridge(0.018, 4)
        trees = int((30 - 4.6 * layer) * canvas.aspect)
        for _ in range(trees):
            at = canvas.random.random() * canvas.aspect
            gap = abs(at - x) / canvas.aspect
            if near > 0.6 and gap < 0.2:
                continue  # a clearing in the light
            size = (0.17 + 0.075 * layer) * (0.7 + 0.6 * canvas.random.random())
            column = min(canvas.width - 1, int(at * canvas.height))
            canvas.stamp(figures.conifer(at, float(line[column]) + 0.02 + 0.09 * size, size, canvas.random), paint)
        canvas.ground(line, paint, fog=mix(palette.mid, palette.glow, 0.2) if near < 0.7 else None, depth=0.3)
        mist = canvas.noise(0.3, 3, stretch=4) * np.exp(-(((canvas.y - foot) / 0.07) ** 2))
        canvas.add_light(mix(palette.mid, palette.glow, 0.5), mist * np.float32(0.5 * (1 - near)))
    canvas.stamp(figures.person(x, 0.95, 0.12), palette.dark)


def desert(canvas: Canvas, palette: Palette, focus: float) -> None:
    """Dunes, each with a lit and a shaded side, under a large sun."""
    draw_sky(canvas, palette, 0.62)
    x = focus * canvas.aspect
    draw_sun(canvas, palette, x, 0.36, 0.17)
    for layer in range(5):
        near = layer / 4
        line = 0.54 + 0.095 * layer + canvas.ridge(0.05 + 0.012 * layer, 2)
        lit = mix(mix(palette.mid, palette.glow, 0.35 - 0.2 * near), palette.dark, 0.62 * near)
        canvas.ground(line, lit)
        crest = line + 0.03 + 0.16 * np.abs(np.sin(2.1 * canvas.x[0] + 6 * canvas.random.random()))
        shade = ((canvas.y - line[None, :]) * canvas.height / 1.4).clip(0, 1) * ((canvas.y - crest[None, :]) * 14).clip(
            0, 1
        )
        canvas.blend(mix(lit, palette.dark, 0.55), shade.astype(np.float32))
        if layer == 2:
            foot = float(line[int((x - 0.16) * canvas.height)])
            canvas.stamp(figures.person(x - 0.16, foot + 0.003, 0.05), palette.dark)


def aurora(canvas: Canvas, palette: Palette, focus: float) -> None:
    """An aurora over snow and a lit hut."""
    canvas.sky([(0, palette.dark), (0.75, mix(palette.deep, palette.dark, 0.3)), (1, palette.deep)])
    canvas.stars(0.7, 0.0012)
    x = focus * canvas.aspect
    for curtain in range(4):
        sway = canvas.ridge(0.09, 3) + 0.5 - 0.075 * curtain
        rays = 0.45 + 0.55 * np.interp(canvas.x[0], np.linspace(0, canvas.aspect, 150), canvas.random.random(150))
        above = sway[None, :] - canvas.y
        veil = np.where(above > 0, np.exp(-above / (0.1 + 0.05 * curtain)), np.exp(above / 0.012))
        light = mix(palette.mid, palette.glow, 0.2) if curtain % 2 else palette.glow
        canvas.add_light(light, (veil * rays[None, :] * 0.5).astype(np.float32))
    for layer in range(3):
        line = 0.66 + 0.1 * layer + canvas.ridge(0.03, 5 - layer)
        canvas.ground(line, mix(mix(palette.mid, palette.deep, 0.55), palette.dark, 0.75 * layer / 2), depth=0.3)
    hut = 0.845
    canvas.glow(x, hut - 0.01, 0.09, palette.glow, 0.5)
    canvas.stamp(
        [
            [
                (x - 0.045, hut + 0.03),
                (x - 0.045, hut - 0.02),
                (x, hut - 0.06),
                (x + 0.045, hut - 0.02),
                (x + 0.045, hut + 0.03),
            ]
        ],
        palette.dark,
    )
    canvas.stamp(
        [[(x - 0.01, hut + 0.008), (x - 0.01, hut - 0.014), (x + 0.01, hut - 0.014), (x + 0.01, hut + 0.008)]],
        mix(palette.glow, (1.0, 0.8, 0.4), 0.6),
    )
    for side in (-0.11, -0.15, 0.09, 0.14, 0.19):
        canvas.stamp(
            figures.conifer(x + side, hut + 0.05, 0.13 + 0.05 * canvas.random.random(), canvas.random), palette.dark
        )
