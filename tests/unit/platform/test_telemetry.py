"""Steps of one subject share one trace across processes; without an exporter the SDK is not imported."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from functions.platform.telemetry import NoopTelemetry, root_id_of, trace_id_of
from functions.platform.telemetry_export import rename_large, to_file

if TYPE_CHECKING:
    from pathlib import Path

BEGAN = datetime(2026, 11, 24, 12, tzinfo=UTC)


def lines_of(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def test_steps_of_two_processes_belong_to_one_trace(tmp_path: Path) -> None:
    path = tmp_path / "traces.jsonl"
    encoder, api = to_file("encoder", str(path)), to_file("api", str(path))
    with encoder.span("job:1", "chunk", chunk=0):
        pass
    api.root_span("job:1", "upload to ready", began=BEGAN, ended=BEGAN + timedelta(seconds=45), status="ready")
    encoder.close()
    api.close()
    step, root = (line for line in lines_of(path) if "span" in line)
    assert step["trace_id"] == root["trace_id"] == f"{trace_id_of('job:1'):032x}"
    assert step["parent_id"] == root["span_id"] == f"{root_id_of('job:1'):016x}"
    assert root["parent_id"] is None
    assert root["ended_ns"] - root["began_ns"] == 45_000_000_000
    assert (step["service"], step["attributes"]["chunk"], root["attributes"]["status"]) == ("encoder", 0, "ready")


def test_only_the_class_of_an_error_is_recorded(tmp_path: Path) -> None:
    path = tmp_path / "traces.jsonl"
    telemetry = to_file("api", str(path))
    with pytest.raises(ValueError, match="sig=secret"), telemetry.span("job:1", "plan"):
        raise ValueError("https://example.org/?sig=secret")
    telemetry.close()
    assert "ValueError" in path.read_text(encoding="utf-8")
    assert "secret" not in path.read_text(encoding="utf-8")


def test_a_large_file_is_renamed_once_by_processes_that_share_it(tmp_path: Path) -> None:
    path = tmp_path / "traces.jsonl"
    path.write_text("the steps of an hour\n")
    with path.open("a") as first, path.open("a") as second:
        rename_large(path, first)
        rename_large(path, second)
        path.write_text("the next step\n")
        rename_large(path, second)
    assert (tmp_path / "traces.1.jsonl").read_text() == "the steps of an hour\n"
    assert path.read_text() == "the next step\n"


def test_metrics_are_aggregated(tmp_path: Path) -> None:
    path = tmp_path / "traces.jsonl"
    telemetry = to_file("api", str(path))
    for seconds in (1.0, 3.0):
        telemetry.record("notflix.chunk.encode_s", seconds)
    telemetry.close()
    (metric,) = (line for line in lines_of(path) if line.get("metric") == "notflix.chunk.encode_s")
    assert (metric["count"], metric["sum"], metric["max"]) == (2, 4.0, 3.0)


def test_time_between_two_clocks_is_recorded_even_if_it_is_negative(tmp_path: Path) -> None:
    path = tmp_path / "traces.jsonl"
    telemetry = to_file("api", str(path))
    telemetry.record("notflix.webhook.lag_s", -7200.0)
    telemetry.close()
    (metric,) = (line for line in lines_of(path) if line.get("metric") == "notflix.webhook.lag_s")
    assert (metric["count"], metric["sum"]) == (1, 0)


def test_noop_telemetry_changes_nothing() -> None:
    with NoopTelemetry().span("job:1", "plan"):
        NoopTelemetry().record("notflix.job.ready_s", 1.0)


def test_app_without_exporter_does_not_import_the_sdk() -> None:
    modules = "sys, functions.platform.telemetry, functions.encoding.job_telemetry"
    code = f"import {modules}; print('opentelemetry' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
