"""The version is the same in all places that contain it."""

from __future__ import annotations

import json
import re
import tomllib

from infra.checks.files import REPOSITORY

VERSION = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]["version"]


def test_the_changelog_describes_this_version_first() -> None:
    versions = re.findall(r"^## \[(\d\S*)\] - \d{4}-\d{2}-\d{2}$", (REPOSITORY / "CHANGELOG.md").read_text(), re.M)
    assert versions[0] == VERSION


def test_site_and_template_have_this_version() -> None:
    assert json.loads((REPOSITORY / "web" / "package.json").read_text())["version"] == VERSION
    assert f"template: notflix@{VERSION}\n" in (REPOSITORY / "azure.yaml").read_text()
