"""A rollback deploys the code of an earlier tag; a smoke test reports everything that does not answer."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING

import pytest

from infra.azure import deploy as deployment
from infra.azure import smoke
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
    assert programs.asked_for("azd") == [["azd", "deploy", "--no-prompt"]], "nothing is provisioned"


def test_a_version_that_is_not_there_is_said_and_nothing_deployed(programs: Programs, versions: Path) -> None:
    with pytest.raises(CannotRun, match="v9"):
        deployment.roll_back("v9")
    assert (versions / "version").read_text() == "v2"
    assert not programs.asked_for("azd")


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
