"""The documentation site in Chromium: diagrams are rendered, and nothing is loaded from another host."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from infra.checks.documentation import build
from infra.checks.files import REPOSITORY
from infra.local.home import Home
from infra.local.stores.packages import checks_folder

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import Browser

DRAWING = """
```mermaid
graph LR
  upload --> encode --> publish
```
"""


def test_a_drawing_is_rendered_by_the_sites_own_files(browser: Browser, tmp_path: Path) -> None:
    shutil.copytree(REPOSITORY / "docs", tmp_path / "docs")
    shutil.copyfile(REPOSITORY / "mkdocs.yml", tmp_path / "mkdocs.yml")
    with (tmp_path / "docs" / "index.md").open("a") as document:
        document.write(DRAWING)
    first = build(tmp_path, checks_folder(Home.of()), tmp_path / "built")
    page = browser.new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(first.as_uri())
    drawing = page.locator("div.mermaid")
    drawing.wait_for(state="visible")
    box = drawing.bounding_box()
    assert box and box["width"] > 100
    assert asked
    assert all(address.startswith(("file:", "data:", "blob:")) for address in asked), asked
    page.close()
