"""What is installed: bills of materials of every lock, and known vulnerabilities where an advisory service answers."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING

import pytest

from infra.checks.locks import SOURCES, lock_of, read_lock
from infra.local.home import REPOSITORY

if TYPE_CHECKING:
    from pathlib import Path

LOCKS = [str(lock_of(REPOSITORY / source).relative_to(REPOSITORY)) for source in SOURCES]
NPM_LOCKS = sorted(str(path.relative_to(REPOSITORY)) for path in REPOSITORY.glob("[!.]*/**/package-lock.json"))


@pytest.mark.parametrize("lock", LOCKS)
def test_the_bill_of_materials_of_a_lock_names_each_package_with_its_hashes(lock: str, tools: Path) -> None:
    made = subprocess.run(
        [str(tools / "cyclonedx-py"), "requirements", "--output-format", "JSON", "--validate", lock],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=True,
    )
    components = json.loads(made.stdout)["components"]
    locked = read_lock(REPOSITORY / lock)
    assert {each["name"].lower().replace("_", "-").replace(".", "-") for each in components} == set(locked)
    for each in components:
        assert each["purl"].startswith("pkg:pypi/"), each["name"]
        assert any(reference.get("hashes") for reference in each["externalReferences"]), each["name"]


@pytest.mark.parametrize("lock", NPM_LOCKS)
def test_each_npm_package_is_locked_with_its_integrity(lock: str) -> None:
    packages = json.loads((REPOSITORY / lock).read_text(encoding="utf-8"))["packages"]
    fetched = {name: each for name, each in packages.items() if name and not each.get("link")}
    assert fetched
    for name, each in fetched.items():
        assert each.get("integrity", "").startswith("sha512-"), name


@pytest.mark.extended
@pytest.mark.parametrize("lock", LOCKS)
def test_no_locked_package_has_a_known_vulnerability(lock: str, tools: Path) -> None:
    audit = subprocess.run(
        [str(tools / "pip-audit"), "--disable-pip", "--require-hashes", "--format", "json", "--requirement", lock],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    found = json.loads(audit.stdout)["dependencies"] if audit.stdout else []
    if not any("vulns" in each for each in found):
        pytest.skip("No advisory service answered for any package.")
    assert [(each["name"], each["version"], each["vulns"]) for each in found if each.get("vulns")] == []
