"""Every setting, route and trigger is documented, and everything that is documented exists."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from infra.checks import reference

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("name", sorted(reference.pages()))
def test_the_tables_of_the_reference_are_those_of_the_code(name: str) -> None:
    stored = (reference.FOLDER / name).read_text(encoding="utf-8")
    assert stored == reference.pages()[name], "run `python -m infra.checks.reference`"


def test_each_setting_has_a_meaning() -> None:
    for line in reference.pages()["settings.md"].splitlines()[8:]:
        assert line.rsplit("|", 2)[1].strip(), line


def test_each_decision_record_is_in_the_index() -> None:
    folder = ROOT / "docs" / "decisions"
    index = (folder / "index.md").read_text()
    for record in folder.glob("0*.md"):
        assert f"({record.name})" in index


def test_each_link_inside_the_documents_leads_somewhere() -> None:
    for document in (*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").rglob("*.md"))):
        for target in re.findall(r"\]\((?!https?:|#)([^)#]+)", document.read_text()):
            assert (document.parent / target).exists(), f"{document.name} points to {target}"


def test_each_document_is_in_the_navigation_of_the_site() -> None:
    navigation = (ROOT / "mkdocs.yml").read_text().partition("\nnav:\n")[2]
    listed = re.findall(r"(\S+\.md)$", navigation, re.MULTILINE)
    assert sorted(listed) == sorted(str(path.relative_to(ROOT / "docs")) for path in (ROOT / "docs").rglob("*.md"))


def test_local_settings_hold_only_what_is_public() -> None:
    values = json.loads((ROOT / "local.settings.json").read_text())["Values"]
    text = json.dumps(values)
    assert "AccountKey=" not in text
    for address in re.findall(r"://(?:[^@/]*@)?([^:/\"]+)", text):
        assert address in {"127.0.0.1", "localhost"}
