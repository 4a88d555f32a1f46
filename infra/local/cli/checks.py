"""`test`, `check` and `bench`: what is run against the source."""

from __future__ import annotations

import importlib
import os
import pkgutil
import subprocess
import sys
from typing import TYPE_CHECKING

from infra.local.stores.home import REPOSITORY, CannotRun, Home

if TYPE_CHECKING:
    from collections.abc import Sequence


def run_tests(arguments: Sequence[str]) -> None:
    """Become pytest, its caches kept out of the repository; its summary is the last line."""
    caches = Home.of().path / "caches"
    caches.mkdir(parents=True, exist_ok=True)
    sys.stdout.flush()
    os.chdir(REPOSITORY)
    os.execv(sys.executable, [sys.executable, "-m", "pytest", "-o", f"cache_dir={caches / 'pytest'}", *arguments])


def run_checks() -> None:
    """Run every checker even if one finds something; raise SystemExit(1) if any did."""
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
    """Run the `main` of `tests.bench.<name>`; raise CannotRun, naming those there are, if there is no such."""
    names = sorted(
        module.name for module in pkgutil.iter_modules([str(REPOSITORY / "tests" / "bench")]) if module.name[0] != "_"
    )
    if name not in names:
        asked = f"There is no benchmark {name!r}" if name else "Name a benchmark"
        raise CannotRun(f"{asked}; there are: {', '.join(names) or 'none yet'}.")
    sys.argv = [f"./notflix bench {name}", *arguments]
    raise SystemExit(importlib.import_module(f"tests.bench.{name}").main())
