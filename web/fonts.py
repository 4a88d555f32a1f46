"""The font of the site, reduced to what the site shows: half of the bytes, because every page waits for them.

Left out are the weights that no stylesheet uses, the hints for rasterizers of coarse screens, and all features except
kerning and digits of equal width, which tables and times use. The characters stay those of the package: the Latin ones
of Western Europe. Others are shown in a font of the device.
"""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING

from fontTools.subset import Options, Subsetter
from fontTools.ttLib import TTFont
from fontTools.varLib.instancer import instantiateVariableFont

if TYPE_CHECKING:
    from pathlib import Path

WEIGHTS = (400, 900)
"""The lightest and the heaviest weight that the stylesheets name."""

FEATURES = ["kern", "tnum"]


def reduced_font(path: Path) -> bytes:
    """Return a variable font with WEIGHTS and FEATURES only, both as WOFF2; equal files result in equal bytes."""
    font = TTFont(path, recalcTimestamp=False)
    subsetter = Subsetter(Options(layout_features=FEATURES, hinting=False))
    subsetter.populate(unicodes=list(font.getBestCmap()))
    subsetter.subset(font)
    instantiateVariableFont(font, {"wght": WEIGHTS}, inplace=True)
    font.flavor = "woff2"
    reduced = BytesIO()
    font.save(reduced)
    return reduced.getvalue()
