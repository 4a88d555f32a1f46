"""Posters of the simulator: a sky, a sun, ridges and the title of the film."""

from __future__ import annotations

import hashlib
import io
import math
import random
import textwrap

from PIL import Image, ImageDraw, ImageFont

WIDTH, HEIGHT = 600, 900
_PALETTES = (
    ("#0b1026", "#5a2a6b", "#ff7b54"),
    ("#06283d", "#14747c", "#ffd166"),
    ("#2b0f1c", "#8c2f39", "#ffb057"),
    ("#0c2118", "#2c6e49", "#dff2a8"),
    ("#1a1033", "#5b3da8", "#ff8fd0"),
)


def draw_poster(name: str, year: str) -> bytes:
    """Return a JPEG poster, always the same for the same film."""
    chance = random.Random(hashlib.sha256(name.encode()).digest())
    dark, mid, glow = (_rgb(colour) for colour in chance.choice(_PALETTES))
    image = Image.new("RGB", (WIDTH, HEIGHT))
    draw = ImageDraw.Draw(image)
    for y in range(HEIGHT):
        draw.line(((0, y), (WIDTH, y)), fill=_mixed(dark, mid, y / HEIGHT))
    _draw_sun(image, (chance.uniform(0.3, 0.7) * WIDTH, chance.uniform(0.28, 0.4) * HEIGHT), glow)
    for layer in range(5):
        _draw_ridge(draw, chance, layer, _mixed(_mixed(mid, glow, 0.35), dark, (layer + 1) / 5))
    _write(draw, name, year)
    out = io.BytesIO()
    image.save(out, "JPEG", quality=88)
    return out.getvalue()


def _draw_sun(image: Image.Image, centre: tuple[float, float], colour: tuple[int, int, int]) -> None:
    mask = Image.new("L", image.size)
    halo = ImageDraw.Draw(mask)
    for radius, strength in ((260, 18), (200, 36), (150, 64), (95, 235)):
        x, y = centre
        halo.ellipse((x - radius, y - radius, x + radius, y + radius), fill=strength)
    image.paste(colour, (0, 0), mask)


def _draw_ridge(draw: ImageDraw.ImageDraw, chance: random.Random, layer: int, colour: tuple[int, int, int]) -> None:
    base, waves = HEIGHT * (0.5 + 0.09 * layer), [(chance.uniform(1, 7), chance.uniform(0, math.tau)) for _ in range(4)]
    ridge = [
        (x, base + sum(60 / (n + 1.5) * math.sin(x / WIDTH * often + shift) for n, (often, shift) in enumerate(waves)))
        for x in range(0, WIDTH + 1, 4)
    ]
    draw.polygon([*ridge, (WIDTH, HEIGHT), (0, HEIGHT)], fill=colour)


def _write(draw: ImageDraw.ImageDraw, name: str, year: str) -> None:
    lines = textwrap.wrap(name.upper(), 13) or [name]
    size = min(86, int(1.45 * (WIDTH - 80) / max(len(line) for line in lines)))
    font = ImageFont.load_default(size)
    y = HEIGHT - 110 - len(lines) * size * 1.1
    for line in lines:
        draw.text((WIDTH / 2, y), line, font=font, anchor="ma", fill="white", stroke_width=1, stroke_fill="white")
        y += size * 1.1
    draw.text((WIDTH / 2, HEIGHT - 80), year, font=ImageFont.load_default(30), anchor="ma", fill=(255, 255, 255))


def _rgb(colour: str) -> tuple[int, int, int]:
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def _mixed(one: tuple[int, int, int], other: tuple[int, int, int], share: float) -> tuple[int, int, int]:
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(one, other, strict=True))
    return red, green, blue
