"""Run the conformance checker for DASH that the environment names, if any."""

from __future__ import annotations

import os
import shlex
import subprocess
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

CONFORMANCE = "NOTFLIX_CONFORMANCE"
"""The environment variable with the command of a checker; it accepts MPDs, or --segments and a folder."""

needs_checker = pytest.mark.skipif(CONFORMANCE not in os.environ, reason="no conformance checker is configured")


def findings(*arguments: str | Path, folder: Path) -> str:
    """Return what the checker reports, "" if nothing is wrong; `arguments` are relative to `folder`."""
    command = [*shlex.split(os.environ[CONFORMANCE]), *map(str, arguments)]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    return done.stdout + done.stderr if done.returncode else ""
