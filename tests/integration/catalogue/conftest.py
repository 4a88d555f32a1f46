"""The application with the real stores, its own database and containers, and the OMDb simulator."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

import pytest

from functions import bootstrap
from infra.local.simulators.omdb.app import KEY
from tests.support.omdb import running_omdb
from tests.support.owners import OPERATOR_KEY
from tests.support.wiring import forget_all

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.integration.conftest import Stack


@pytest.fixture(scope="session")
def omdb() -> Iterator[str]:
    """Run the simulator and return its address."""
    with running_omdb() as url:
        yield url


@pytest.fixture
def wired(stack: Stack, omdb: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Make `bootstrap` assemble everything again for this test, with the real stores."""
    environment = {
        **stack.environment,
        "MONGO_DATABASE": f"test_{uuid.uuid4().hex[:12]}",
        "OMDB_URL": omdb,
        "OMDB_API_KEY": KEY,
        "OPERATOR_KEY": OPERATOR_KEY,
    }
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    forget_all()
    yield
    bootstrap.resources.mongo().drop_database(bootstrap.resources.settings().mongo_database)
    forget_all()
