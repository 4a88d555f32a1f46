"""Write docs/api/openapi.json from the declarations of the routes: `python -m infra.checks.openapi`."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any

import function_app
from functions.platform.openapi import document

ROOT = Path(__file__).parents[2]
DOCUMENT = ROOT / "docs" / "api" / "openapi.json"


def generated() -> dict[str, Any]:
    """Return the OpenAPI document of the declared routes."""
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    return document([route for each in function_app.SLICES for route in each.routes], version=version)


def text() -> str:
    """Return the document in the form in which it is stored."""
    return json.dumps(generated(), indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    DOCUMENT.write_text(text(), encoding="utf-8")
