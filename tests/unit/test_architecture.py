"""The rules of the architecture, checked in the source code."""

from __future__ import annotations

import ast
from collections import defaultdict
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FUNCTIONS = ROOT / "functions"
SLICES = (
    "accounts",
    "audit",
    "billing",
    "catalogue",
    "encoding",
    "health",
    "mail",
    "pages",
    "people",
    "playback",
    "recommendations",
    "setup",
    "uploads",
    "usage",
)
PLATFORM = "platform"
TRIGGERS = {"triggers", "encoder_triggers", "factor_triggers", "profile_triggers", "report_triggers"}
ROOTS = (
    "bootstrap",
    "bootstrap_av1",
    "bootstrap_captions",
    "bootstrap_intros",
    "bootstrap_renditions",
    "bootstrap_studio",
)
OPEN_TO_OTHERS = {"service", "model", "schemas"}
"""The modules of a slice that other slices may import: its service, its domain types and its response types."""

FORMER_NAMES = {"views", "reading", "gate", "journal", "owners", "keeping", "filling", "settlement", "boxes"}

MODULES = sorted(FUNCTIONS.rglob("*.py"))


def slice_of(path: Path) -> str:
    """Return the folder of `functions` in which a module is, at any depth."""
    return path.relative_to(FUNCTIONS).parts[0]


OF_SLICES = [path for path in MODULES if slice_of(path) in SLICES]
PACKAGES = sorted(path.parent for path in FUNCTIONS.glob("encoding/*/__init__.py"))
"""The packages of the encoding slice."""


def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def imports(path: Path) -> set[str]:
    """Return the dotted names of everything that a module imports, at any level of its code."""
    found: set[str] = set()
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def classes(path: Path) -> list[ast.ClassDef]:
    return [node for node in tree_of(path).body if isinstance(node, ast.ClassDef)]


def name(path: Path) -> str:
    """Return the module's name as a test id."""
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("path", MODULES, ids=name)
def test_azure_functions_is_imported_by_triggers_and_the_platforms_edge_only(path: Path) -> None:
    edge = path.stem in TRIGGERS or path in (FUNCTIONS / PLATFORM / "http.py", FUNCTIONS / PLATFORM / "triggers.py")
    assert edge or "azure.functions" not in imports(path)


@pytest.mark.parametrize("path", MODULES, ids=name)
def test_only_triggers_use_the_composition_root(path: Path) -> None:
    assert path.stem in {*TRIGGERS, *ROOTS} or not imports(path) & {f"functions.{root}" for root in ROOTS}


@pytest.mark.parametrize("path", MODULES, ids=name)
def test_only_settings_reads_the_environment(path: Path) -> None:
    allowed = {"settings", "ffmpeg"}  # ffmpeg passes PATH on to the processes that it starts
    source = path.read_text(encoding="utf-8")
    assert path.stem in allowed or not any(word in source for word in ("os.environ", "os.getenv"))


@pytest.mark.parametrize("path", sorted((FUNCTIONS / PLATFORM).glob("*.py")), ids=name)
def test_the_platform_imports_no_slice(path: Path) -> None:
    assert not [n for n in imports(path) if n.startswith("functions.") and n.split(".")[1] != PLATFORM]


@pytest.mark.parametrize("path", OF_SLICES, ids=name)
def test_a_slice_uses_another_through_its_service_and_domain_types(path: Path) -> None:
    for imported in imports(path):
        parts = imported.split(".")
        if len(parts) >= 3 and parts[0] == "functions" and parts[1] in SLICES and parts[1] != slice_of(path):
            assert parts[2] in OPEN_TO_OTHERS, f"{name(path)} reaches into {imported}"


@pytest.mark.parametrize("path", OF_SLICES, ids=name)
def test_protocols_are_ports(path: Path) -> None:
    """Other slices cannot import a Protocol in `ports`, so no slice can use another slice's store."""
    protocols = [each.name for each in classes(path) if any(ast.unparse(base) == "Protocol" for base in each.bases)]
    assert path.stem == "ports" or not protocols, f"move {', '.join(protocols)} to ports.py"


@pytest.mark.parametrize("root", ROOTS)
def test_a_composition_root_joins_assemblies_and_holds_no_store(root: str) -> None:
    path = FUNCTIONS / f"{root}.py"
    of_slices = {n.split(".")[2] for n in imports(path) if n.count(".") >= 2 and n.split(".")[1] in SLICES}
    assert "assembly" in of_slices and not of_slices & {"repository", "ports", "schemas"}
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 150


