"""The application with the real stores, its own database and containers, and the OMDb simulator."""

from __future__ import annotations

import threading
import uuid
from typing import TYPE_CHECKING

import pytest
import uvicorn

from functions import bootstrap
from infra.local.simulators.omdb.app import KEY, OmdbSimulator
from tests.support.owners import OPERATOR_KEY
from tests.support.wiring import forget_all

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.integration.conftest import Stack


@pytest.fixture(scope="session")
def omdb() -> Iterator[str]:
    """Run the simulator and return its address."""
    server = uvicorn.Server(uvicorn.Config(OmdbSimulator().app(), host="127.0.0.1", port=0, log_level="error"))
    started = threading.Event()
    startup = server.startup

    async def announced(*arguments: object, **named: object) -> None:
        await startup(*arguments, **named)  # type: ignore[arg-type]
        started.set()

    server.startup = announced  # type: ignore[method-assign]
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    assert started.wait(20)
    port = server.servers[0].sockets[0].getsockname()[1]
    yield f"http://127.0.0.1:{port}/"
    server.should_exit = True
    thread.join()


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
