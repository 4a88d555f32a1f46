"""The folder of a local product, its base port, and how faults of its disk are explained."""

from __future__ import annotations

import shutil
import stat
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest

from infra.local.home import REPOSITORY, CannotRun, Home, write_private

if TYPE_CHECKING:
    from pathlib import Path


def test_home_is_beside_the_source_unless_told_otherwise() -> None:
    assert Home.of({}).path == REPOSITORY / ".notflix"


def test_two_homes_may_share_their_packages(tmp_path: Path) -> None:
    home = Home.of({"NOTFLIX_HOME": str(tmp_path / "one"), "NOTFLIX_PACKAGES": str(tmp_path / "shared")})
    assert (home.path, home.packages) == (tmp_path / "one", tmp_path / "shared")


@pytest.mark.parametrize("text", ["seven", "80", "70000", "-1", "7 070"])
def test_port_base_that_cannot_be_used_is_refused_with_its_value(text: str) -> None:
    with pytest.raises(CannotRun, match="NOTFLIX_PORT_BASE") as refused:
        Home.of({"NOTFLIX_PORT_BASE": text})
    assert text in str(refused.value)


def test_nearly_full_disk_is_told_in_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(free=400_000_000))
    with pytest.raises(CannotRun, match=r"Only 0\.4 GB is free under .* needs 1 GB"):
        Home.of({"NOTFLIX_HOME": str(tmp_path)}).make()


def test_home_that_cannot_be_made_is_told_in_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(CannotRun, match="cannot be written"):
        Home.of({"NOTFLIX_HOME": str(tmp_path / "file")}).make()


def test_private_file_is_readable_by_its_owner_only_even_where_it_was_not(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    path.write_text("old")
    path.chmod(0o644)
    write_private(path, "new")
    assert path.read_text() == "new"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(tmp_path.iterdir()) == [path]
