"""Draws the title on a poster in the largest size that fits, over a darkened background for legibility.

The fonts come from the site's npm packages; if they are not installed, Pillow's default font is used.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from PIL import Image, ImageDraw, ImageFont

if TYPE_CHECKING:
    from pathlib import Path

    Font = ImageFont.FreeTypeFont | ImageFont.ImageFont

FACES = {
    "bebas": "bebas-neue/files/bebas-neue-latin-400-normal.woff2",
    "playfair": "playfair-display/files/playfair-display-latin-900-normal.woff2",
    "righteous": "righteous/files/righteous-latin-400-normal.woff2",
    "cinzel": "cinzel/files/cinzel-latin-700-normal.woff2",
    "syne": "syne/files/syne-latin-800-normal.woff2",
}
_CAPITALS = {"bebas", "cinzel", "syne"}
_LEADING = {"bebas": 0.92, "playfair": 1.05, "righteous": 1.06, "cinzel": 1.12, "syne": 1.08}


@dataclass(frozen=True, slots=True)
class Billing:
    """The text on a poster: the title, and the names above or below it."""

    title: str
    names: tuple[str, ...]
    line: str


@cache
def font(packages: Path, face: str, size: int) -> Font:
    """Return a font in a size in pixels."""
    path = packages / "@fontsource" / FACES[face]
    return ImageFont.truetype(path, size) if path.is_file() else ImageFont.load_default(size)


def wrap(words: list[str], face: Font, width: float) -> list[str] | None:
    """Return the words in lines no wider than `width`, or None if one word is too wide."""
    lines: list[str] = []
    for word in words:
        if face.getlength(word) > width:
            return None
        if lines and face.getlength(f"{lines[-1]} {word}") <= width:
            lines[-1] += f" {word}"
        else:
            lines.append(word)
    return lines


def fit(title: str, packages: Path, face: str, width: float, height: float) -> tuple[Font, int, list[str]]:
    """Return font, size and lines of the largest text that fits `width` and `height`."""
    words = (title.upper() if face in _CAPITALS else title).split()
    for size in range(int(height), 11, -2):
        used = font(packages, face, size)
        lines = wrap(words, used, width)
        if lines is not None and len(lines) * size * _LEADING[face] <= height:
            return used, size, lines
    return font(packages, face, 12), 12, [" ".join(words)]


def set_poster(picture: Image.Image, billing: Billing, packages: Path, face: str, *, top: bool) -> Image.Image:
    """Return the picture with its billing; the title is at the `top` or at the bottom."""
    width, height = picture.size
    veil = Image.linear_gradient("L").resize(picture.size)
    if top:
        veil = veil.transpose(Image.Transpose.FLIP_TOP_BOTTOM)
    picture = Image.composite(
        Image.new("RGB", picture.size, "#050507"), picture, veil.point(lambda value: max(0, value - 105) * 1.05)
    )
    draw = ImageDraw.Draw(picture)
    used, size, lines = fit(billing.title, packages, face, width * 0.84, height * 0.24)
    leading = round(size * _LEADING[face])
    small = font(packages, "bebas", round(height * 0.027))
    y = round(height * 0.1) if top else round(height * 0.89) - len(lines) * leading
    for line in lines:
        draw.text((width / 2, y), line, font=used, fill="#fdfaf4", anchor="ma")
        y += leading
    names = "     ".join(name.upper() for name in billing.names)
    draw.text((width / 2, height * 0.045), names, font=small, fill="#f1ece2", anchor="ma")
    draw.text((width / 2, height * 0.935), billing.line.upper(), font=small, fill="#d9d3c8", anchor="ma")
    return picture
