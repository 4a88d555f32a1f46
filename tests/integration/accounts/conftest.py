"""The application wired to the real stores, with sessions and limits that start empty."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from functions import bootstrap
from tests.support.wiring import forget_all

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.integration.conftest import Stack


@pytest.fixture
def wired(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let `bootstrap` make everything anew for this test, over the stack."""
    for name, value in stack.environment.items():
        monkeypatch.setenv(name, value)
    forget_all()
    bootstrap.resources.redis().flushdb()
    yield
    forget_all()
