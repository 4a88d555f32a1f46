"""The storage emulator tells hosts about messages and blobs; a host that is told acts at once, although it is idle."""

from __future__ import annotations

import contextlib
import secrets
import socket
from typing import TYPE_CHECKING, Any

import pytest
from azure.core.exceptions import ResourceNotFoundError
from azure.storage.blob import BlobBlock, BlobServiceClient
from azure.storage.queue import QueueServiceClient

from infra.local.host.storage_events import SETTING
from tests.support.proxies import CountingProxy

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import IO

    from azure.storage.blob import ContainerClient
    from azure.storage.queue import QueueClient

    from tests.integration.conftest import Stack
    from tests.integration.host.running import RunningHost

HOURLY = "01:00:00"
POLLING = "AzureFunctionsJobHost__extensions__queues__maxPollingInterval"


@pytest.fixture
def events(stack: Stack) -> Iterator[IO[str]]:
    """Yield the lines that the emulator sends; reading fails after 15 s without a line."""
    host, _, port = stack.environment[SETTING].rpartition(":")
    with socket.create_connection((host, int(port)), timeout=15) as connection, connection.makefile() as lines:
        yield lines


@pytest.fixture
def queue(stack: Stack) -> Iterator[QueueClient]:
    with QueueServiceClient.from_connection_string(stack.environment["AzureWebJobsStorage"]) as service:
        yield service.create_queue(f"q{secrets.token_hex(4)}")


@pytest.fixture
def container(stack: Stack) -> Iterator[ContainerClient]:
    with BlobServiceClient.from_connection_string(stack.environment["AzureWebJobsStorage"]) as service:
        yield service.create_container(f"c{secrets.token_hex(4)}")


def lines_about(name: str, events: IO[str]) -> Iterator[str]:
    return (line for line in events if line.split() and line.split()[1] == name)


def test_message_is_announced_once_it_is_visible(events: IO[str], queue: QueueClient) -> None:
    queue.send_message("hidden for a second", visibility_timeout=1)
    assert next(lines_about(queue.queue_name, events)) == f"queue {queue.queue_name}\n"
    assert [message.content for message in queue.receive_messages()] == ["hidden for a second"]


def test_released_message_is_announced(events: IO[str], queue: QueueClient) -> None:
    queue.send_message("again")
    next(lines_about(queue.queue_name, events))
    taken = queue.receive_message(visibility_timeout=600)
    assert taken is not None
    queue.update_message(taken, visibility_timeout=0)
    next(lines_about(queue.queue_name, events))
    assert queue.receive_message() is not None


def test_message_whose_host_was_killed_is_announced_when_its_lease_ends(events: IO[str], queue: QueueClient) -> None:
    queue.send_message("lost")
    next(lines_about(queue.queue_name, events))
    assert queue.receive_message(visibility_timeout=2) is not None
    next(lines_about(queue.queue_name, events))
    again = queue.receive_message()
    assert again is not None
    assert again.dequeue_count == 2


def test_blob_is_announced_once_it_is_complete(events: IO[str], container: ContainerClient) -> None:
    film = container.get_blob_client("film.mkv")
    film.stage_block("0001", b"first half")
    with contextlib.suppress(ResourceNotFoundError):
        container.get_blob_client("nothing").set_blob_metadata({"a": "b"})  # fails, so it is not announced
    film.commit_block_list([BlobBlock("0001")])
    container.get_blob_client("after").upload_blob(b"x")
    announced = [next(lines_about(container.container_name, events)) for _ in range(2)]
    assert announced == [f"container {container.container_name}\n"] * 2
    assert film.download_blob().readall() == b"first half"


def test_idle_host_that_is_told_asks_nothing_and_acts_at_once(host: RunningHost, stack: Stack) -> None:
    with CountingProxy(stack.home.ports.queue) as proxy:
        direct, through = f":{stack.home.ports.queue}/", f":{proxy.port}/"
        told: dict[str, Any] = {SETTING: stack.environment[SETTING], POLLING: HOURLY}
        host.start(AzureWebJobsStorage=host.connection.replace(direct, through), **told)
        proxy.wait_until_quiet(for_s=15, within_s=120)
        host.send("orders", "now")
        assert [line["body"] for line in host.entries("take_order")] == ["now"]
        host.upload("watched", "one.film", b"film")
        assert [line["name"] for line in host.entries("by_event")] == ["one.film"]
