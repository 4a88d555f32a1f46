"""What the accessibility statement says: which pages passed which checks, in which languages and widths.

`accessibility.json` is written by `infra/checks/accessibility.py` from the records of the tests that ran.
"""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

EVIDENCE = Path(__file__).with_name("accessibility.json")

BEYOND_AXE = ("reflow", "spacing", "focus", "motion")
"""The checks of criteria that axe cannot see (tests/support/accessibility.py)."""

WALKS = ("login", "play", "transcript", "cancel")
"""The tasks that a test does with the keyboard alone."""

STUDIO_PARTS = ("overview", "films", "titles", "people", "plans", "pages", "setup", "log")

PAGE_TEXTS = {
    "index.html": "common.home",
    "title.html": "accessibility.title_page",
    "watch.html": "common.watch",
    "search.html": "common.films",
    "genre.html": "accessibility.genre_page",
    "person.html": "accessibility.person_page",
    "plans.html": "common.plans",
    "subscribed.html": "accessibility.subscribed_page",
    "register.html": "common.create_account",
    "login.html": "common.log_in",
    "forgot.html": "accessibility.forgot_page",
    "reset.html": "accessibility.reset_page",
    "confirm.html": "accessibility.confirm_page",
    "account.html": "common.account",
    "list.html": "common.my_list",
    "history.html": "common.viewing_history",
    "profiles.html": "profiles.who_is_watching",
    "downloads.html": "common.downloads",
    "page.html": "accessibility.owners_pages",
    "404.html": "common.not_found",
    "accessibility.html": "accessibility.heading",
    "studio.html": "accessibility.studio",
}
"""The pages in the order of the statement, and the keys of their names."""


@dataclass(frozen=True, slots=True)
class PageEvidence:
    """A page with the languages and widths in which axe found nothing, and the other checks that it passed."""

    page: str
    widths: Mapping[str, tuple[int, ...]]
    checks: frozenset[str]

    @property
    def name(self) -> str:
        """Return the key of the page's name."""
        return PAGE_TEXTS[self.page]

    @property
    def all_widths(self) -> tuple[int, ...]:
        """Return the widths of all languages, in CSS pixels."""
        return tuple(sorted({width for widths in self.widths.values() for width in widths}))


@dataclass(frozen=True, slots=True)
class Statement:
    """The evidence for a version of Notflix; `walks` are the keyboard walks that passed."""

    version: str
    axe: str
    pages: tuple[PageEvidence, ...]
    walks: tuple[str, ...]

    def missing(self, pages: Mapping[str, object] | tuple[str, ...]) -> list[str]:
        """Return a sentence for each page, check and walk that no test has covered."""
        tested = {each.page: each for each in self.pages}
        found = []
        for page in pages:
            one = tested.get(page)
            if not one or not one.widths:
                found.append(f"axe has not seen {page}")
            elif left := sorted(set(BEYOND_AXE) - one.checks):
                found.append(f"{page} was not checked for {', '.join(left)}")
        return [*found, *(f"no test did {walk!r} with the keyboard alone" for walk in WALKS if walk not in self.walks)]


def group_of(page: str) -> str:
    """Return the page of the statement to which a tested page belongs: parts of the Studio, and owners' pages."""
    name = page.partition("#")[0]
    return name if name in PAGE_TEXTS else "page.html"


def read_statement(path: Path = EVIDENCE) -> Statement:
    """Return the evidence in the file."""
    content = json.loads(path.read_text(encoding="utf-8"))
    widths: dict[str, dict[str, set[int]]] = defaultdict(lambda: defaultdict(set))
    checks: dict[str, set[str]] = defaultdict(set)
    for page, check, language, width, _ in content["passed"]:
        if check == "axe":
            widths[group_of(page)][language].add(width)
        else:
            checks[group_of(page)].add(check)
    tested = (
        PageEvidence(
            page,
            {code: tuple(sorted(found)) for code, found in sorted(widths[page].items(), reverse=True)},
            frozenset(checks[page]),
        )
        for page in PAGE_TEXTS
        if page in widths
    )
    walks = tuple(walk for walk in WALKS if walk in content["walks"])
    return Statement(content["version"], content["axe"], tuple(tested), walks)
