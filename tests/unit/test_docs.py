"""What can be set, asked or triggered is documented; what is documented exists."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from functions.settings import ENVIRONMENT_NAMES

ROOT = Path(__file__).parents[2]
OPERATIONS = (ROOT / "docs" / "operations.md").read_text()
ARCHITECTURE = (ROOT / "docs" / "architecture.md").read_text()
TRIGGERS = "\n".join(path.read_text() for path in sorted((ROOT / "functions").rglob("triggers.py")))


@pytest.mark.parametrize("setting", sorted(ENVIRONMENT_NAMES.values()))
def test_each_setting_is_documented(setting: str) -> None:
    assert f"`{setting}`" in OPERATIONS


@pytest.mark.parametrize("function", sorted(re.findall(r'function_name\("(\w+)"\)', TRIGGERS)))
def test_each_function_is_in_the_architecture(function: str) -> None:
    assert f"`{function}`" in ARCHITECTURE


@pytest.mark.parametrize("queue", sorted(set(re.findall(r'queue_trigger\("\w+", "([\w-]+)"', TRIGGERS))))
def test_each_queue_is_in_the_architecture(queue: str) -> None:
    assert f"`{queue.removesuffix('-poison')}`" in ARCHITECTURE


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
