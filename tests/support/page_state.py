"""The state of a page, for random tests: the controls that a person can use now, and what is wrong with the page."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from playwright.sync_api import Error

from tests.support.pages import POLL_MS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from playwright.sync_api import ElementHandle, Page, Request

SETTLED_WITHIN_S = 90
"""How long a page may show that it is busy; most of it is for a busy machine."""

CALM_LOOKS = 2
"""How many times in a row a page must look finished."""

SCRIPT = Path(__file__).with_name("page_state.js").read_text(encoding="utf-8").rstrip().removesuffix(";")
"""A function that returns what `state_from` reads."""

_LOADED_AS = ("document", "fetch", "xhr", "script", "stylesheet")


@dataclass(frozen=True, slots=True)
class Control:
    """A visible control that can be used: a link, a button, a field; `index` is its place among the elements found.

    `key` identifies it on pages of the same kind: among controls with the same kind and name, the first has number 0.
    """

    index: int
    kind: str
    name: str
    type: str
    href: str
    options: tuple[str, ...]
    number: int

    @property
    def key(self) -> str:
        """Return the text that identifies the control on its page."""
        return f"{self.kind} {self.name!r}" + (f" number {self.number + 1}" if self.number else "")


@dataclass(frozen=True, slots=True)
class PageState:
    """What a page shows; `waits` are the visible elements that say that something is loading.

    `person` is the session that the browser stores: `userId`, `token`, `admin`. `played_s` is the position of the film,
    0 without one.
    """

    address: str
    title: str
    controls: tuple[Control, ...]
    is_modal: bool
    waits: tuple[str, ...]
    overflow_px: int
    leaks: tuple[str, ...]
    broken: tuple[str, ...]
    played_s: float
    person: Mapping[str, Any] | None

    @property
    def path(self) -> str:
        """Return the path of the page's address."""
        return urlsplit(self.address).path

    def faults(self) -> list[str]:
        """Return a sentence for everything that is wrong with a page that should have finished loading."""
        found = []
        if self.waits:
            found.append(f"the page never ends loading: {', '.join(self.waits)}")
        if self.overflow_px > 0:
            found.append(f"{self.overflow_px} px wider than the window")
        if not self.title:
            found.append("the page has no title")
        if not self._leads_on():
            found.append("a dead end: no link and no button leads on")
        found += [f"a value of the program is shown: {text!r}" for text in self.leaks]
        found += [f"a picture is broken: {address}" for address in self.broken]
        return found

    def _leads_on(self) -> bool:
        """Return whether a link leads elsewhere, or a button does something; a dialog needs a button."""
        here = self.address.partition("#")[0]
        return any(
            control.kind == "button" or (control.kind == "link" and control.href.partition("#")[0] != here)
            for control in self.controls
        )


@dataclass
class Traffic:
    """The requests of a page that have not been answered yet."""

    waiting: set[Request] = field(default_factory=set)

    @classmethod
    def of(cls, page: Page) -> Traffic:
        """Return the traffic of a page from now on."""
        traffic = cls()
        page.on("request", lambda one: traffic.waiting.add(one) if one.resource_type in _LOADED_AS else None)
        page.on("requestfinished", lambda one: traffic.waiting.discard(one))
        page.on("requestfailed", lambda one: traffic.waiting.discard(one))
        return traffic


def read_state(page: Page) -> PageState | None:
    """Return the state of a page; None while it is being replaced by another one."""
    if not page.url.startswith("http"):
        return None
    try:
        found = page.evaluate(SCRIPT)
    except Error:
        return None
    return state_from(found)


def state_from(found: Mapping[str, Any]) -> PageState:
    """Return the state of a page from what `page_state.js` returns there."""
    return PageState(
        address=found["address"],
        title=found["title"],
        controls=tuple(_numbered(found["controls"])),
        is_modal=found["isModal"],
        waits=tuple(found["waits"]),
        overflow_px=found["overflowPx"],
        leaks=tuple(found["leaks"]),
        broken=tuple(found["broken"]),
        played_s=found["playedS"],
        person=found["person"],
    )


def settled(page: Page, traffic: Traffic, *, within_s: float = SETTLED_WITHIN_S) -> PageState:
    """Return the state of a page that has finished loading, or the last state after `within_s`."""
    deadline = time.monotonic() + within_s
    calm = 0
    while True:
        state = read_state(page)
        calm = calm + 1 if state and not state.waits and not traffic.waiting else 0
        is_late = time.monotonic() > deadline
        if state and (calm == CALM_LOOKS or is_late):
            return state
        assert not is_late, f"{page.url} shows no page after {within_s} s"
        page.wait_for_timeout(POLL_MS)


def element_of(page: Page, control: Control) -> ElementHandle | None:
    """Return the element of a control that `read_state` found last; None if its page has been left."""
    return page.evaluate_handle("index => window.randomTest?.[index]", control.index).as_element()


def _numbered(found: Sequence[Mapping[str, Any]]) -> list[Control]:
    """Return controls as objects, and number those with the same kind and name."""
    seen: dict[tuple[str, str], int] = {}
    controls = []
    for index, one in enumerate(found):
        kind, name = one["kind"], one["name"]
        number = seen.get((kind, name), 0)
        seen[kind, name] = number + 1
        controls.append(Control(index, kind, name, one["type"], one["href"], tuple(one["options"]), number))
    return controls
