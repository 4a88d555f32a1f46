"""The real stores for integration tests: started once per session on free ports, with their own data."""

from __future__ import annotations

import os
import shutil
import tempfile
import uuid
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from pymongo import MongoClient

from functions.platform.settings import Settings, load_settings
from infra.local.home import Home
from infra.local.ports import Ports
from infra.local.processes.supervisor import Supervisor
from infra.local.stores.credentials import Credentials, load_or_make
from infra.local.stores.services import endpoints_of, settings_of, stores_of
from tests.support.homes import free_home

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pymongo.database import Database

SHARED_STACK = "NOTFLIX_TEST_STACK"
"""The environment variable with the address of a stack that already runs; several sessions can use it in turn."""


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

    @property
    def address(self) -> str:
        """Return what another process needs to use this stack."""
        return f"{self.home.ports.base}:{self.home.path}"

    @classmethod
    def at(cls, address: str) -> Stack:
        """Return the stack with this address."""
        base, _, path = address.partition(":")
        return _stack_of(Home(Path(path), Ports(int(base)), Home.of().packages))


@pytest.fixture(scope="session")
def stack() -> Iterator[Stack]:
    """Return the stores that already run, or start all five, and stop them when the session ends."""
    shared = os.environ.get(SHARED_STACK)
    if shared:
        yield Stack.at(shared)
        return
    with running_stack() as started:
        yield started


@contextmanager
def running_stack() -> Iterator[Stack]:
    """Start all five stores in a folder of their own; stop them and delete the folder afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="notflix-stack-"))
    home = free_home(folder)
    home.make()
    stores = stores_of(home, load_or_make(home.secrets_file), {})
    supervisor = Supervisor([store.service for store in stores], home=home)
    supervisor.start()
    try:
        yield _stack_of(home)
    finally:
        supervisor.stop()
        shutil.rmtree(folder)


def _stack_of(home: Home) -> Stack:
    credentials = load_or_make(home.secrets_file)
    stores = stores_of(home, credentials, {})
    environment = settings_of(home, credentials, stores)
    return Stack(home, credentials, environment, endpoints_of(home, credentials, stores))


@pytest.fixture
def mongo_database(stack: Stack) -> Iterator[Database[dict[str, Any]]]:
    """Return an empty database of the document store, which is dropped after the test."""
    name = f"test_{uuid.uuid4().hex[:12]}"
    with MongoClient[dict[str, Any]](stack.settings.mongo_url, tz_aware=True) as client:
        yield client[name]
        client.drop_database(name)
