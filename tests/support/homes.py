"""State folders for tests: own data, own free ports, and the npm packages that are installed already."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

from infra.local.home import Home
from infra.local.ports import Ports, is_free

if TYPE_CHECKING:
    from pathlib import Path

SPAN = 40
"""How many ports from the base on one copy of the product may use."""


def free_home(path: Path) -> Home:
    """Return a home in `path` whose ports are all free now, and lower than those that the kernel gives to clients."""
    while True:
        base = random.randrange(20_000, 32_000, SPAN)
        if all(is_free(base + offset) for offset in range(SPAN)):
            return Home(path, Ports(base), Home.of().packages)
