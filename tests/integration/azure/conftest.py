"""Python environments that are created once: one with the checkers, one with the packages of a deployed app."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from infra.local.home import REPOSITORY, Home

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="session")
def checkers() -> Path:
    """Return the folder with the checkers' programs."""
    return _environment("checks", REPOSITORY / "infra" / "checks" / "requirements.txt") / "bin"


@pytest.fixture(scope="session")
def deployed() -> Path:
    """Return an environment with only requirements.txt installed, as in Azure."""
    return _environment("deployed", REPOSITORY / "requirements.txt")


def _environment(name: str, requirements: Path) -> Path:
    """Return an environment with the packages in a requirements file; recreate it when the file has changed."""
    wanted = hashlib.sha256(requirements.read_bytes()).hexdigest()
    folder = Home.of().packages / name
    mark = folder / "requirements.sha256"
    if not mark.exists() or mark.read_text() != wanted:
        shutil.rmtree(folder, ignore_errors=True)
        subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
        install = (
            str(folder / "bin" / "python"),
            "-m",
            "pip",
            "install",
            "-q",
            "--no-compile",
            "--require-hashes",
            "-r",
            str(requirements),
        )
        subprocess.run(install, check=True)
        mark.write_text(wanted)
    return folder
