"""`test`, `check` and `bench`: what is run against the source."""

from __future__ import annotations

import importlib
import os
import pkgutil
import subprocess
import sys
from typing import TYPE_CHECKING

from infra.local.stores.home import REPOSITORY, CannotRun, Home
from infra.local.stores.packages import install, stores_folder, tests_folder, web_folder

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


def run_tests(arguments: Sequence[str]) -> None:
    """Install the npm packages and become pytest, caches kept out of the repository; its summary is the last line."""
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
    """Run a step of an installation; raise CannotRun with what it said if it fails."""
    whole = {**os.environ, **(environment or {})}
    done = subprocess.run(argv, env=whole, capture_output=True, text=True, check=False)
    if done.returncode:
        raise CannotRun(f"{' '.join(argv[:2])} failed: {done.stderr.strip() or done.stdout.strip()}")


def run_checks() -> None:
    """Run every checker even if one finds something; raise SystemExit(1) if any did."""
    caches = Home.of().path / "caches"
    checkers = (
        ("ruff", "check", "--cache-dir", str(caches / "ruff"), "."),
        ("ruff", "format", "--check", "--cache-dir", str(caches / "ruff"), "."),
        ("mypy", "--cache-dir", str(caches / "mypy")),
    )
    found = [subprocess.run([sys.executable, "-m", *checker], cwd=REPOSITORY, check=False) for checker in checkers]
    if any(each.returncode for each in [*found, *check_javascript()]):
        raise SystemExit(1)


def check_javascript() -> list[subprocess.CompletedProcess[bytes]]:
    """Lint and type-check the site's scripts and their tests with the pinned tools of `tests/packages`."""
    home = Home.of()
    install(REPOSITORY / "web", web_folder(home), _run)
    install(REPOSITORY / "tests" / "packages", tests_folder(home), _run)
    tools, site = tests_folder(home) / "node_modules", web_folder(home) / "node_modules"
    environment = {**os.environ, "NODE_PATH": str(tools)}
    roots = f"{tools / '@types'},{site}"
    checkers = (
        ("eslint", "--max-warnings", "0", "eslint.config.cjs", "web/js", "tests/unit/web"),
        ("tsc", "--project", "web", "--typeRoots", roots),
        ("tsc", "--project", "tests/unit/web", "--typeRoots", roots),
    )
    return [
        subprocess.run([tools / ".bin" / name, *arguments], cwd=REPOSITORY, env=environment, check=False)
        for name, *arguments in checkers
    ]


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