@pytest.mark.parametrize("slice_name", SLICES)
def test_what_an_assembly_offers_to_others_holds_no_store(slice_name: str) -> None:
    path = FUNCTIONS / slice_name / "assembly.py"
    stores = {
        alias.asname or alias.name
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.ImportFrom) and node.module
        for alias in node.names
        if node.module.rpartition(".")[2] in ("repository", "ports")
    }
    for each in classes(path):
        for field in each.body:
            if isinstance(field, ast.AnnAssign) and each.name.endswith("Services"):
                used = {node.id for node in ast.walk(field.annotation) if isinstance(node, ast.Name)}
                assert not used & stores, f"{each.name}.{ast.unparse(field.target)} is a store"


def test_the_packages_of_encoding_form_no_circle_and_formats_needs_none_of_them() -> None:
    uses = {
        package.name: {
            parts[2]
            for path in package.glob("*.py")
            for parts in (imported.split(".") for imported in imports(path))
            if parts[:2] == ["functions", "encoding"] and len(parts) > 2 and parts[2] != package.name
        }
        for package in PACKAGES
    }
    assert uses["formats"] == set()
    assert tuple(TopologicalSorter({package: used & uses.keys() for package, used in uses.items()}).static_order())


def test_each_package_of_the_functions_is_a_slice_or_the_platform() -> None:
    assert {path.parent.name for path in FUNCTIONS.glob("*/__init__.py")} == {*SLICES, PLATFORM}


@pytest.mark.parametrize("slice_name", SLICES)
def test_slices_have_the_same_shape(slice_name: str) -> None:
    names = {path.stem for path in (FUNCTIONS / slice_name).glob("*.py")}
    assert {"triggers", "service", "assembly"} <= names
    assert not names & FORMER_NAMES


def test_a_class_name_means_one_thing() -> None:
    places: dict[str, list[str]] = defaultdict(list)
    for path in MODULES:
        for each in classes(path):
            places[each.name].append(name(path))
    assert {kind: where for kind, where in places.items() if len(where) > 1 and not kind.startswith("_")} == {}


@pytest.mark.parametrize(
    ("word", "home"),
    [
        ("PyMongoError", "platform/mongo.py"),
        ("RedisError", "platform/redis.py"),
        ("MySQLError", "platform/mysql"),
        ("get_body", "platform/"),
        ("urlsafe_b64encode", "platform/pagination.py"),
        ("strftime", "nowhere"),
        ("%Y-%m-%dT", "platform/time.py"),
        ("queue_output", "nowhere"),
    ],
)
def test_what_is_shared_stands_once(word: str, home: str) -> None:
    users = [name(path) for path in MODULES if word in path.read_text(encoding="utf-8")]
    assert [user for user in users if not user.startswith(f"functions/{home}")] == []


@pytest.mark.parametrize("path", [p for p in MODULES if p.stem in {"model", "service", "ports"}], ids=name)
def test_models_and_services_know_no_vendor(path: Path) -> None:
    vendors = ("azure.", "pymongo", "pymysql", "redis", "neo4j", "requests", "ffmpeg", "paypalrestsdk", "argon2")
    assert not [n for n in imports(path) if n.startswith(vendors)]


@pytest.mark.parametrize("path", MODULES, ids=name)
def test_functions_need_nothing_of_the_local_machine(path: Path) -> None:
    assert not [n for n in imports(path) if n.split(".")[0] in {"infra", "web", "tests"}]


WITH_TESTS = [
    path
    for folder in ("functions", "infra", "web", "tests")
    for path in sorted((ROOT / folder).rglob("*.py"))
    if "node_modules" not in path.parts
]


@pytest.mark.parametrize("path", WITH_TESTS, ids=name)
def test_a_module_has_a_docstring_and_at_most_400_lines(path: Path) -> None:
    assert ast.get_docstring(tree_of(path)), f"{name(path)} has no docstring"
    lines = len(path.read_text(encoding="utf-8").splitlines())
    assert lines <= 400, f"{name(path)} has {lines} lines: split it by subject"


@pytest.mark.parametrize("path", MODULES, ids=name)
def test_types_are_read_with_the_module_that_is_safe_in_several_threads(path: Path) -> None:
    """See functions/platform/decoding.py: msgspec alone can crash the process."""
    reads = {"msgspec.convert", "msgspec.json.decode", "msgspec.json.Decoder", "msgspec.msgpack.Decoder"}
    called = {ast.unparse(node.func) for node in ast.walk(tree_of(path)) if isinstance(node, ast.Call)}
    assert path.stem == "decoding" or not called & reads, f"{name(path)} calls {', '.join(sorted(called & reads))}"
