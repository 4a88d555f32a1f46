"""Python environments of tools that tests run, each installed once from a lock."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

from infra.local.home import Home

if TYPE_CHECKING:
    from pathlib import Path


def python_environment(name: str, requirements: Path) -> Path:
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
