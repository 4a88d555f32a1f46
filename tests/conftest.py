"""What holds for all tests: the quick ones run first, and those that drive the whole product last."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

ORDER = ("unit", "integration", "e2e")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Order the kinds of test; inside a kind the order stays as it was collected."""
    items.sort(key=lambda item: _rank(item.path))


def _rank(path: Path) -> int:
    return next((rank for rank, kind in enumerate(ORDER) if kind in path.parts), len(ORDER))
