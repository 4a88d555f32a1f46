"""The hook for systems without a POSIX shell creates its environment once, and runs the step."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

from infra.local.home import REPOSITORY, Home

if TYPE_CHECKING:
    from pathlib import Path

HOOK = REPOSITORY / "infra" / "azure" / "hook.py"


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    home = Home.of().path / "hook"
    home.mkdir(parents=True, exist_ok=True)
    environment = {"PATH": os.environ["PATH"], "NOTFLIX_HOME": str(home)}
    return subprocess.run(
        [sys.executable, str(HOOK), *arguments], env=environment, cwd="/", capture_output=True, text=True, check=False
    )


def test_notflix_deploys_from_a_system_that_cannot_run_the_product(tmp_path: Path) -> None:
    uname = tmp_path / "uname"
    uname.write_text("#!/bin/sh\necho Darwin\n")
    uname.chmod(0o755)
    home = Home.of().path / "hook"
    environment = {"PATH": f"{tmp_path}:{os.environ['PATH']}", "NOTFLIX_HOME": str(home)}
    for arguments, told in (
        (("deploy", "--help"), "Only show what would stop a deployment."),
        (("azure", "--help"), "Apply the SQL migrations"),
        (("azure", "rollback", "--help"), "The version to go back to"),
    ):
        command = [str(REPOSITORY / "notflix"), *arguments]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        assert told in done.stdout
    assert not (home / "venv").exists(), "what only the product needs is not installed"


def test_the_hook_starts_with_what_a_deployment_needs_and_no_more() -> None:
    told = run("--help")
    assert told.returncode == 0, told.stderr
    assert all(step in told.stdout for step in ("prepare", "migrate", "deployed"))
    stamp = Home.of().path / "hook" / "deployment-venv" / "requirements.sha256"
    made = stamp.stat().st_mtime_ns
    assert run("--help").returncode == 0
    assert stamp.stat().st_mtime_ns == made, "the environment is made once"
    failed = run("prepare")
    assert failed.returncode == 1
    assert "azd" in failed.stderr and "Traceback" not in failed.stderr
