"""A new simulator for each test, with a webhook that records the events it receives."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from infra.local.simulators.paypal.certificates import load_or_make
from tests.support.paypal import Listener, PayPal, running_simulator

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Create a certificate chain once, because generating keys takes time."""
    folder = tmp_path_factory.mktemp("certificates")
    load_or_make(folder)
    return folder


@pytest.fixture
def data(certificates: Path, tmp_path: Path) -> Path:
    """Create the folder of a simulator, with certificates in it."""
    return shutil.copytree(certificates, tmp_path / "paypal")


@pytest.fixture
def hook() -> Iterator[Listener]:
    """Run a server that receives webhooks."""
    with Listener().listening() as listener:
        yield listener


@pytest.fixture
def paypal(data: Path, hook: Listener) -> Iterator[PayPal]:
    """Run a simulator that sends its events to the webhook."""
    with running_simulator(data, webhook_url=hook.url) as running:
        yield running
