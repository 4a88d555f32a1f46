"""The dependency rule, read from the source: triggers call services, services know models, slices meet at services."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FUNCTIONS = ROOT / "functions"
SLICES = (
    "uploads",
    "encoding",
    "catalogue",
    "accounts",
    "billing",
    "playback",
    "usage",
    "recommendations",
    "health",
    "mail",
)
EDGE = {"triggers", "http"}
OPEN_TO_OTHERS = {"service", "model", "naming", "views", "schemas"}
"""Modules of a slice that another may import: its service, its domain types, and the types of its JSON."""

MODULES = sorted(FUNCTIONS.rglob("*.py"))


def imports(path: Path) -> set[str]:
    """Return the dotted names of all that a module imports, wherever in it."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def name(path: Path) -> str:
    """Return the module's name as a test id."""
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("path", MODULES, ids=name)
def test_azure_functions_is_imported_at_the_edge_only(path: Path) -> None:
    assert path.stem in EDGE or not any(n == "azure.functions" for n in imports(path))


@pytest.mark.parametrize("path", MODULES, ids=name)
def test_only_triggers_reach_for_the_composition_root(path: Path) -> None:
    assert path.stem in {"triggers", "bootstrap"} or "functions.bootstrap" not in imports(path)


@pytest.mark.parametrize("path", MODULES, ids=name)
def test_only_settings_reads_the_environment(path: Path) -> None:
    allowed = {"settings", "ffmpeg"}  # ffmpeg hands PATH on to the processes it starts
    source = path.read_text()
    assert path.stem in allowed or not any(word in source for word in ("os.environ", "os.getenv"))


@pytest.mark.parametrize("path", [p for p in MODULES if p.parent.name in SLICES], ids=name)
def test_a_slice_knows_another_only_by_its_service_and_its_words(path: Path) -> None:
    own = path.parent.name
    for imported in imports(path):
        parts = imported.split(".")
        if len(parts) >= 3 and parts[0] == "functions" and parts[1] in SLICES and parts[1] != own:
            assert parts[2] in OPEN_TO_OTHERS, f"{name(path)} reaches into {imported}"


@pytest.mark.parametrize("path", [p for p in MODULES if p.stem in {"model", "service"}], ids=name)
def test_models_and_services_know_no_vendor(path: Path) -> None:
    vendors = ("azure.", "pymongo", "pymysql", "redis", "neo4j", "requests", "ffmpeg", "paypalrestsdk", "argon2")
    assert not [n for n in imports(path) if n.startswith(vendors)]


@pytest.mark.parametrize("path", MODULES, ids=name)
def test_functions_need_nothing_of_the_local_machine(path: Path) -> None:
    assert not [n for n in imports(path) if n.split(".")[0] in {"infra", "web", "tests"}]


@pytest.mark.parametrize(
    "path",
    [p for folder in ("functions", "infra", "web") for p in sorted((ROOT / folder).rglob("*.py"))],
    ids=name,
)
def test_a_module_says_what_it_is_and_is_not_too_long(path: Path) -> None:
    if "node_modules" in path.parts:
        return
    source = path.read_text()
    assert ast.get_docstring(ast.parse(source)), f"{name(path)} has no docstring"
    assert len(source.splitlines()) <= 400
