"""Open and check pages of the running product in Chromium; wait without `eval`, which the page's policy forbids."""

from __future__ import annotations

import time
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.cases import extended
from tests.support.viewers import log_in_browser
from tests.support.waiting import PATIENCE_S, pause_after

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from playwright.sync_api import Browser, ConsoleMessage, Page, Route

    from tests.support.viewers import SomeViewer

DESKTOP = (1440, 900)
PHONE = (390, 844)
SMALL = (640, 400)
"""A window in which a film plays at a third of the CPU time."""

SIZES = pytest.mark.parametrize("size", [PHONE, extended(DESKTOP)], ids=["phone", "desktop"])
"""Runs a test on a phone, and with `--all` also in a large window, with which most other tests work anyway."""

POLL_MS = 100
PATIENCE_MS = PATIENCE_S * 1000
"""How long a page may take on a busy machine."""

# Chromium's message for a response other than 2xx, Shaka's advice for live streams, which does not apply here, and what
# Playwright says instead of registering a service worker.
_EXPECTED = (
    "Failed to load resource",
    "A UTCTiming element should always be given",
    "Service Worker registration blocked by Playwright",
)
_UNUSED = "was preloaded using link preload but not used within a few seconds"
"""Chromium's message about a page whose scripts begin late, as on a busy machine."""


@contextmanager
def opened(
    browser: Browser,
    address: str,
    size: tuple[int, int] = DESKTOP,
    *,
    viewer: SomeViewer | None = None,
    first: str = "",
    service_worker: bool = False,
    locale: str = "en-US",
) -> Iterator[tuple[Page, list[str]]]:
    """Open an address in a new profile, logged in as `viewer` if given; run `first` before the page's own scripts.

    `locale` is the browser's language.

    Yield the page and a list to which its errors and warnings are added. Without `service_worker`, the browser refuses
    the site's service worker, so that tests see every request.
    """
    width, height = size
    context = browser.new_context(
        viewport={"width": width, "height": height},
        is_mobile=size == PHONE,
        has_touch=size == PHONE,
        service_workers="allow" if service_worker else "block",
        locale=locale,
    )
    context.set_default_timeout(PATIENCE_MS)
    if viewer:
        log_in_browser(context, viewer)
    if first:
        context.add_init_script(first)
    page = context.new_page()
    wrong: list[str] = []

    page.on("console", lambda message: wrong.append(message.text) if is_complaint(message) else None)
    page.on("pageerror", lambda error: wrong.append(str(error)))
    try:
        page.goto(address)
        yield page, wrong
    finally:
        context.close()


def is_complaint(message: ConsoleMessage) -> bool:
    """Return whether a message in the console says that something is wrong with the page."""
    if message.text.startswith("The resource ") and _UNUSED in message.text:
        return False
    return message.type in ("error", "warning") and not message.text.startswith(_EXPECTED)


def until(page: Page, expression: str, is_so: Callable[[Any], bool] = bool, *, within_s: float = PATIENCE_S) -> Any:
    """Wait until `is_so` accepts the value of a JavaScript expression; return this value, or fail with the last one."""
    began = time.monotonic()
    while not is_so(value := page.evaluate(expression)):
        waited_s = time.monotonic() - began
        assert waited_s < within_s, f"{expression} is still {value!r} after {within_s} s"
        page.wait_for_timeout(pause_after(waited_s) * 1000)
    return value


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


def played_to_the_end(browser: Browser, *addresses: str, within_s: float, viewer: SomeViewer) -> list[dict[str, Any]]:
    """Play watch pages to their ends, all at the same time; return the player's statistics of each.

    `total` counts decoded frames. Do not assert `dropped`: a busy machine decodes frames too late to show them.
    """
    with ExitStack() as stack:
        pages = [stack.enter_context(opened(browser, address, SMALL, viewer=viewer)) for address in addresses]
        for page, _ in pages:
            until(page, "window.notflix?.stats().ended ?? false", within_s=within_s)
        assert [wrong for _, wrong in pages] == [[]] * len(pages)
        return [page.evaluate("window.notflix.stats()") for page, _ in pages]
