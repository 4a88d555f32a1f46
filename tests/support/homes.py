"""State folders for tests, with their own data and free ports, and with the installed npm packages."""

from __future__ import annotations

from typing import TYPE_CHECKING

from infra.local.home import Home
from infra.local.ports import Ports
from tests.support.ports import claimed_port

if TYPE_CHECKING:
    from pathlib import Path

SPAN = 40
"""The number of ports, starting at the base, that one copy of the product may use."""


def free_home(path: Path) -> Home:
    """Return a home in `path` whose ports are all free and below the range that the kernel assigns to clients."""
    return Home(path, Ports(claimed_port(20_000, 32_000, SPAN)), Home.of().packages)
