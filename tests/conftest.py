"""The order of all tests, from quick tests to tests that drive the whole product, and the shared fixtures."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support import ports

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ORDER = ("unit", "integration", "e2e")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Sort the tests by kind; tests of the same kind keep the order in which they were collected."""
    items.sort(key=lambda item: _rank(item.path))


@pytest.fixture
def refused_port() -> Iterator[int]:
    """Return a loopback port that refuses connections for as long as the test runs."""
    with ports.refused_port() as port:
        yield port


def _rank(path: Path) -> int:
    return next((rank for rank, kind in enumerate(ORDER) if kind in path.parts), len(ORDER))
