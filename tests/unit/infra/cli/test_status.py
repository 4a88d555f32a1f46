"""`status`, `down` and `logs` of a product that runs, runs in part, or was killed."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

import pytest

from infra.local.cli.status import show_logs, show_status, status_of
from infra.local.home import CannotRun, Home
from infra.local.processes.service import ServiceState, ServiceStatus, birth_of
from infra.local.processes.state import write_state

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    monkeypatch.setenv("NOTFLIX_HOME", str(tmp_path))
    return Home.of()


def make_service(**more: object) -> ServiceStatus:
    values = {"name": "site", "label": "Site", "state": ServiceState.READY, "address": "http://127.0.0.1:7070", **more}
    return ServiceStatus(**values)  # type: ignore[arg-type]


def test_nothing_that_ever_ran_is_stopped(home: Home) -> None:
    told = status_of(home)
    assert (told["running"], told["state"], told["services"], told["demonstration"]) == (False, "stopped", [], None)


def test_running_product_is_told_to_scripts_as_one_object(home: Home, capsys: pytest.CaptureFixture[str]) -> None:
    write_state(home, "ready", [make_service(pid=os.getpid(), born=birth_of(os.getpid()))])
    show_status(as_json=True)
    told = json.loads(capsys.readouterr().out)
    assert (told["running"], told["state"], told["site"]) == (True, "ready", "http://127.0.0.1:7070")
    assert {"name": "site", "state": "ready", "pid": os.getpid(), "restarts": 0}.items() <= told["services"][0].items()


def test_product_of_which_a_store_is_down_is_degraded(home: Home) -> None:
    write_state(
        home, "ready", [make_service(), make_service(name="redis", state=ServiceState.DOWN, detail="Redis ended.")]
    )
    assert status_of(home)["state"] == "degraded"


def test_killed_supervisor_is_not_taken_for_a_running_one(home: Home) -> None:
    write_state(home, "ready", [make_service(pid=1, born=1)])
    text = json.loads(home.state_file.read_text())
    home.state_file.write_text(json.dumps({**text, "born": text["born"] - 1}))
    told = status_of(home)
    assert (told["running"], told["state"], told["site"]) == (False, "killed", "")
    assert (told["services"][0]["state"], told["services"][0]["pid"]) == ("stopped", None)


def test_process_left_behind_by_a_killed_supervisor_is_named(home: Home) -> None:
    write_state(home, "ready", [make_service(pid=os.getpid(), born=birth_of(os.getpid()))])
    text = json.loads(home.state_file.read_text())
    home.state_file.write_text(json.dumps({**text, "born": text["born"] - 1}))
    assert "`./notflix down` stops it" in status_of(home)["services"][0]["detail"]


def test_log_that_is_not_there_is_answered_with_those_that_are(home: Home) -> None:
    home.make()
    home.log("redis").touch()
    with pytest.raises(CannotRun, match=r"no log 'mysql' in .*; there are: redis\."):
        show_logs("mysql", follow=False)
