"""A picture of float pixels, and the drawing operations that all scenes use.

Coordinates: x is from 0 to `aspect`, y from 0 (top) to 1, so a circle is round in poster and backdrop.
Colours are triples from 0 to 1.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image, ImageDraw

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Pixels = NDArray[np.floating[Any]]

Colour = tuple[float, float, float]
_SUPERSAMPLE = 3


def colour(text: str) -> Colour:
    """Return the colour `#rrggbb`."""
    red, green, blue = (int(text[at : at + 2], 16) / 255 for at in (1, 3, 5))
    return red, green, blue


def mix(one: Colour, other: Colour, share: float) -> Colour:
    """Return a mix of two colours with the fraction `share` of `other`."""
    red, green, blue = (a + (b - a) * share for a, b in zip(one, other, strict=True))
    return red, green, blue


class Canvas:
    """Pixels of `width` by `height`, painted from back to front; `random` is the source of all random numbers."""

    def __init__(self, width: int, height: int, seed: int) -> None:
        self.width = width
        self.height = height
        self.aspect = width / height
        self.random = np.random.default_rng(seed)
        self.x: Pixels = (np.arange(width, dtype=np.float32) + 0.5)[None, :] / height
        self.y: Pixels = (np.arange(height, dtype=np.float32) + 0.5)[:, None] / height
        self.pixels: Pixels = np.zeros((height, width, 3), np.float32)

    def sky(self, stops: Sequence[tuple[float, Colour]]) -> None:
        """Fill everything with a vertical gradient through (y, colour) stops."""
        at = [stop[0] for stop in stops]
        for channel in range(3):
            self.pixels[:, :, channel] = np.interp(self.y, at, [stop[1][channel] for stop in stops])

    def blend(self, paint: Colour, mask: Pixels) -> None:
        """Blend `paint` into the picture by `mask` (height by width, 0 to 1)."""
        for channel in range(3):
            plane = self.pixels[:, :, channel]
            plane += (np.float32(paint[channel]) - plane) * mask

    def add_light(self, light: Colour, mask: Pixels) -> None:
        """Add `light` so that bright areas saturate gradually, as on photographic film, instead of clipping."""
        for channel in range(3):
            plane = self.pixels[:, :, channel]
            plane += (1 - plane).clip(0, 1) * np.float32(light[channel]) * mask

    def distance(self, x: float, y: float) -> Pixels:
        """Return the distance of each pixel from a point."""
        away: Pixels = np.hypot(self.x - np.float32(x), self.y - np.float32(y))
        return away

    def glow(self, x: float, y: float, radius: float, light: Colour, strength: float = 1.0) -> None:
        """Add a glow around a point."""
        self.add_light(light, np.float32(strength) * np.exp(-((self.distance(x, y) / np.float32(radius)) ** 2)))

    def disc(self, x: float, y: float, radius: float, paint: Colour) -> None:
        """Paint a disc with a smooth edge."""
        self.blend(paint, ((radius - self.distance(x, y)) * self.height / 1.5).clip(0, 1))

    def stars(self, below: float, density: float = 0.0006) -> None:
        """Scatter stars, dense at the top and none under y = `below`; their number does not depend on the size."""
        count = int(density * 1_000_000 * self.aspect)
        xs = (self.random.random(count) * self.width).astype(int)
        ys = (self.random.random(count) ** 1.5 * below * self.height).astype(int)
        light = (self.random.random(count) ** 3 * 0.9 + 0.08).astype(np.float32)
        size = max(1, round(self.height / 700))
        for step_y in range(size):
            for step_x in range(size):
                rows, columns = (ys + step_y).clip(0, self.height - 1), (xs + step_x).clip(0, self.width - 1)
                self.pixels[rows, columns] += light[:, None] * (1 - self.pixels[rows, columns])

    def noise(self, scale: float, octaves: int = 4, *, stretch: float = 1.0) -> Pixels:
        """Return a cloud mask from 0 to 1; `scale` is the size of the largest cloud, `stretch` widens the clouds."""
        total = np.zeros((self.height, self.width), np.float32)
        weight = 0.0
        for octave in range(octaves):
            size = scale / 2**octave
            cells = (max(2, round(1 / size) + 1), max(2, round(self.aspect / (size * stretch)) + 1))
            grid = Image.fromarray(self.random.random(cells, np.float32), mode="F")
            total += np.asarray(grid.resize((self.width, self.height), Image.Resampling.BICUBIC)) / 2**octave
            weight += 1 / 2**octave
        return total / np.float32(weight)

    def ridge(self, roughness: float, detail: int = 7) -> Pixels:
        """Return a jagged line around 0, one value per column, with peaks of about `roughness`."""
        line = np.zeros(self.width, np.float32)
        x = self.x[0]
        for octave in range(detail):
            frequency, phase, bend = 1.1 * 2.0**octave, self.random.random(), self.random.random()
            wave = np.sin(2 * np.pi * (frequency * x + phase) + 1.8 * np.sin(2 * np.pi * (frequency * x / 2.7 + bend)))
            line += np.float32(roughness / 2.05**octave) * wave
        return line

    def ground(self, line: Pixels, paint: Colour, *, fog: Colour | None = None, depth: float = 0.2) -> None:
        """Fill below `line` (one y per column); `fog` increases downwards over `depth`."""
        under = self.y - line[None, :]
        mask = (under * self.height / 1.4).clip(0, 1)
        self.blend(paint, mask)
        if fog is not None:
            self.blend(fog, mask * (under / depth).clip(0, 1) * np.float32(0.55))

    def stamp(self, shapes: Sequence[Sequence[tuple[float, float]]], paint: Colour) -> None:
        """Fill polygons with smooth edges."""
        points = [point for shape in shapes for point in shape]
        left, top = (min(point[axis] for point in points) for axis in (0, 1))
        right, bottom = (max(point[axis] for point in points) for axis in (0, 1))
        x0, y0 = max(0, int(left * self.height) - 2), max(0, int(top * self.height) - 2)
        x1, y1 = min(self.width, int(right * self.height) + 3), min(self.height, int(bottom * self.height) + 3)
        if x1 <= x0 or y1 <= y0:
            return
        big = Image.new("L", ((x1 - x0) * _SUPERSAMPLE, (y1 - y0) * _SUPERSAMPLE))
        draw = ImageDraw.Draw(big)
        for shape in shapes:
            draw.polygon(
                [((x * self.height - x0) * _SUPERSAMPLE, (y * self.height - y0) * _SUPERSAMPLE) for x, y in shape], 255
            )
        small = np.asarray(big.resize((x1 - x0, y1 - y0), Image.Resampling.BOX), np.float32) / 255
        area = self.pixels[y0:y1, x0:x1]
        area += (np.asarray(paint, np.float32) - area) * small[:, :, None]

    def finish(self, *, grain: float = 0.016, vignette: float = 0.32) -> Image.Image:
        """Return the picture with film grain and vignetting."""
        away = ((self.x / self.aspect - 0.5) ** 2 + (self.y - 0.5) ** 2) * 2
        self.pixels *= (1 - np.float32(vignette) * away)[:, :, None]
        self.pixels += self.random.standard_normal((self.height, self.width, 1), np.float32) * np.float32(grain)
        return Image.fromarray((self.pixels.clip(0, 1) * 255).astype(np.uint8))
