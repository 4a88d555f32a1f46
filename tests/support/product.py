"""A running copy of the product, with its own data and ports, started as a person starts it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from infra.local.home import REPOSITORY
from tests.support.homes import free_home

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from infra.local.home import Home


QUICK_ENCODES = {"ENCODE_PRESET": "ultrafast"}
"""What every product of the tests has, unless a test says otherwise: films look worse, for half of the CPU time."""

ENCODE_ALL = {"PASSTHROUGH_PERCENT": "0"}
"""The settings with which no film's own pictures are copied, so that all of them are encoded in even segments."""


@dataclass(frozen=True, slots=True)
class Product:
    """A running copy of the product; `settings` are environment variables of its `up`."""

    home: Home
    settings: Mapping[str, str] = field(default_factory=dict)

    def run(self, *arguments: str, timeout_s: float = 900) -> subprocess.CompletedProcess[str]:
        """Run `./notflix` with the arguments; the caller checks the exit code."""
        environment = {
            **os.environ,
            **self.settings,
            "NOTFLIX_HOME": str(self.home.path),
            "NOTFLIX_PORT_BASE": str(self.home.ports.base),
            "NOTFLIX_PACKAGES": str(self.home.packages),
            "PYTHONPATH": str(REPOSITORY),
        }
        command = [sys.executable, "-m", "infra.local.cli", *arguments]
        return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=timeout_s, check=False)

    @property
    def endpoints(self) -> dict[str, str]:
        """Return the addresses of all services by name."""
        endpoints: dict[str, str] = json.loads(self.home.endpoints_file.read_text(encoding="utf-8"))
        return endpoints


@contextmanager
def running_product(*options: str, settings: Mapping[str, str] | None = None) -> Iterator[Product]:
    """Start the product without the demonstration films; stop it and delete its data at the end.

    `options` are further options of `up`, and `settings` its environment variables.
    """
    folder = Path(tempfile.mkdtemp(prefix="notflix-product-"))
    running = Product(free_home(folder), QUICK_ENCODES | dict(settings or {}))
    began = running.run("up", "--detach", "--empty", *options)
    assert began.returncode == 0, began.stdout + began.stderr
    try:
        yield running
    finally:
        ended = running.run("down")
        assert ended.returncode == 0, ended.stdout + ended.stderr
        shutil.rmtree(folder)
