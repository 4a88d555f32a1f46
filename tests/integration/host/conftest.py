"""Hosts to test."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from tests.integration.host.running import RunningHost

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="session")
def storage_connection(request: pytest.FixtureRequest) -> str:
    """The storage account: the one that AzureWebJobsStorage names, or that of the stack."""
    if connection := os.environ.get("AzureWebJobsStorage"):  # noqa: SIM112 - the name that Azure gives it
        return connection
    return str(request.getfixturevalue("stack").environment["AzureWebJobsStorage"])


@pytest.fixture
def host(storage_connection: str, tmp_path: Path) -> Iterator[RunningHost]:
    """A namespace of its own; the test starts the host."""
    running = RunningHost(storage_connection, tmp_path / "host.log")
    yield running
    running.close()


@pytest.fixture(scope="module")
def shared_host(storage_connection: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningHost]:
    """A host that runs already, for tests that leave nothing behind that another would see."""
    running = RunningHost(storage_connection, tmp_path_factory.mktemp("host") / "host.log").start()
    yield running
    running.close()
