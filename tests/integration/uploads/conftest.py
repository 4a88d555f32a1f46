"""The upload service with the real stores and its own database; the document store can be made unavailable."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

import pytest

from functions import bootstrap
from tests.support.wiring import forget_all

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.integration.conftest import Stack


@pytest.fixture
def wire(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], None]]:
    """Return a function that connects `bootstrap` to the stack again, with the document store at the given URL."""
    database = f"test_{uuid.uuid4().hex[:12]}"

    def start(mongo_url: str) -> None:
        for name, value in {**stack.environment, "MONGO_DATABASE": database, "MONGO_URL": mongo_url}.items():
            monkeypatch.setenv(name, value)
        forget_all()

    yield start
    start(stack.environment["MONGO_URL"])
    bootstrap.resources.mongo().drop_database(database)
    forget_all()
