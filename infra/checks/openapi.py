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
    """Return the document of the current code."""
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    new = document([route for each in function_app.SLICES for route in each.routes], version=version)
    old = json.loads(DOCUMENT.read_text(encoding="utf-8"))
    for path, item in old["paths"].items():
        for method, operation in item.items():
            mine = new["paths"].setdefault(path, {})
            if method != "parameters" and method not in mine:
                mine[method] = {**operation, "parameters": item.get("parameters", []) + operation.get("parameters", [])}
    used = _references(new["paths"])
    pool = {**old["components"]["schemas"], **new["components"]["schemas"]}
    while missing := {name for name in used if name not in new["components"]["schemas"]}:
        for name in missing:
            new["components"]["schemas"][name] = pool[name]
        used |= _references(new["components"]["schemas"])
    new["paths"] = dict(sorted(new["paths"].items()))
    new["components"]["schemas"] = dict(sorted(new["components"]["schemas"].items()))
    return new


def _references(part: object) -> set[str]:
    return {piece.split('"')[0] for piece in json.dumps(part).split('"#/components/schemas/')[1:]}


def text() -> str:
    """Return the document as it is stored."""
    return json.dumps(generated(), indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    DOCUMENT.write_text(text(), encoding="utf-8")
