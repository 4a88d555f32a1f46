"""`./notflix traces` shows subjects and their steps, even from a file that a crash has truncated."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from functions.platform.telemetry_export import to_file
from infra.local.cli.traces import show_traces
from infra.local.home import CannotRun, Home

if TYPE_CHECKING:
    from pathlib import Path

BEGAN = datetime(2026, 11, 24, 12, tzinfo=UTC)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    monkeypatch.setenv("NOTFLIX_HOME", str(tmp_path))
    return Home.of()


def test_without_traces_a_sentence_says_how_they_come(home: Home, capsys: pytest.CaptureFixture[str]) -> None:
    assert not home.traces_file.exists()
    show_traces("")
    assert "no traces yet" in capsys.readouterr().out


def test_things_and_steps_are_shown(home: Home, capsys: pytest.CaptureFixture[str]) -> None:
    telemetry = to_file("encoder", str(home.traces_file))
    with telemetry.span("job:1a2b", "chunk", chunk=3):
        pass
    telemetry.root_span("job:1a2b", "upload to ready", began=BEGAN, ended=BEGAN + timedelta(seconds=45))
    telemetry.close()
    with home.traces_file.open("a", encoding="utf-8") as file:
        file.write('{"span": "cut o')
    show_traces("")
    told = capsys.readouterr().out
    assert "job:1a2b" in told
    assert "45.00 s" in told
    show_traces("1a2b")
    assert "chunk 3" in capsys.readouterr().out
    with pytest.raises(CannotRun, match="no trace of 'other'"):
        show_traces("other")
