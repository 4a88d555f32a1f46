"""The font of the site: smaller than the package's, and equal to it in all that the site shows."""

from __future__ import annotations

import re
from io import BytesIO
from typing import TYPE_CHECKING

import pytest
from fontTools.pens.recordingPen import DecomposingRecordingPen
from fontTools.ttLib import TTFont
from fontTools.varLib.instancer import instantiateVariableFont

from infra.local.home import Home
from infra.local.stores.packages import web_folder
from web.assets import VENDOR
from web.build import WEB
from web.fonts import FEATURES, WEIGHTS, reduced_font

if TYPE_CHECKING:
    from pathlib import Path

ROUNDING = 1
"""By how many units of 2,048 in an em a point may move, because the points of fewer weights are stored."""


@pytest.fixture(scope="module")
def package() -> Path:
    return web_folder(Home.of()) / "node_modules" / VENDOR["vendor/inter.woff2"]


@pytest.fixture(scope="module")
def reduced(package: Path) -> bytes:
    return reduced_font(package)


def outline(font: TTFont, character: str) -> list[tuple[float, float]]:
    """Return the points of a character."""
    glyphs = font.getGlyphSet()
    pen = DecomposingRecordingPen(glyphs)
    glyphs[font.getBestCmap()[ord(character)]].draw(pen)
    return [point for _, points in pen.value for point in points if point]


def test_it_has_half_of_the_bytes_and_the_same_characters(package: Path, reduced: bytes) -> None:
    assert len(reduced) <= package.stat().st_size / 2
    assert TTFont(BytesIO(reduced)).getBestCmap().keys() == TTFont(package).getBestCmap().keys()


@pytest.mark.parametrize("weight", [400, 650, 900])
def test_characters_look_and_measure_the_same(weight: int, package: Path, reduced: bytes) -> None:
    before, after = (instantiateVariableFont(TTFont(file), {"wght": weight}) for file in (package, BytesIO(reduced)))
    for character in "AgQß8é€“":
        points = zip(outline(before, character), outline(after, character), strict=True)
        assert all(abs(a - b) <= ROUNDING for old, new in points for a, b in zip(old, new, strict=True)), character
        name = before.getBestCmap()[ord(character)]
        assert before["hmtx"][name][0] == pytest.approx(after["hmtx"][after.getBestCmap()[ord(character)]][0], abs=1)


def test_pairs_are_kerned_and_digits_can_have_equal_widths(reduced: bytes) -> None:
    font = TTFont(BytesIO(reduced))
    found = {record.FeatureTag for table in ("GPOS", "GSUB") for record in font[table].table.FeatureList.FeatureRecord}
    assert found == set(FEATURES)


def test_it_has_the_weights_that_stylesheets_name(reduced: bytes) -> None:
    (axis,) = TTFont(BytesIO(reduced))["fvar"].axes
    assert (axis.minValue, axis.maxValue) == WEIGHTS
    rules = "".join(path.read_text(encoding="utf-8") for path in (WEB / "css").glob("*.css"))
    named = {int(weight) for weight in re.findall(r"font-weight: (\d+)[;}]", rules)}
    assert WEIGHTS[0] <= min(named) <= max(named) <= WEIGHTS[1]
    assert 'url("../vendor/inter.woff2") format("woff2"); font-weight: 400 900;' in rules


def test_other_features_are_not_used() -> None:
    rules = "".join(path.read_text(encoding="utf-8") for path in (WEB / "css").glob("*.css"))
    assert set(re.findall(r"font-variant[a-z-]*: ([^;}]+)", rules)) <= {"tabular-nums"}
    assert not re.findall(r"font-feature-settings", rules)
