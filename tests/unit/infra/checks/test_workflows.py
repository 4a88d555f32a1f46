"""The jobs of CI run every kind of test, and every action is pinned to a commit."""

from __future__ import annotations

import re

import yaml

from infra.checks.files import REPOSITORY, tracked_files

CI = yaml.safe_load((REPOSITORY / ".github" / "workflows" / "ci.yml").read_text(encoding="utf-8"))


def test_each_folder_of_tests_is_run_by_a_job() -> None:
    folders = {name.split("/")[1] for name in tracked_files("tests/*/test_*.py")}
    assert set(CI["jobs"]["tests"]["strategy"]["matrix"]["kind"]) == folders


def test_each_action_is_pinned_to_a_commit_with_its_version_in_a_comment() -> None:
    files = tracked_files(".github/workflows/*.yml", ".github/actions/*.yml")
    used = [line for name in files for line in re.findall(r"uses: (.*)", (REPOSITORY / name).read_text("utf-8"))]
    assert used
    for action in used:
        assert re.fullmatch(r"[\w-]+/[\w/-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+|\$/\.github/actions/\w+", action), action


def test_the_run_of_everything_ends_with_the_tests() -> None:
    script = (REPOSITORY / ".ci" / "run").read_text(encoding="utf-8")
    assert "./notflix check" in script
    assert script.rstrip().splitlines()[-1] == "./notflix test -q"
