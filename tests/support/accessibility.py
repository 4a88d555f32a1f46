"""Tests of accessibility: axe's rules, the criteria that axe cannot see, and the record of what was tested.

`infra/checks/accessibility.py` writes the site's accessibility statement from these records.
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from playwright.sync_api import Page

REFLOW = (320, 256)
"""The window in CSS pixels to which 1280 × 1024 shrinks at a zoom of 400 % (WCAG 1.4.10)."""

_CHECKS = Path(__file__).with_name("page_checks.js").read_text(encoding="utf-8")
_TARGETS = {"rules": {"target-size": {"enabled": True}}}
"""axe leaves out this rule of WCAG 2.2 (2.5.8, targets of 24 px) unless it is asked for."""


@dataclass(frozen=True, slots=True, order=True)
class Passed:
    """A page, as the name of its template, that passed a check in a language and a width, and the test that saw it."""

    page: str
    check: str
    language: str
    width: int
    test: str


@dataclass
class Evidence:
    """What the tests of this process have seen; `walks` are the keyboard walks that passed, with their tests."""

    axe: str = ""
    passed: set[Passed] = field(default_factory=set)
    walks: dict[str, str] = field(default_factory=dict)

    def forget(self, test: str) -> None:
        """Drop what a failed test has seen."""
        self.passed = {each for each in self.passed if each.test != test}

    def write(self, path: Path) -> None:
        """Write the record as JSON, unless it is empty."""
        if self.passed or self.walks:
            content = {"axe": self.axe, "passed": [asdict(each) for each in sorted(self.passed)], "walks": self.walks}
            path.write_text(json.dumps(content), encoding="utf-8")


EVIDENCE = Evidence()


def violations(page: Page, axe: Path, *, targets: bool = False) -> list[str]:
    """Return the accessibility violations that axe finds on the page, with `targets` also those of their size."""
    page.evaluate(axe.read_text(encoding="utf-8"))
    found: dict[str, Any] = page.evaluate("(options) => axe.run(options)", _TARGETS if targets else {})
    wrong = [f"{one['id']}: {node['html'][:160]}" for one in found["violations"] for node in one["nodes"]]
    EVIDENCE.axe = found["testEngine"]["version"]
    _record(page, "axe", wrong)
    return wrong


def faults_beyond_axe(page: Page) -> list[str]:
    """Return what a page does wrong that axe cannot see; the page keeps its size.

    The criteria are reflow (1.4.10), text spacing (1.4.12), order, visibility and obstruction of the focus (2.4.3,
    2.4.7, 2.4.11), and motion (2.3.3).
    """
    size = page.viewport_size
    assert size
    page.emulate_media(reduced_motion="reduce")
    page.keyboard.press("Shift")  # from now on, the browser marks the focus as for somebody who uses the keyboard
    wrong = [*_checked(page, "motion"), *_checked(page, "focus"), *_checked(page, "spacing")]
    page.set_viewport_size({"width": REFLOW[0], "height": REFLOW[1]})
    page.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
    wrong += _checked(page, "reflow")
    page.set_viewport_size(size)
    page.emulate_media(reduced_motion="no-preference")
    return wrong


def _checked(page: Page, check: str) -> list[str]:
    wrong: list[str] = page.evaluate(_CHECKS, check)
    _record(page, check, wrong)
    return wrong


def _record(page: Page, check: str, wrong: list[str]) -> None:
    """Remember that a page has passed a check."""
    if wrong:
        return
    language, width = page.evaluate("[document.documentElement.lang, innerWidth]")
    EVIDENCE.passed.add(Passed(template_of(page.url), check, language, width, current_test()))


def template_of(address: str) -> str:
    """Return the name of the template of a page; a part of the Studio is `studio.html#films`."""
    parts = urlsplit(address)
    path = parts.path.removeprefix("/de")
    if path.startswith("/title/"):
        return "title.html"
    name = path.strip("/") or "index.html"
    if not name.endswith(".html"):
        return "404.html"
    return f"{name}#{parts.fragment.partition('=')[0] or 'overview'}" if name == "studio.html" else name


def current_test() -> str:
    """Return the file and the name of the test that is running, without its parameters."""
    running = os.environ.get("PYTEST_CURRENT_TEST", "").rpartition(" ")[0]
    return running.partition("[")[0]
