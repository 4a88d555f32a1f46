"""Python environments that are created once: one with the checkers, one with the packages of a deployed app."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from infra.local.home import REPOSITORY
from tests.support.environments import python_environment

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="session")
def checkers() -> Path:
    """Return the folder with the checkers' programs."""
    return python_environment("checks", REPOSITORY / "infra" / "checks" / "requirements.txt") / "bin"


@pytest.fixture(scope="session")
def deployed() -> Path:
    """Return an environment with only requirements.txt installed, as in Azure."""
    return python_environment("deployed", REPOSITORY / "requirements.txt")
