"""Locks of Python requirements: each `requirements.in` names packages, and `requirements.txt` next to it locks all
dependencies.

`python -m infra.checks.locks` compares them without network access; `./notflix lock` compiles the locks with uv.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from infra.checks.files import REPOSITORY

SOURCES = (
    "requirements.in",
    "infra/local/requirements.in",
    "tests/requirements.in",
    "infra/checks/requirements.in",
    "tests/security/requirements.in",
    "tests/mutation/requirements.in",
    "infra/azure/requirements.in",
    "infra/captions/requirements.in",
    "infra/checks/azure_cli/requirements.in",
)
"""In the order of compilation: a later source includes an earlier one and uses the versions of the earlier lock."""

_PINNED = re.compile(r"(?P<name>[A-Za-z0-9._-]+)==(?P<version>[^\s;\\]+)\s*(?:;\s*(?P<marker>[^\\]+))?")
_REASON = re.compile(r"\s+#\s+(?:via\s+)?(?P<reason>\S.*)")


@dataclass(frozen=True, slots=True)
class Locked:
    """One package of a lock: its exact version, the number of its hashes, and the packages or files that require it."""

    version: str
    hashes: int
    reasons: frozenset[str]


def lock_of(source: Path) -> Path:
    """Return the path of a source's lock."""
    return source.with_suffix(".txt")


def read_source(source: Path) -> dict[str, tuple[str, Path]]:
    """Return the version of each package that a source or an included source names, and the file that names it.

    Raise ValueError on a line that is neither `name==version` nor `-r` nor `-c`: only exact versions are accepted.
    """
    wanted: dict[str, tuple[str, Path]] = {}
    for line in source.read_text(encoding="utf-8").splitlines():
        text = line.partition("#")[0].strip()
        if text.startswith("-r "):
            wanted |= read_source((source.parent / text.removeprefix("-r ").strip()).resolve())
        elif text and not text.startswith("-c "):
            pinned = _PINNED.fullmatch(text)
            if pinned is None:
                raise ValueError(f"{source.name}: not an exact version: {text}")
            wanted[_canonical(pinned["name"])] = (pinned["version"], source)
    return wanted


def read_lock(lock: Path, root: Path = REPOSITORY) -> dict[str, Locked]:
    """Return the packages of a lock by canonical name; a reason is a package, or `-r` and a path relative to `root`."""
    packages: dict[str, Locked] = {}
    name, version, hashes, reasons = "", "", 0, set[str]()
    for line in [*lock.read_text(encoding="utf-8").splitlines(), "end==0"]:
        if pinned := _PINNED.match(line):
            if name:
                packages[name] = Locked(version, hashes, frozenset(reasons))
            name, version, hashes, reasons = _canonical(pinned["name"]), pinned["version"], 0, set()
        elif "--hash=sha256:" in line:
            hashes += 1
        elif name and (reason := _REASON.fullmatch(line)) and reason["reason"] != "via":
            flag, _, path = reason["reason"].rpartition(" ")
            reasons.add(f"{flag} {os.path.normpath(path)}" if flag else _canonical(path))
    return packages


def problems(root: Path = REPOSITORY) -> list[str]:
    """Return one sentence for each way in which a lock does not match its source; an empty list if all match."""
    found = []
    for name in SOURCES:
        source = root / name
        lock = lock_of(source)
        if not lock.exists():
            found.append(f"{lock.relative_to(root)} is missing.")
            continue
        found += [f"{lock.relative_to(root)}: {each}" for each in _differences(source, lock, root)]
    return found


def _differences(source: Path, lock: Path, root: Path) -> list[str]:
    """Return the differences between a lock and its source, and between the lock and those that limit the source."""
    wanted, locked = read_source(source), read_lock(lock, root)
    found = []
    for name, (version, _) in wanted.items():
        if name not in locked:
            found.append(f"{name} is not locked.")
        elif locked[name].version != version:
            found.append(f"{name} is {locked[name].version}, its source says {version}.")
    for name, package in locked.items():
        if not package.hashes:
            found.append(f"{name} has no hash.")
        for reason in package.reasons:
            flag, _, path = reason.rpartition(" ")
            if flag == "-r" and wanted.get(name, ("", root))[1] != (root / path).resolve():
                found.append(f"{name} is no longer in {path}.")
            if not flag and reason not in locked:
                found.append(f"{name} is needed by {reason}, which is not locked.")
    for constraint in re.findall(r"^-c (\S+)", source.read_text(encoding="utf-8"), re.MULTILINE):
        other = read_lock((source.parent / constraint).resolve(), root)
        found += [
            f"{name} is {package.version}, but {other[name].version} in {constraint}."
            for name, package in locked.items()
            if name in other and other[name].version != package.version
        ]
    if re.search(r"https?://|--(?:extra-)?index-url|--find-links", lock.read_text(encoding="utf-8")):
        found.append("names a package index; a lock names packages only.")
    return found


def compile_locks(*arguments: str) -> None:
    """Compile every lock for Linux on any processor; `--upgrade` selects the newest versions of indirect packages.

    Raise subprocess.CalledProcessError if uv finds no matching versions.
    """
    for name in SOURCES:
        subprocess.run(
            [
                sys.executable, "-m", "uv", "pip", "compile", "--quiet", "--universal", "--python-version", "3.13",
                "--generate-hashes", "--no-emit-index-url", "--no-emit-find-links",
                "--custom-compile-command", "./notflix lock",
                *arguments, name, "--output-file", str(lock_of(Path(name))),
            ],
            cwd=REPOSITORY,
            check=True,
            stdout=subprocess.DEVNULL,
        )  # fmt: skip


def _canonical(name: str) -> str:
    """Return a package's name in normalized form, as package indexes compare it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def main() -> int:
    """Print every mismatch; return 1 if there is any."""
    found = problems()
    for each in found:
        sys.stdout.write(f"{each} Run ./notflix lock.\n")
    return 1 if found else 0


if __name__ == "__main__":
    raise SystemExit(main())
