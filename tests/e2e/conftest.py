"""Fixtures of the end-to-end tests: the running product and a browser."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import sync_playwright

from tests.support.accessibility import EVIDENCE, current_test
from tests.support.product import running_product
from tests.support.viewers import make_subscriber

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from playwright.sync_api import Browser

    from tests.support.product import Product
    from tests.support.viewers import SomeViewer

CHROMIUM = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
"""The programs with which the tests run, the best first.

Chromium without a window system plays and renders the same, and a page costs a third of the CPU time.
"""

CHROMIUM_FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--autoplay-policy=no-user-gesture-required",
)


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Forget what a failed test has seen of the accessibility of pages."""
    if report.failed:
        EVIDENCE.forget(report.nodeid.partition("[")[0])


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Write what this process has seen of the accessibility of pages, for infra/checks/accessibility.py."""
    cache = session.config.cache
    if cache:
        EVIDENCE.write(cache.mkdir("accessibility") / f"{os.environ.get('PYTEST_XDIST_WORKER', 'alone')}.json")


@pytest.fixture
def keyboard_walk() -> Callable[[str], None]:
    """Return a function that records that one gets somewhere by keyboard alone; a test calls it as its last step."""
    return lambda name: EVIDENCE.walks.update({name: current_test()})


@pytest.fixture(scope="session")
def product() -> Iterator[Product]:
    """Start the product without the demonstration films; stop it when the test session ends."""
    with running_product() as running:
        yield running


@pytest.fixture(scope="module")
def viewer(product: Product) -> SomeViewer:
    """Return a logged-in viewer who may play every title, and whom only the tests of one file use."""
    return make_subscriber(product.endpoints)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Start a headless Chromium with an empty profile.

    It ends after the tests of a file: while Playwright runs, later tests in the same process could not start an event
    loop.
    """
    program = next(filter(None, map(shutil.which, CHROMIUM)))
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=program, args=list(CHROMIUM_FLAGS))
        yield chromium
        chromium.close()
