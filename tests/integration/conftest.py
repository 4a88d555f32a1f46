"""The real stores for integration tests: started once per session on free ports, with their own data."""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from functions.platform.settings import Settings, load_settings
from infra.local.processes.supervisor import Supervisor
from infra.local.stores.credentials import Credentials, load_or_make
from infra.local.stores.services import endpoints_of, settings_of, stores_of
from tests.support.homes import free_home

if TYPE_CHECKING:
    from collections.abc import Iterator

    from infra.local.home import Home


@dataclass(frozen=True, slots=True)
class Stack:
    """The running stores; their addresses are available as settings, environment variables and endpoints."""

    home: Home
    credentials: Credentials
    environment: dict[str, str]
    endpoints: dict[str, str]

    @property
    def settings(self) -> Settings:
        """Return the settings that the functions would read."""
        return load_settings(self.environment)


@pytest.fixture(scope="session")
def stack() -> Iterator[Stack]:
    """Start all five stores, and stop them when the session ends."""
    folder = Path(tempfile.mkdtemp(prefix="notflix-stack-"))
    home = free_home(folder)
    home.make()
    credentials = load_or_make(home.secrets_file)
    stores = stores_of(home, credentials, {})
    supervisor = Supervisor([store.service for store in stores], home=home)
    supervisor.start()
    environment = settings_of(home, credentials, stores)
    try:
        yield Stack(home, credentials, environment, endpoints_of(home, credentials, stores))
    finally:
        supervisor.stop()
        shutil.rmtree(folder)
