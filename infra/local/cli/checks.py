"""`test`, `check` and `bench`: tests, static checks and benchmarks."""

from __future__ import annotations

import importlib
import os
import pkgutil
import subprocess
import sys
from typing import TYPE_CHECKING

from infra.checks.checkers import Tools, all_checkers, run, select
from infra.checks.documentation import DocumentationBroken, build
from infra.local.home import REPOSITORY, CannotRun, Home
from infra.local.stores.packages import (
    checks_folder,
    install,
    players_folder,
    stores_folder,
    tests_folder,
    web_folder,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path


def run_tests(arguments: Sequence[str]) -> None:
    """Install the npm packages and replace this process by pytest, with all caches outside the repository.

    `--coverage` reports which lines of `functions`, `infra` and `web` ran in the process of the tests.
    """
    home = Home.of()
    for source, target in (
        (REPOSITORY / "infra" / "local", stores_folder(home)),
        (REPOSITORY / "web", web_folder(home)),
        (REPOSITORY / "tests" / "packages", tests_folder(home)),
        (REPOSITORY / "tests" / "e2e" / "packages", players_folder(home)),
        (REPOSITORY / "infra" / "checks", checks_folder(home)),
    ):
        install(source, target, _run)
    (home.path / "caches").mkdir(parents=True, exist_ok=True)
    os.environ["COVERAGE_FILE"] = str(home.path / "caches" / "coverage")
    sys.stdout.flush()
    os.chdir(REPOSITORY)
    os.execv(sys.executable, [sys.executable, "-m", "pytest", *pytest_arguments(arguments, home.path)])


def pytest_arguments(arguments: Sequence[str], home: Path) -> list[str]:
    """Return the arguments for pytest: its cache folder in the home, and the coverage options for `--coverage`.

    `-n auto` lets `tests/conftest.py` decide how many processes run the tests.
    """
    options = ["-o", f"cache_dir={home / 'caches' / 'pytest'}", "-n", "auto"]
    given = [*options, *(each for each in arguments if each != "--coverage")]
    if "--coverage" not in arguments:
        return given
    return ["--cov", "--cov-report=term:skip-covered", f"--cov-report=html:{home / 'coverage'}", *given]


def _run(*argv: str, environment: Mapping[str, str] | None = None) -> None:
    """Run an installation command; raise CannotRun with its output if it fails."""
    whole = {**os.environ, **(environment or {})}
    done = subprocess.run(argv, env=whole, capture_output=True, text=True, check=False)
    if done.returncode:
        raise CannotRun(f"{' '.join(argv[:2])} failed: {done.stderr.strip() or done.stdout.strip()}")


def run_checks(names: Sequence[str] = ()) -> None:
    """Run the checks with these names, or all checks; every check runs even if one fails.

    Raise CannotRun if there is no check with a given name or if a check fails.
    """
    home = Home.of()
    checkers = all_checkers(Tools(npm=checks_folder(home).parent, home=home.path))
    try:
        selected = select(names, checkers)
    except KeyError as error:
        known = ", ".join(checker.name for checker in checkers)
        raise CannotRun(f"There is no check {error.args[0]!r}; there are: {known}.") from None
    for source, target in (
        (REPOSITORY / "infra" / "checks", checks_folder(home)),
        (REPOSITORY / "web", web_folder(home)),
        (REPOSITORY / "tests" / "packages", tests_folder(home)),
    ):
        install(source, target, _run)
    if failed := run(selected):
        raise CannotRun(f"Failed: {', '.join(failed)}.")


def build_documentation() -> None:
    """Build the documentation site and print its first page's path; raise CannotRun if a link in it is broken."""
    home = Home.of()
    install(REPOSITORY / "infra" / "checks", checks_folder(home), _run)
    try:
        first_page = build(REPOSITORY, checks_folder(home), home.path / "docs")
    except DocumentationBroken as error:
        raise CannotRun(str(error)) from None
    sys.stdout.write(f"{first_page}\n")


def run_bench(name: str, arguments: Sequence[str]) -> None:
    """Run the `main` of `tests.bench.<name>`; raise CannotRun with the known names if it does not exist."""
    names = sorted(
        module.name for module in pkgutil.iter_modules([str(REPOSITORY / "tests" / "bench")]) if module.name[0] != "_"
    )
    if name not in names:
        asked = f"There is no benchmark {name!r}" if name else "Name a benchmark"
        raise CannotRun(f"{asked}; there are: {', '.join(names) or 'none yet'}.")
    sys.argv = [f"./notflix bench {name}", *arguments]
    raise SystemExit(importlib.import_module(f"tests.bench.{name}").main())
