"""The accessibility statement: the tests that it names exist, and no page of the site is without one."""

from __future__ import annotations

import ast
import json
from pathlib import Path

import pytest

from infra.checks.accessibility import DOCUMENT, document, merged
from web.accessibility import BEYOND_AXE, EVIDENCE, PAGE_TEXTS, WALKS, PageEvidence, Statement, group_of, read_statement
from web.build import OWNERS_PAGES, PAGES
from web.languages import LANGUAGES, language

ROOT = Path(__file__).parents[3]


def test_every_page_of_the_site_is_tested_and_named() -> None:
    assert set(PAGES) | {"page.html"} == set(PAGE_TEXTS)
    assert {group_of(f"{name}.html") for name in OWNERS_PAGES} == {"page.html"}
    assert read_statement().missing(tuple(PAGE_TEXTS)) == []


def test_both_languages_were_tested() -> None:
    assert {code for page in read_statement().pages for code in page.widths} == set(LANGUAGES)


def test_the_evidence_names_tests_that_exist() -> None:
    content = json.loads(EVIDENCE.read_text(encoding="utf-8"))
    for test in {*(row[4] for row in content["passed"]), *content["walks"].values()}:
        file, _, name = test.partition("::")
        tree = ast.parse((ROOT / file).read_text(encoding="utf-8"))
        assert name in {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}, test


def test_the_document_is_generated_from_the_evidence() -> None:
    assert DOCUMENT.read_text(encoding="utf-8") == document()


def test_a_page_without_a_test_is_missing() -> None:
    done = frozenset(BEYOND_AXE)
    pages = (PageEvidence("a.html", {"en": (390,)}, done), PageEvidence("b.html", {"en": (390,)}, done - {"focus"}))
    statement = Statement("1", "4", pages, WALKS[1:])
    assert statement.missing(("a.html", "b.html", "c.html")) == [
        "b.html was not checked for focus",
        "axe has not seen c.html",
        f"no test did {WALKS[0]!r} with the keyboard alone",
    ]


def test_records_of_several_processes_are_merged(tmp_path: Path) -> None:
    seen = {"page": "plans.html", "check": "axe", "language": "de", "width": 390}
    for name, axe, test, walks in (("gw0", "4.1", "b::t", {}), ("gw1", "", "a::t", {"play": "c::t"})):
        record = {"axe": axe, "passed": [{**seen, "test": test}], "walks": walks}
        (tmp_path / f"{name}.json").write_text(json.dumps(record))
    assert merged(tmp_path.glob("*.json"), "1.0") == {
        "version": "1.0",
        "axe": "4.1",
        "walks": {"play": "c::t"},
        "passed": [["plans.html", "axe", "de", 390, "a::t"]],
    }


@pytest.mark.parametrize(
    ("page", "group"),
    [
        ("studio.html#films", "studio.html"),
        ("title.html", "title.html"),
        ("help.html", "page.html"),
    ],
)
def test_parts_of_a_page_belong_to_it(page: str, group: str) -> None:
    assert group_of(page) == group
    assert group in PAGE_TEXTS and PAGE_TEXTS[group] in language(LANGUAGES[0]).texts
