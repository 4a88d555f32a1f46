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
        own = r"\$/\.github/(?:actions/\w+|workflows/\w+\.yml)"
        assert re.fullmatch(rf"[\w-]+/[\w/-]+@[0-9a-f]{{40}} # v\d+\.\d+\.\d+|{own}", action), action


def test_the_run_of_everything_ends_with_the_tests() -> None:
    script = (REPOSITORY / ".ci" / "run").read_text(encoding="utf-8")
    assert "./notflix check" in script
    assert script.rstrip().splitlines()[-1] == "./notflix test -q"


def test_only_this_repository_gets_the_identity_in_azure() -> None:
    own = "github.event.pull_request.head.repo.full_name == github.repository"
    names = tracked_files(".github/workflows/*")
    workflows = [yaml.safe_load((REPOSITORY / name).read_text("utf-8")) for name in names]
    jobs = [job for workflow in workflows for job in workflow["jobs"].values()]
    trusted = [job for job in jobs if "id-token" in job.get("permissions", {})]
    assert len(trusted) == 2
    assert not any("id-token" in workflow.get("permissions", {}) for workflow in workflows)
    for job in trusted:
        only_deploys = "github.event_name != 'pull_request'" in job["if"] and job.get("environment") == "production"
        assert only_deploys or own in job["if"], job["if"]
    assert not any("pull_request_target" in workflow[True] for workflow in workflows)  # YAML 1.1 reads `on` as true
