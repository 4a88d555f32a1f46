"""Look at pages of the running product in Chromium: open, wait without `eval`, which the policy forbids, and check."""

from __future__ import annotations

import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from tests.support.viewers import log_in_browser

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from playwright.sync_api import Browser, ConsoleMessage, Page, Route

    from tests.support.viewers import SomeViewer

DESKTOP = (1440, 900)
PHONE = (390, 844)
POLL_MS = 100

# Chromium's own words for an answer that is not 2xx, and Shaka's advice to live services, which a recording is not.
_EXPECTED = ("Failed to load resource", "A UTCTiming element should always be given")


@contextmanager
def opened(
    browser: Browser,
    address: str,
    size: tuple[int, int] = DESKTOP,
    *,
    viewer: SomeViewer | None = None,
    first: str = "",
) -> Iterator[tuple[Page, list[str]]]:
    """Open an address in a fresh profile, logged in as the viewer if one is given, with the script `first` run first.

    Gives the page and what goes wrong on it, as it goes wrong.
    """
    width, height = size
    context = browser.new_context(
        viewport={"width": width, "height": height}, is_mobile=size == PHONE, has_touch=size == PHONE
    )
    if viewer:
        log_in_browser(context, viewer)
    if first:
        context.add_init_script(first)
    page = context.new_page()
    wrong: list[str] = []

    def hear(message: ConsoleMessage) -> None:
        if message.type in ("error", "warning") and not message.text.startswith(_EXPECTED):
            wrong.append(message.text)

    page.on("console", hear)
    page.on("pageerror", lambda error: wrong.append(str(error)))
    try:
        page.goto(address)
        yield page, wrong
    finally:
        context.close()


def until(page: Page, expression: str, is_so: Callable[[Any], bool] = bool, *, within_s: float = 30) -> Any:
    """Wait until the value of a JavaScript expression `is_so`; return it, or fail telling what it was last."""
    deadline = time.monotonic() + within_s
    while not is_so(value := page.evaluate(expression)):
        assert time.monotonic() < deadline, f"{expression} is still {value!r} after {within_s} s"
        page.wait_for_timeout(POLL_MS)
    return value


def violations(page: Page, axe: Path) -> list[str]:
    """Return what axe finds wrong with the page for people who cannot see or point."""
    page.evaluate(axe.read_text(encoding="utf-8"))
    found = page.evaluate("axe.run()")
    return [f"{one['id']}: {node['html'][:160]}" for one in found["violations"] for node in one["nodes"]]


def overflow(page: Page) -> int:
    """Return by how many pixels the page is wider than its window."""
    wide: int = page.evaluate("document.documentElement.scrollWidth - innerWidth")
    return wide


def focused(page: Page) -> str:
    """Return the id of the element that has the focus."""
    return str(page.evaluate("document.activeElement.id"))


def refused(status: int, code: str, detail: str, headers: dict[str, str] | None = None) -> Callable[[Route], None]:
    """Return a route that refuses every request but a preflight, in the API's one shape."""

    def answer(route: Route) -> None:
        if route.request.method == "OPTIONS":
            route.continue_()
            return
        cors = {"Access-Control-Allow-Origin": "*", **(headers or {})}
        route.fulfill(status=status, headers=cors, json={"error": code, "detail": detail})

    return answer


def played_to_the_end(browser: Browser, address: str, *, within_s: float, viewer: SomeViewer) -> dict[str, Any]:
    """Play a watch page to its end and return the player's statistics.

    `total` counts decoded frames. Do not assert `dropped`: a busy machine decodes frames too late to show them.
    """
    with opened(browser, address, viewer=viewer) as (page, wrong):
        until(page, "window.notflix?.stats().ended ?? false", within_s=within_s)
        said: dict[str, Any] = page.evaluate("window.notflix.stats()")
        assert wrong == []
    return said
