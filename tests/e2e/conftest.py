"""Fixtures of the end-to-end tests: the running product and a browser."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import sync_playwright

from infra.local.home import REPOSITORY
from tests.support.homes import free_home
from tests.support.viewers import make_subscriber

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser

    from infra.local.home import Home
    from tests.support.viewers import SomeViewer

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


@dataclass(frozen=True, slots=True)
class Product:
    """A running copy of the product."""

    home: Home

    def run(self, *arguments: str, timeout_s: float = 300) -> subprocess.CompletedProcess[str]:
        """Run `./notflix` with the arguments; the caller checks the exit code."""
        environment = {
            **os.environ,
            "NOTFLIX_HOME": str(self.home.path),
            "NOTFLIX_PORT_BASE": str(self.home.ports.base),
            "NOTFLIX_PACKAGES": str(self.home.packages),
            "PYTHONPATH": str(REPOSITORY),
        }
        command = [sys.executable, "-m", "infra.local.cli", *arguments]
        return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=timeout_s, check=False)

    @property
    def endpoints(self) -> dict[str, str]:
        """Return the addresses of all services by name."""
        endpoints: dict[str, str] = json.loads(self.home.endpoints_file.read_text(encoding="utf-8"))
        return endpoints


@pytest.fixture(scope="session")
def product() -> Iterator[Product]:
    """Start the product without the demonstration films; stop it when the test session ends."""
    folder = Path(tempfile.mkdtemp(prefix="notflix-product-"))
    running = Product(free_home(folder))
    began = running.run("up", "--detach", "--empty")
    assert began.returncode == 0, began.stdout + began.stderr
    try:
        yield running
    finally:
        ended = running.run("down")
        assert ended.returncode == 0, ended.stdout + ended.stderr
        shutil.rmtree(folder)


@pytest.fixture(scope="session")
def viewer(product: Product) -> SomeViewer:
    """Return a logged-in viewer who may play every title."""
    return make_subscriber(product.endpoints)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Start a headless Chromium with an empty profile."""
    program = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))))
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=program, args=list(CHROMIUM_FLAGS))
        yield chromium
        chromium.close()
