"""The host starts, refuses unsupported apps, runs timers, and stops cleanly."""

from __future__ import annotations

import json
import signal
import socket
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.integration.host.running import HELD
from tests.support.waiting import eventually

if TYPE_CHECKING:
    from tests.integration.host.running import RunningHost

REFUSED = Path(__file__).parent / "bad_app"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_stop_lets_running_functions_end(host: RunningHost, number: signal.Signals) -> None:
    host.start("--grace", "120")
    host.send("slow", "1.5")
    host.entries("slow_began")
    assert host.end(number) == 0
    assert len(host.journal("slow_ended")) == 1
    assert host.length("slow") == 0


def test_a_stop_gives_back_what_does_not_end_in_time(host: RunningHost) -> None:
    """A busy machine may be slow to stop once, but the default grace is 10 s in each attempt."""
    host.send("slow", HELD)
    for attempt in range(1, 4):
        host.start("--grace", "1", "--lease", "30")
        host.entries("slow_began", attempt)
        began = time.monotonic()
        assert host.end() == 0
        took_s = time.monotonic() - began
        assert host.bodies("slow") == [HELD], "visible at once, not after the lease of 30 s"
        assert host.journal("slow_ended") == []
        if took_s < 8:
            break
    else:
        pytest.fail(f"the last stop took {took_s:.1f} s")
    assert "The app has been left." in host.log, "functions registered with atexit run, although a function still does"


def test_an_unknown_binding_is_refused_at_start(host: RunningHost) -> None:
    host.launch(app="unknown_binding", root=REFUSED)
    assert eventually(lambda: host.process is not None and host.process.poll()) == 1
    assert host.log == "Function store has a binding of type 'cosmosDB', unknown to this host.\n"


def test_a_taken_port_is_told_in_one_sentence(host: RunningHost) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        host.port = taken.getsockname()[1]
        host.launch()
        assert eventually(lambda: host.process is not None and host.process.poll()) == 1
    assert host.log == f"Cannot listen on port {host.port}: Address already in use.\n"


def test_a_storage_account_that_does_not_answer_is_told_in_one_sentence(host: RunningHost, refused_port: int) -> None:
    address = f"http://127.0.0.1:{refused_port}/nobody"
    account = f"AccountName=nobody;AccountKey=bm9ib2R5;BlobEndpoint={address};QueueEndpoint={address};"
    host.launch(AzureWebJobsStorage=account)
    assert eventually(lambda: host.process is not None and host.process.poll()) == 1
    sentence = "does not answer or refuses its key: ServiceRequestError."
    said = host.log.removesuffix("The app has been left.\n")
    assert said == f"The storage account at 127.0.0.1:{refused_port} {sentence}\n"


def test_an_app_that_is_not_there_is_told(host: RunningHost) -> None:
    host.launch(app="nothing_app")
    assert eventually(lambda: host.process is not None and host.process.poll()) == 1
    assert host.log.startswith("There is no app file nothing_app.py in ")


def test_a_timer_runs_at_start_when_it_says_so(host: RunningHost) -> None:
    host.start()
    line = host.entries("tick")[0]
    assert line["past_due"] is False
    assert datetime.fromisoformat(line["status"]["Next"]) > datetime.now(UTC)


def test_a_timer_ticks(host: RunningHost) -> None:
    host.start(TICK="* * * * * *")
    host.entries("tick", 3)


def test_a_timer_that_was_missed_runs_past_due_once(host: RunningHost) -> None:
    status = {
        "Last": "2020-01-01T00:00:00+00:00",
        "Next": "2021-01-01T00:00:00+00:00",
        "LastUpdated": "2020-06-01T00:00:00+00:00",
    }
    name = f"timers/{host.prefix}/Host.Functions.tick/status"
    host.start()
    host.entries("tick")
    host.end()
    blob = host.blobs.get_blob_client("azure-webjobs-hosts", name)
    blob.upload_blob(json.dumps(status), overwrite=True)
    host.start()
    lines = host.entries("tick", 2)
    assert lines[1]["past_due"] is True
    assert lines[1]["status"]["Next"] == "2021-01-01T00:00:00+00:00"
    eventually(lambda: json.loads(blob.download_blob().readall())["Next"] > "2026")
