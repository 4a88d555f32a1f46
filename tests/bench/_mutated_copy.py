"""The copy of the repository in which mutmut works, and its records of results."""

from __future__ import annotations

import hashlib
import json
import shutil
from typing import TYPE_CHECKING

from infra.checks.files import REPOSITORY, tracked_files

if TYPE_CHECKING:
    from pathlib import Path

LISTING = "files.json"
RECORDS = "exit_code_by_key"


class MutatedCopy:
    """A folder with the repository's files; its subfolder `mutants` contains mutmut's changed copy of them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._mutants = folder / "mutants"
        self._statistics = self._mutants / "mutmut-stats.json"

    @property
    def is_complete(self) -> bool:
        """Return whether mutmut has created the changes, and has found the tests of each function."""
        return self._statistics.exists()

    def refresh(self, configuration: str) -> None:
        """Copy what has changed since the last time; results of earlier code, tests or configuration are dropped."""
        before = self._listing()
        now = {name: _digest(REPOSITORY / name) for name in tracked_files()}
        now["setup.cfg"] = hashlib.sha256(configuration.encode()).hexdigest()
        for name in before.keys() - now.keys():
            (self.folder / name).unlink(missing_ok=True)
            (self._mutants / name).unlink(missing_ok=True)
        changed = {name for name, digest in now.items() if before.get(name) != digest}
        for name in changed - {"setup.cfg"}:
            (self.folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(REPOSITORY / name, self.folder / name)
        (self.folder / "setup.cfg").write_text(configuration, encoding="utf-8")
        if not self.is_complete:  # mutmut was stopped, and would mistake half-written changes for complete ones
            shutil.rmtree(self._mutants, ignore_errors=True)
        elif any(_matters(name) for name in changed | (before.keys() - now.keys())):
            self._forget_results()
        (self.folder / LISTING).write_text(json.dumps(now), encoding="utf-8")

    def results(self) -> dict[str, int | None]:
        """Return the exit code of the tests for each change, None for one that was not tried."""
        found: dict[str, int | None] = {}
        for record in self._records():
            found |= json.loads(record.read_text(encoding="utf-8"))[RECORDS]
        return found

    def _forget_results(self) -> None:
        self._statistics.unlink(missing_ok=True)
        for record in self._records():
            content = json.loads(record.read_text(encoding="utf-8"))
            content[RECORDS] = dict.fromkeys(content[RECORDS])
            record.write_text(json.dumps(content), encoding="utf-8")

    def _records(self) -> list[Path]:
        return sorted((self._mutants / "functions").rglob("*.meta"))

    def _listing(self) -> dict[str, str]:
        listing = self.folder / LISTING
        if not listing.exists():
            shutil.rmtree(self.folder, ignore_errors=True)
            self.folder.mkdir(parents=True)
            return {}
        found: dict[str, str] = json.loads(listing.read_text(encoding="utf-8"))
        return found


def _matters(name: str) -> bool:
    """Return whether a file can change the results of the tests."""
    return name == "setup.cfg" or name.startswith(("functions/", "sql/", "tests/"))


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
