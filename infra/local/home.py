"""The state folder of one copy of the product: paths of its data, logs, credentials and addresses, and its ports."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from infra.local.ports import Ports

if TYPE_CHECKING:
    from collections.abc import Mapping

REPOSITORY = Path(__file__).resolve().parents[2]

DEFAULT_PORT_BASE = 7070
FREE_BYTES_NEEDED = 1_000_000_000


class CannotRun(Exception):
    """A problem that the user can solve; the message is one sentence and is shown without a traceback."""


@dataclass(frozen=True, slots=True)
class Home:
    """The folder NOTFLIX_HOME and the paths in it; several homes can share `packages`."""

    path: Path
    ports: Ports
    packages: Path

    @classmethod
    def of(cls, environment: Mapping[str, str] = os.environ) -> Home:
        """Return the home that the environment selects; raise CannotRun if NOTFLIX_PORT_BASE is not a usable number."""
        path = Path(environment.get("NOTFLIX_HOME") or REPOSITORY / ".notflix").resolve()
        text = environment.get("NOTFLIX_PORT_BASE") or str(DEFAULT_PORT_BASE)
        if not (text.isascii() and text.isdigit() and 1024 <= int(text) <= 65_000):
            raise CannotRun(f"NOTFLIX_PORT_BASE must be a number from 1024 to 65000, not {text!r}.")
        return cls(path, Ports(int(text)), Path(environment.get("NOTFLIX_PACKAGES") or path).resolve())

    @property
    def secrets_file(self) -> Path:
        """Return the file of the credentials that are created at first start."""
        return self.path / "secrets.json"

    @property
    def endpoints_file(self) -> Path:
        """Return the file that contains every address while the product is ready."""
        return self.path / "endpoints.json"

    @property
    def state_file(self) -> Path:
        """Return the file in which the supervisor records its state."""
        return self.path / "state.json"

    @property
    def traces_file(self) -> Path:
        """Return the file to which the hosts write traces and metrics."""
        return self.path / "logs" / "traces.jsonl"

    def data(self, name: str) -> Path:
        """Return the data folder of a store."""
        return self.path / "data" / name

    def log(self, name: str) -> Path:
        """Return the log file of a service."""
        return self.path / "logs" / f"{name}.log"

    def make(self) -> None:
        """Create the folders; raise CannotRun if they cannot be written or the disk is nearly full."""
        try:
            for name in ("data", "logs"):
                self.path.mkdir(parents=True, exist_ok=True)
                (self.path / name).mkdir(mode=0o700, exist_ok=True)
        except OSError as error:
            raise CannotRun(
                f"{self.path} cannot be written ({error.strerror}); set NOTFLIX_HOME to a folder that you can write to."
            ) from None
        free = shutil.disk_usage(self.path).free
        if free < FREE_BYTES_NEEDED:
            raise CannotRun(
                f"Only {free / 1e9:.1f} GB is free under {self.path} and Notflix needs 1 GB to start; "
                "free some, or set NOTFLIX_HOME to a folder on another disk."
            )


def write_private(path: Path, text: str) -> None:
    """Write a file atomically, readable only by its owner."""
    fresh = path.with_name(f".{path.name}.{os.getpid()}.new")
    fresh.unlink(missing_ok=True)
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(text)
    fresh.replace(path)
