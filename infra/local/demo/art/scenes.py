"""All scenes by name. Each paints one kind of place; the same palette and seed always give the same picture."""

from __future__ import annotations

from typing import TYPE_CHECKING

from infra.local.demo.art.canvas import Canvas
from infra.local.demo.art.land import aurora, desert, forest, ridges
from infra.local.demo.art.light import PALETTES
from infra.local.demo.art.people import city, papercut, rays, road, space
from infra.local.demo.art.water import beacon, sea

if TYPE_CHECKING:
    from collections.abc import Callable

    from infra.local.demo.art.light import Palette

SCENES: dict[str, Callable[[Canvas, Palette, float], None]] = {
    scene.__name__: scene for scene in (ridges, sea, city, forest, desert, space, aurora, beacon, papercut, rays, road)
}


def paint(scene: str, palette: str, *, size: tuple[int, int], seed: int, focus: float) -> Canvas:
    """Return a canvas with the scene; `focus` is the position of the light as a fraction of the width."""
    canvas = Canvas(*size, seed)
    SCENES[scene](canvas, PALETTES[palette], focus)
    return canvas
