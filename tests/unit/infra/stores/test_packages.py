"""npm packages are installed once for each state of their lock file, which pins their contents."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from infra.local.home import REPOSITORY, CannotRun
from infra.local.stores.packages import install

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


class Npm:
    """Replaces the npm command: counts its runs, and fails if `fails` is set."""

    def __init__(self) -> None:
        self.runs = 0
        self.fails = False

    def __call__(self, *argv: str, environment: Mapping[str, str] | None = None) -> None:
        self.runs += 1
        if self.fails:
            raise CannotRun("npm ended with exit code 1.")


@pytest.fixture
def source(tmp_path: Path) -> Path:
    folder = tmp_path / "source"
    folder.mkdir()
    (folder / "package.json").write_text("{}")
    (folder / "package-lock.json").write_text('{"lockfileVersion": 3}')
    return folder


def test_packages_are_installed_once_for_each_state_of_the_lock(source: Path, tmp_path: Path) -> None:
    npm = Npm()
    install(source, tmp_path / "target", npm)
    install(source, tmp_path / "target", npm)
    assert npm.runs == 1
    (source / "package-lock.json").write_text('{"lockfileVersion": 3, "packages": {}}')
    install(source, tmp_path / "target", npm)
    assert npm.runs == 2
    assert (tmp_path / "target" / "package-lock.json").read_text() == (source / "package-lock.json").read_text()


def test_install_that_failed_is_done_again(source: Path, tmp_path: Path) -> None:
    npm = Npm()
    npm.fails = True
    with pytest.raises(CannotRun):
        install(source, tmp_path / "target", npm)
    npm.fails = False
    install(source, tmp_path / "target", npm)
    assert npm.runs == 2


@pytest.mark.parametrize("folder", ["infra/local", "web"])
def test_lock_pins_contents_and_names_no_registry(folder: str) -> None:
    lock = json.loads((REPOSITORY / folder / "package-lock.json").read_text())
    packages = {name: entry for name, entry in lock["packages"].items() if name}
    assert packages
    assert not [name for name, entry in packages.items() if "resolved" in entry]
    assert not [name for name, entry in packages.items() if not entry.get("integrity", "").startswith("sha512-")]
