"""The site's scripts, tested with Node's test runner."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from infra.local.home import Home
from infra.local.stores import packages
from tests.unit.web.test_build import node_modules

HERE = Path(__file__).parent


@pytest.mark.parametrize("file", sorted(HERE.glob("*.test.mjs")), ids=lambda path: path.name)
def test_the_pure_cores_of_the_scripts_hold(file: Path) -> None:
    node = shutil.which("node")
    assert node, "Node 20 or newer must be installed"
    folders = {"WEB_PACKAGES": node_modules(), "TEST_PACKAGES": packages.tests_folder(Home.of()) / "node_modules"}
    environment = {**os.environ, **{name: str(folder) for name, folder in folders.items()}}
    done = subprocess.run(
        [node, "--import", str(HERE / "texts.mjs"), "--test", str(file)],
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
