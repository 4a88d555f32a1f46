"""A temporary copy of the product for a benchmark: start and stop it, and wait for its encodes."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from infra.local.home import REPOSITORY
from tests.support.homes import free_home
from tests.support.uploads import Sent, Storefront

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from infra.local.home import Home

START_TIMEOUT_S = 300
STOP_TIMEOUT_S = 120
MANIFEST_POLL_S = 0.1
MANIFEST_WITHIN_S = 120
JOB_POLL_S = 0.25


@dataclass(frozen=True, slots=True)
class Product:
    """A copy of the product with its state in `home`; `settings` differ from the defaults."""

    home: Home
    settings: Mapping[str, str] = field(default_factory=dict)

    def up(self, *options: str) -> float:
        """Start the product without films; return the number of seconds until it was ready."""
        began = time.perf_counter()
        self._run("up", "--detach", "--empty", *options, within_s=START_TIMEOUT_S)
        return time.perf_counter() - began

    def down(self) -> None:
        """Stop the product."""
        self._run("down", within_s=STOP_TIMEOUT_S)

    def pids(self, kind: str) -> list[int]:
        """Return the process ids of the services whose name starts with `kind`, such as "encoder" or "api"."""
        status: dict[str, Any] = json.loads(self._run("status", "--json", within_s=30))
        return [service["pid"] for service in status["services"] if service["name"].startswith(kind)]

    @property
    def storefront(self) -> Storefront:
        """Return a client of the product."""
        return Storefront(json.loads(self.home.endpoints_file.read_text(encoding="utf-8")))

    def _run(self, *arguments: str, within_s: float) -> str:
        environment = {
            **os.environ,
            **self.settings,
            "NOTFLIX_HOME": str(self.home.path),
            "NOTFLIX_PORT_BASE": str(self.home.ports.base),
            "NOTFLIX_PACKAGES": str(self.home.packages),
            "PYTHONPATH": str(REPOSITORY),
        }
        command = [sys.executable, "-m", "infra.local.cli", *arguments]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=within_s, check=False)
        if done.returncode:
            raise RuntimeError(f"notflix {' '.join(arguments)}: {done.stdout}{done.stderr}")
        return done.stdout


@contextmanager
def product(**settings: str) -> Iterator[Product]:
    """Yield a copy of the product that is not started yet; at the end, stop the copy and delete its data."""
    folder = Path(tempfile.mkdtemp(prefix="notflix-bench-"))
    own = Product(free_home(folder), settings)
    try:
        yield own
    finally:
        own.down()
        shutil.rmtree(folder)


def first_manifest_s(storefront: Storefront, sent: Sent, since: float) -> float:
    """Wait for the first manifest of an upload; return the seconds since `since`, a value of `time.perf_counter`.

    Raise RuntimeError, with the job of the upload, if there is none after MANIFEST_WITHIN_S.
    """
    deadline = time.monotonic() + MANIFEST_WITHIN_S
    while not storefront.is_playable(sent):
        if time.monotonic() > deadline:
            raise RuntimeError(f"{sent.blob} cannot be watched: {storefront.job(sent)}")
        time.sleep(MANIFEST_POLL_S)
    return time.perf_counter() - since


def ready_s(storefront: Storefront, sent: Sent, since: float) -> float:
    """Wait until an upload is completely encoded; return the seconds since `since`.

    Raise RuntimeError if the encode failed.
    """
    while True:
        job = storefront.job(sent)
        if job and job["status"] == "failed":
            raise RuntimeError(f"{sent.blob} could not be encoded: {job['reason']}")
        if job and job["status"] == "ready":
            return time.perf_counter() - since
        time.sleep(JOB_POLL_S)
