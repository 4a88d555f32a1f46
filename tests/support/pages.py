"""Open and check pages of the running product in Chromium; wait without `eval`, which the page's policy forbids."""

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

# Chromium's message for a response other than 2xx, and Shaka's advice for live streams, which does not apply here.
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
    """Open an address in a new profile, logged in as `viewer` if given; run `first` before the page's own scripts.

    Yield the page and a list to which its errors and warnings are added.
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
    """Wait until `is_so` accepts the value of a JavaScript expression; return this value, or fail with the last one."""
    deadline = time.monotonic() + within_s
    while not is_so(value := page.evaluate(expression)):
        assert time.monotonic() < deadline, f"{expression} is still {value!r} after {within_s} s"
        page.wait_for_timeout(POLL_MS)
    return value


def violations(page: Page, axe: Path) -> list[str]:
    """Return the accessibility violations that axe finds on the page."""
    page.evaluate(axe.read_text(encoding="utf-8"))
    found = page.evaluate("axe.run()")
    return [f"{one['id']}: {node['html'][:160]}" for one in found["violations"] for node in one["nodes"]]


def overflow(page: Page) -> int:
    """Return how many pixels the page is wider than its window."""
    wide: int = page.evaluate("document.documentElement.scrollWidth - innerWidth")
    return wide


def focused(page: Page) -> str:
    """Return the id of the element that has the focus."""
    return str(page.evaluate("document.activeElement.id"))


def refused(status: int, code: str, detail: str, headers: dict[str, str] | None = None) -> Callable[[Route], None]:
    """Return a route handler that answers every request except preflights with an error in the API's format."""

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
