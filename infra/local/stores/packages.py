"""The npm packages, installed outside the repository whenever their lock file has changed."""

from __future__ import annotations

import fcntl
import hashlib
import shutil
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from infra.local.home import Home
    from infra.local.processes.service import Run

STAMP = ".lock-hash"


def stores_folder(home: Home) -> Path:
    """Return where the packages of the stores are installed."""
    return home.packages / "npm" / "stores"


def web_folder(home: Home) -> Path:
    """Return where the packages of the site are installed."""
    return home.packages / "npm" / "web"


def captions_folder(home: Home) -> Path:
    """Return where `./notflix` installs the Python environment that makes automatic captions, if they are wanted."""
    return home.packages / "captions"


def tests_folder(home: Home) -> Path:
    """Return where the packages of the tests are installed."""
    return home.packages / "npm" / "tests"


def checks_folder(home: Home) -> Path:
    """Return where the packages of the checks are installed."""
    return home.packages / "npm" / "checks"


def bench_folder(home: Home) -> Path:
    """Return where the packages of the benchmarks are installed."""
    return home.packages / "npm" / "bench"


def players_folder(home: Home) -> Path:
    """Return where the players that only the tests use are installed."""
    return home.packages / "npm" / "players"


def install(source: Path, target: Path, run: Run) -> None:
    """Install the packages of the lock file in `source` into `target/node_modules` unless they are installed."""
    target.mkdir(parents=True, exist_ok=True)
    wanted = hashlib.sha256((source / "package-lock.json").read_bytes()).hexdigest()
    stamp = target / STAMP
    with (target / ".installing").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # two homes can share the folder
        if stamp.exists() and stamp.read_text() == wanted:
            return
        stamp.unlink(missing_ok=True)
        for name in ("package.json", "package-lock.json"):
            shutil.copyfile(source / name, target / name)
        cache = target / "cache"  # not in the user's home folder, which might not be writable
        run(
            *("npm", "ci", "--prefix", str(target), "--cache", str(cache)),
            *("--no-audit", "--no-fund", "--no-update-notifier"),
        )
        shutil.rmtree(cache, ignore_errors=True)
        stamp.write_text(wanted)
