"""`python -m infra.checks.structure`: count the modules of `functions` and the dependencies between them.

A module is a folder of `functions` or a file next to these folders. A module depends on another if any of its files
imports from the other, even inside a function or only for types. Several imports count as one dependency.
"""

from __future__ import annotations

import argparse
import ast
import json
import sys
from typing import TYPE_CHECKING

from infra.checks.files import REPOSITORY

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def modules_of(package: Path) -> list[str]:
    """Return the names of the folders and files at the top of a package, sorted."""
    folders = {path.parent.name for path in package.glob("*/__init__.py")}
    return sorted(folders | {path.stem for path in package.glob("*.py") if path.stem != "__init__"})


def dependencies_of(package: Path) -> list[tuple[str, str]]:
    """Return each pair (importing module, imported module) of a package once, sorted."""
    modules = set(modules_of(package))
    found = set()
    for path in package.rglob("*.py"):
        importing = path.relative_to(package).parts[0].removesuffix(".py")
        for name in _imported_names(path, package.parent):
            first, _, rest = name.partition(".")
            imported = rest.partition(".")[0]
            if first == package.name and imported in modules and imported != importing and importing in modules:
                found.add((importing, imported))
    return sorted(found)


def _imported_names(path: Path, root: Path) -> Iterator[str]:
    """Yield the absolute dotted name of every import in a file."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = path.relative_to(root).parts[: -node.level] if node.level else ()
            source = ".".join((*base, *([node.module] if node.module else [])))
            yield source
            yield from (f"{source}.{alias.name}" for alias in node.names)


def main() -> int:
    """Print the numbers and every dependency."""
    parser = argparse.ArgumentParser(prog="python -m infra.checks.structure")
    parser.add_argument("package", nargs="?", default="functions", help="a folder of the repository with Python files")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    given = parser.parse_args()
    package = REPOSITORY / given.package
    modules, dependencies = modules_of(package), dependencies_of(package)
    if given.json:
        sys.stdout.write(f"{json.dumps({'modules': modules, 'dependencies': dependencies})}\n")
        return 0
    sys.stdout.write(f"{len(modules)} modules, {len(dependencies)} dependencies between them\n")
    for module in modules:
        sys.stdout.write(f"{module} -> {', '.join(to for by, to in dependencies if by == module) or 'nothing'}\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
