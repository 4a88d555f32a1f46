"""Fake az and azd programs that replace the real ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.azure import Programs, install

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Programs:
    """Put the fake az and azd first on the PATH."""
    return install(tmp_path / "programs", monkeypatch)
