"""The site's scripts, tested with Node's test runner."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

HERE = Path(__file__).parent


@pytest.mark.parametrize("file", sorted(HERE.glob("*.test.mjs")), ids=lambda path: path.name)
def test_the_pure_cores_of_the_scripts_hold(file: Path) -> None:
    node = shutil.which("node")
    assert node, "Node 20 or newer must be installed"
    done = subprocess.run([node, "--test", str(file)], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
