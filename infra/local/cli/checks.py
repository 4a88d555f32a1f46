"""`test`, `check` and `bench`: tests, static checks and benchmarks."""

from __future__ import annotations

import importlib
import os
import pkgutil
import subprocess
import sys
from typing import TYPE_CHECKING

from infra.local.home import REPOSITORY, CannotRun, Home
from infra.local.stores.packages import install, stores_folder, tests_folder, web_folder

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


def run_tests(arguments: Sequence[str]) -> None:
    """Install the npm packages and run pytest with its cache outside the repository; its summary is the last line."""
    home = Home.of()
    for source, target in (
        (REPOSITORY / "infra" / "local", stores_folder(home)),
        (REPOSITORY / "web", web_folder(home)),
        (REPOSITORY / "tests" / "packages", tests_folder(home)),
    ):
        install(source, target, _run)
    caches = home.path / "caches"
    caches.mkdir(parents=True, exist_ok=True)
    sys.stdout.flush()
    os.chdir(REPOSITORY)
    os.execv(sys.executable, [sys.executable, "-m", "pytest", "-o", f"cache_dir={caches / 'pytest'}", *arguments])


def _run(*argv: str, environment: Mapping[str, str] | None = None) -> None:
    """Run an installation command; raise CannotRun with its output if it fails."""
    whole = {**os.environ, **(environment or {})}
    done = subprocess.run(argv, env=whole, capture_output=True, text=True, check=False)
    if done.returncode:
        raise CannotRun(f"{' '.join(argv[:2])} failed: {done.stderr.strip() or done.stdout.strip()}")


def run_checks() -> None:
    """Run all checkers; raise SystemExit(1) if any of them fails."""
    caches = Home.of().path / "caches"
    checkers = (
        ("ruff", "check", "--cache-dir", str(caches / "ruff"), "."),
        ("ruff", "format", "--check", "--cache-dir", str(caches / "ruff"), "."),
        ("mypy", "--cache-dir", str(caches / "mypy")),
    )
    found = [subprocess.run([sys.executable, "-m", *checker], cwd=REPOSITORY, check=False) for checker in checkers]
    if any(each.returncode for each in found):
        raise SystemExit(1)


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
