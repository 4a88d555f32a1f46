"""Queue triggers and outputs against a real queue service."""

from __future__ import annotations

import signal
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
from azure.storage.queue import QueueServiceClient

from tests.integration.host.running import HELD
from tests.support.waiting import eventually

if TYPE_CHECKING:
    from tests.integration.host.running import RunningHost


def test_outputs_are_written_after_success_only(host: RunningHost) -> None:
    host.start()
    assert host.post("/api/orders/7?fail=1").status_code == 500
    assert host.post("/api/orders/8").text == "ordered"
    assert sorted(line["body"] for line in host.entries("take_order", 2)) == ["first", "second"]
    eventually(lambda: sorted(host.bodies("done")) == ["first", "second"])
    assert host.blobs.get_blob_client(f"{host.prefix}-receipts", "8.txt").download_blob().readall() == b"thanks"
    assert not host.blobs.get_blob_client(f"{host.prefix}-receipts", "7.txt").exists()


def test_a_failing_message_is_retried_then_buried(host: RunningHost) -> None:
    host.start()
    host.send("stubborn", "no good")
    assert host.entries("buried") == [{"body": "no good"}]
    attempts = host.journal("stubborn")
    assert [attempt["count"] for attempt in attempts] == [1, 2, 3]
    assert len({attempt["id"] for attempt in attempts}) == 1
    assert all(later["at"] - earlier["at"] >= 0.9 for earlier, later in pairwise(attempts)), "visibilityTimeout is 1 s"
    eventually(lambda: host.length("stubborn") == 0)


def test_a_message_that_has_killed_too_many_hosts_is_buried_unread(host: RunningHost) -> None:
    host.send("stubborn", "deadly")
    queue = QueueServiceClient.from_connection_string(host.connection).get_queue_client(f"{host.prefix}-stubborn")
    with queue:
        for _ in range(3):
            taken = queue.receive_message()
            assert taken is not None
            queue.update_message(taken, visibility_timeout=0)
    host.start()
    assert host.entries("buried") == [{"body": "deadly"}]
    assert host.journal("stubborn") == []


def test_a_message_of_another_encoding_is_buried(host: RunningHost) -> None:
    host.send("stubborn", "first")
    with QueueServiceClient.from_connection_string(host.connection) as service:
        queue = service.get_queue_client(f"{host.prefix}-stubborn")
        queue.clear_messages()
        queue.send_message("{not base64}")
        host.start()
        eventually(lambda: "does not have the encoding of messageEncoding" in host.log)
        eventually(lambda: host.length("stubborn") == 0)
    assert host.journal("stubborn") == []


def test_a_long_run_keeps_its_message(host: RunningHost) -> None:
    """A machine may be too busy to renew a short lease in time; then a longer one must do."""
    for lease_s in (2, 8, 30):
        text = str(1.75 * lease_s)
        host.start("--lease", str(lease_s))
        host.send("slow", text)
        eventually(lambda text=text: text in [line["body"] for line in host.journal("slow_ended")])  # type: ignore[misc]
        eventually(lambda: host.length("slow") == 0)
        if [line["count"] for line in host.journal("slow_began") if line["body"] == text] == [1]:
            return
        host.end()
    pytest.fail(host.log)


def test_no_more_run_at_once_than_batch_size_and_threshold(host: RunningHost) -> None:
    for duration_s in ("0.4", "2.0", "0.4", "2.0", "0.4", "2.0", "0.4"):
        host.send("slow", duration_s)
    host.start()
    ended = host.entries("slow_ended", 7)
    events = [(line["at"], 1) for line in host.journal("slow_began")] + [(line["at"], -1) for line in ended]
    running = most = 0
    for _, change in sorted(events):
        running += change
        most = max(most, running)
    assert most == 3


def test_two_functions_of_one_queue_take_a_message_each(host: RunningHost) -> None:
    host.send("places", "first")
    host.send("places", "second")
    host.start(
        *("--lease", "120"),
        AzureFunctionsJobHost__extensions__queues__batchSize="1",
        AzureFunctionsJobHost__extensions__queues__newBatchThreshold="0",
        AzureFunctionsJobHost__functionTimeout="00:01:30",
    )
    assert sorted(line["place"] for line in host.entries("place_left", 2)) == ["one", "other"]
    assert sorted(line["body"] for line in host.journal("place_taken")) == ["first", "second"]


def test_a_lost_message_is_told_and_harms_nothing(host: RunningHost) -> None:
    host.start("--lease", "30")
    host.send("slow", HELD)
    host.entries("slow_began")
    with QueueServiceClient.from_connection_string(host.connection) as service:
        service.get_queue_client(f"{host.prefix}-slow").clear_messages()
    host.let_go()
    eventually(lambda: "its lease was lost" in host.log)
    host.send("slow", "0")
    host.entries("slow_ended", 2)


def test_a_function_over_its_time_counts_as_failed(host: RunningHost) -> None:
    host.start(AzureFunctionsJobHost__functionTimeout="00:00:01")
    host.send("slow", "2")
    assert [line["count"] for line in host.entries("slow_began", 2)[:2]] == [1, 2]
    assert "Aborted after functionTimeout" in host.log


def test_work_of_a_killed_host_comes_back(host: RunningHost) -> None:
    host.start("--lease", "5")
    host.send("slow", HELD)
    host.entries("slow_began")
    host.end(signal.SIGKILL)
    host.let_go()
    host.start("--lease", "5")
    host.entries("slow_ended")
    assert [line["count"] for line in host.journal("slow_began")] == [1, 2]


def test_a_message_given_by_hand_runs(host: RunningHost) -> None:
    host.start()
    by_hand = {"json": {"input": "by hand"}, "headers": {"x-functions-key": "the-master-key"}}
    assert host.post("/admin/functions/take_order", **by_hand).status_code == 202
    assert host.entries("take_order")[0]["body"] == "by hand"
