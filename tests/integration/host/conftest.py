"""Fixtures of the host's tests: a storage account and running hosts."""

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
    """Return the connection string in AzureWebJobsStorage if it is set, otherwise that of the local stores."""
    if connection := os.environ.get("AzureWebJobsStorage"):  # noqa: SIM112 - Azure defines this name
        return connection
    return str(request.getfixturevalue("stack").environment["AzureWebJobsStorage"])


@pytest.fixture
def host(storage_connection: str, tmp_path: Path) -> Iterator[RunningHost]:
    """Yield a host with its own namespace; the test starts the host."""
    running = RunningHost(storage_connection, tmp_path / "host.log")
    yield running
    running.close()


@pytest.fixture(scope="module")
def shared_host(storage_connection: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningHost]:
    """Yield a running host shared by tests that leave no state behind that could affect other tests."""
    running = RunningHost(storage_connection, tmp_path_factory.mktemp("host") / "host.log").start()
    yield running
    running.close()
