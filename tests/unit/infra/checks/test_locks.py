"""A lock matches its source: missing packages, leftover packages and different versions are found."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

import pytest
import yaml

from infra.checks.files import REPOSITORY
from infra.checks.locks import SOURCES, lock_of, problems, read_lock, read_source

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """Return a folder with the sources and locks of the repository."""
    for name in SOURCES:
        for path in (REPOSITORY / name, lock_of(REPOSITORY / name)):
            target = tmp_path / path.relative_to(REPOSITORY)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, target)
    return tmp_path


def change(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


def test_each_lock_of_the_repository_matches_its_source() -> None:
    assert problems() == []


def test_the_lock_of_the_functions_holds_what_their_packages_need() -> None:
    locked = read_lock(REPOSITORY / "requirements.txt")
    assert set(read_source(REPOSITORY / "requirements.in")) < set(locked)
    assert "-r requirements.in" in locked["pydantic"].reasons
    assert "pydantic" in locked["pydantic-core"].reasons
    assert all(package.hashes for package in locked.values())


def test_a_package_added_to_a_source_alone_is_found_in_each_lock_that_includes_it(copy: Path) -> None:
    change(copy / "requirements.in", "idna==", "humanize==4.15.0\nidna==")
    assert problems(copy) == [
        f"{lock}: humanize is not locked."
        for lock in (
            "requirements.txt",
            "infra/local/requirements.txt",
            "tests/requirements.txt",
            "infra/azure/requirements.txt",
        )
    ]


def test_a_version_changed_in_a_source_alone_is_found(copy: Path) -> None:
    source = copy / "infra" / "checks" / "requirements.in"
    change(source, "checkov==", "checkov==1")
    version = read_source(source)["checkov"][0]
    assert problems(copy) == [
        f"infra/checks/requirements.txt: checkov is {version.removeprefix('1')}, its source says {version}."
    ]


def test_a_package_removed_from_a_source_alone_is_found(copy: Path) -> None:
    source = copy / "tests" / "requirements.in"
    source.write_text(
        "".join(line for line in source.read_text().splitlines(True) if not line.startswith("pytest-cov"))
    )
    assert problems(copy) == ["tests/requirements.txt: pytest-cov is no longer in tests/requirements.in."]


def test_a_package_that_two_locks_hold_in_two_versions_is_found(copy: Path) -> None:
    version = read_lock(copy / "requirements.txt")["certifi"].version
    change(copy / "requirements.txt", f"certifi=={version}", "certifi==1.0")
    assert f"infra/local/requirements.txt: certifi is {version}, but 1.0 in ../../requirements.txt." in problems(copy)


def test_a_package_index_in_a_lock_is_found(copy: Path) -> None:
    lock = copy / "requirements.txt"
    lock.write_text("--index-url https://packages.example/simple\n" + lock.read_text())
    assert problems(copy) == ["requirements.txt: names a package index; a lock names packages only."]


def test_a_missing_lock_is_found(copy: Path) -> None:
    (copy / "infra" / "checks" / "requirements.txt").unlink()
    assert problems(copy) == ["infra/checks/requirements.txt is missing."]


def test_a_source_accepts_exact_versions_only(tmp_path: Path) -> None:
    (tmp_path / "requirements.in").write_text("requests>=2\n")
    with pytest.raises(ValueError, match="not an exact version: requests>=2"):
        read_source(tmp_path / "requirements.in")


@pytest.mark.parametrize(("ecosystem", "file"), [("uv", "requirements.in"), ("npm", "package.json")])
def test_dependabot_looks_into_each_folder_with_dependencies(ecosystem: str, file: str) -> None:
    listed = subprocess.run(["git", "ls-files", f"*{file}"], cwd=REPOSITORY, capture_output=True, text=True, check=True)
    folders = {f"/{PurePosixPath(path).parent}".removesuffix("/.") or "/" for path in listed.stdout.split()}
    updates = yaml.safe_load((REPOSITORY / ".github" / "dependabot.yml").read_text())["updates"]
    assert [set(each["directories"]) for each in updates if each["package-ecosystem"] == ecosystem] == [folders]
