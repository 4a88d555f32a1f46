"""The threat model: each threat names a test that exists or a document, and every data flow covers several threats."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DOCUMENT = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
SECTIONS = re.findall(r"^## (.+?)\n(.*?)(?=^## |\Z)", DOCUMENT, re.MULTILINE | re.DOTALL)
FLOWS = [(name, text) for name, text in SECTIONS if name != "Accepted risks"]
TEST = re.compile(r"`(tests/[\w/]+\.py)::(test_\w+)`")


def rows(text: str) -> list[list[str]]:
    """Return the cells of each row of a section's table, without its header row."""
    lines = [line for line in text.splitlines() if line.startswith("|")][2:]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


THREATS = [(flow, *cells) for flow, text in FLOWS for cells in rows(text)]


def test_every_flow_lists_threats_and_all_letters_of_stride_occur() -> None:
    assert len(FLOWS) >= 5
    assert all(len(rows(text)) >= 3 for _, text in FLOWS)
    assert {threat[1] for threat in THREATS} == set("STRIDE")


@pytest.mark.parametrize("threat", THREATS, ids=lambda threat: f"{threat[0]}-{threat[2]}"[:70])
def test_a_threat_has_a_letter_an_answer_and_evidence(threat: tuple[str, ...]) -> None:
    _, letter, what, answer, evidence = threat
    assert letter in "STRIDE" and what and answer
    assert TEST.search(evidence) or re.search(r"\]\((?:decisions/\d{4}-[\w-]+|azure)\.md\)", evidence), what


@pytest.mark.parametrize(("path", "name"), sorted(set(TEST.findall(DOCUMENT))), ids=lambda part: part[-60:])
def test_a_named_test_exists(path: str, name: str) -> None:
    file = ROOT / path
    assert file.is_file(), f"{path} does not exist; correct docs/security.md"
    defined = {node.name for node in ast.walk(ast.parse(file.read_text())) if isinstance(node, ast.FunctionDef)}
    assert name in defined, f"{path} has no {name}; correct docs/security.md"


def test_each_accepted_risk_has_a_reason() -> None:
    (text,) = (text for name, text in SECTIONS if name == "Accepted risks")
    assert all(len(cells) == 2 and len(cells[1]) > 20 for cells in rows(text)) and len(rows(text)) >= 5
