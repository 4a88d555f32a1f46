"""Pages in Firefox and in WebKit, the engine of Safari, which tests use in the same way.

Both browsers implement protocols of the W3C, which describe what a person does in the same words: `firefox.py` speaks
WebDriver BiDi, `webkit.py` speaks WebDriver. So neither needs a build of its own, as Playwright's browsers do, and what
is tested is the browser that Debian ships.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from tests.support.page_state import SCRIPT, PageState, state_from
from tests.support.waiting import eventually

if TYPE_CHECKING:
    from collections.abc import Mapping

KEEP_FAULTS = """() => {
  const faults = (window.faults = []);
  addEventListener("error", ({ message }) => message && faults.push(message));
  addEventListener("unhandledrejection", ({ reason }) => faults.push(`unhandled: ${reason}`));
  addEventListener("securitypolicyviolation", (event) => {
    faults.push(`${event.violatedDirective} forbids ${event.blockedURI}`);
  });
  const { error } = console;
  console.error = (...words) => { faults.push(words.map(String).join(" ")); error.apply(console, words); };
}"""
"""A function that runs before a page's own scripts, and keeps what goes wrong in the page in `window.faults`."""

_POINT = """(selector) => {
  const element = [...document.querySelectorAll(selector)].find((one) => one.checkVisibility());
  if (!element) return null;
  element.scrollIntoView({ block: "center", behavior: "instant" });
  const { x, y, width, height } = element.getBoundingClientRect();
  const point = { x: Math.round(x + width / 2), y: Math.round(y + height / 2) };
  return element.contains(document.elementFromPoint(point.x, point.y)) ? point : null;
}"""
"""Return the centre of the first visible element of a selector; null while there is none, or something covers it."""

_KEYS = {"ArrowRight": "\ue014"}
"""The characters with which WebDriver names the keys that type nothing."""


class RefusedError(Exception):
    """A browser could not do what it was asked to do, for instance because another page replaced this one."""


class Engine(Protocol):
    """A running browser with one window."""

    def load(self, address: str) -> None:
        """Open an address; return when the page has loaded."""

    def evaluate(self, expression: str) -> Any:
        """Return the value of a JavaScript expression, as JSON can express it; raise RefusedError without one."""

    def perform(self, source: Mapping[str, Any]) -> None:
        """Do what a person does with one source of input, such as the mouse, in the format of WebDriver's actions."""

    def resize(self, width: int, height: int) -> None:
        """Set the size of the window."""


@dataclass(frozen=True, slots=True)
class OtherPage:
    """The page that a browser shows."""

    engine: Engine

    def load(self, address: str, size: tuple[int, int] | None = None) -> None:
        """Open an address, in a window of a width and height if given."""
        if size:
            self.engine.resize(*size)
            self.until(f"innerWidth === {size[0]}")
        self.engine.load(address)

    def value(self, expression: str) -> Any:
        """Return the value of a JavaScript expression; None without one, as while the page is being replaced."""
        try:
            return self.engine.evaluate(expression)
        except RefusedError:
            return None

    def until(self, expression: str) -> Any:
        """Wait until a JavaScript expression is truthy; return its value."""
        return eventually(lambda: self.value(expression))

    def settled(self) -> PageState:
        """Wait until the page no longer shows that it is loading; return what it shows."""
        page = f"document.readyState === 'complete' && ({SCRIPT})()"

        def look() -> PageState | None:
            found = self.value(page)
            return state_from(found) if found and not found["waits"] else None

        return eventually(look)

    def faults(self) -> list[str]:
        """Return the errors and the violations of the content security policy since the page was opened."""
        return list(self.engine.evaluate("window.faults"))

    def click(self, selector: str) -> None:
        """Click the first visible element of a selector, as soon as it neither moves nor is covered."""
        place = f"({_POINT})({json.dumps(selector)})"
        point = eventually(lambda: (found := self.value(place)) == self.value(place) and found)
        move = {"type": "pointerMove", "origin": "viewport", **point}
        press, release = ({"type": kind, "button": 0} for kind in ("pointerDown", "pointerUp"))
        self.engine.perform({"type": "pointer", "id": "mouse", "actions": [move, press, release]})

    def press(self, *keys: str) -> None:
        """Press keys one after the other: characters, or the names of keys."""
        actions = [{"type": kind, "value": _KEYS.get(key, key)} for key in keys for kind in ("keyDown", "keyUp")]
        self.engine.perform({"type": "key", "id": "keyboard", "actions": actions})

    def type_text(self, selector: str, text: str) -> None:
        """Click a field and type a text into it."""
        self.click(selector)
        self.press(*text)
