"""A rollback deploys the code of an earlier tag; a smoke test reports everything that does not answer."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING

import pytest

from infra.azure import deploy as deployment
from infra.azure import smoke, steps
from infra.local.home import CannotRun
from tests.support.web_server import serving

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.azure import Programs


def git(folder: Path, *arguments: str) -> None:
    who = ("-c", "user.name=owner", "-c", "user.email=owner@example.org")
    subprocess.run(["git", *who, *arguments], cwd=folder, check=True, capture_output=True)


@pytest.fixture
def versions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Create a repository with two versions, and use it as the product's repository."""
    folder = tmp_path / "product"
    folder.mkdir()
    git(folder, "init", "--quiet")
    for version in ("v1", "v2"):
        (folder / "version").write_text(version)
        git(folder, "add", ".")
        git(folder, "commit", "--quiet", "--message", version)
        git(folder, "tag", version)
    monkeypatch.chdir(folder)
    monkeypatch.setattr(deployment, "REPOSITORY", folder)
    return folder


def test_the_code_of_the_earlier_version_is_deployed(programs: Programs, versions: Path) -> None:
    programs.answer("azd", "deploy", body={})
    deployment.roll_back("v1")
    assert (versions / "version").read_text() == "v1"
    done = [call for call in programs.asked_for("azd") if call[1] != "env"]
    assert done == [["azd", "deploy", "--no-prompt"]], "nothing is provisioned"
    assert programs.environment_of("azd", "deploy")[steps.ROLLBACK] == "true"


def test_a_rollback_leaves_the_databases_alone(
    programs: Programs, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The migrations of the earlier version would end as Failed: the databases have later ones."""
    monkeypatch.setenv(steps.ROLLBACK, "true")
    steps.migrate(no_pause)
    assert not programs.asked_for("az")
    assert "stay as they are" in capsys.readouterr().out


@pytest.mark.parametrize("given", ["", "ghcr.io/owner/notflix-encoder:1"])
def test_a_prebuilt_image_stays_unless_another_one_is_named(programs: Programs, versions: Path, given: str) -> None:
    assert versions
    present = "ghcr.io/owner/notflix-encoder:2"
    programs.keep({"NOTFLIX_ENCODER_IMAGE": present})
    programs.answer("azd", "deploy", body={})
    deployment.roll_back("v1", given)
    assert programs.asked_for("azd", "deploy") == [
        ["azd", "deploy", "encoder", "--from-package", given or present, "--no-prompt"],
        ["azd", "deploy", "functions", "--no-prompt"],
    ]
    assert programs.values["NOTFLIX_ENCODER_IMAGE"] == (given or present), "a later deployment builds no image either"


def test_a_version_that_is_not_there_is_said_and_nothing_deployed(programs: Programs, versions: Path) -> None:
    with pytest.raises(CannotRun, match="v9"):
        deployment.roll_back("v9")
    assert (versions / "version").read_text() == "v2"
    assert not programs.asked_for("azd", "deploy")


def no_pause(seconds: float) -> None:
    assert seconds > 0


UP = json.dumps({"stores": {"mongo": {"up": True}, "neo4j": {"up": False}}})
DOWN = json.dumps({"stores": {"mongo": {"up": True}, "redis": {"up": False}}})


@pytest.mark.parametrize(
    ("answers", "words"),
    [
        ({"/": 200, "/api/titles": 200, "/api/health": (503, UP)}, None),
        ({"/": 404, "/api/titles": 200, "/api/health": (200, UP)}, "the site does not answer (HTTP 404)"),
        ({"/": 200, "/api/titles": 500, "/api/health": (200, UP)}, "the API does not answer (HTTP 500)"),
        ({"/": 200, "/api/titles": 200, "/api/health": (503, DOWN)}, "redis does not answer"),
    ],
)
def test_what_does_not_answer_is_named(
    programs: Programs, monkeypatch: pytest.MonkeyPatch, answers: dict[str, int | tuple[int, str]], words: str | None
) -> None:
    monkeypatch.delenv("NEO4J_URI", raising=False)
    with serving(answers) as url:
        programs.keep({"NOTFLIX_API_URL": url, "NOTFLIX_SITE_URL": f"{url}/"})
        if words is None:
            smoke.smoke(no_pause)
            return
        with pytest.raises(CannotRun) as told:
            smoke.smoke(no_pause)
        assert words in str(told.value)
