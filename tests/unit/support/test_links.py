"""Links behave like the networks and the storage account that they represent."""

from __future__ import annotations

import random
import socket
import threading
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

import pytest
from azure.core.exceptions import HttpResponseError, ResourceModifiedError
from azure.storage.blob import BlobClient

from tests.support.links import LOOPBACK, Condition, Cutting, Link, Silent, Slow, Trickling
from tests.support.storage_links import Refusing, StorageLink, StorageRefusal

if TYPE_CHECKING:
    from collections.abc import Iterator

WORDS = b"a question of some length, which comes back as its answer"


@pytest.fixture
def link() -> Iterator[Link]:
    """Return a link to a server that sends back what it receives."""
    with socket.create_server((LOOPBACK, 0)) as listener:

        def serve() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                threading.Thread(target=echo, args=(connection,), daemon=True).start()

        def echo(connection: socket.socket) -> None:
            with connection, suppress(ConnectionResetError):
                while data := connection.recv(65_536):
                    connection.sendall(data)

        accepting = threading.Thread(target=serve, daemon=True)
        accepting.start()
        with Link(listener.getsockname()[1]) as made:
            yield made
        listener.shutdown(socket.SHUT_RDWR)
        accepting.join()


def ask(client: socket.socket) -> bytes:
    """Send WORDS and return the answer, as far as it arrives."""
    client.sendall(WORDS)
    answer = b""
    while len(answer) < len(WORDS) and (data := client.recv(65_536)):
        answer += data
    return answer


@contextmanager
def connected(link: Link, *, timeout_s: float = 20) -> Iterator[socket.socket]:
    with socket.create_connection((LOOPBACK, link.port), timeout=timeout_s) as client:
        yield client


@pytest.mark.parametrize("condition", [Condition(), Slow(random.Random(1)), Trickling()])
def test_what_is_late_arrives_complete(link: Link, condition: Condition) -> None:
    with connected(link) as client, link.under(condition):
        assert ask(client) == WORDS


def test_cut_answer_ends_in_the_middle_with_a_reset(link: Link) -> None:
    class Certain(random.Random):
        def random(self) -> float:
            return 0.0

    with connected(link) as client:
        assert ask(client) == WORDS
        with link.under(Cutting(Certain(1))), pytest.raises(ConnectionResetError):
            while ask(client):
                continue
    with connected(link) as client:
        assert ask(client) == WORDS


def test_silent_connection_stays_silent_and_a_new_one_works(link: Link) -> None:
    with connected(link, timeout_s=0.2) as client:
        with link.under(Silent()), pytest.raises(TimeoutError):
            ask(client)
        with pytest.raises(TimeoutError):
            ask(client)
    with connected(link) as client:
        assert ask(client) == WORDS


def test_link_that_is_down_resets_every_connection_until_it_is_up_again(link: Link) -> None:
    with connected(link) as client:
        assert ask(client) == WORDS
        with link.down():
            with pytest.raises(ConnectionError):
                while ask(client):
                    continue
            with pytest.raises(ConnectionError), connected(link) as other:
                while ask(other):
                    continue
    with connected(link) as client:
        assert ask(client) == WORDS


class Storage(BaseHTTPRequestHandler):
    """Stores any blob, and counts the requests."""

    protocol_version = "HTTP/1.1"
    stored = 0

    def do_PUT(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        Storage.stored += 1
        self.send_response(201)
        for name, value in (
            ("ETag", '"1"'),
            ("Last-Modified", "Fri, 27 Nov 2026 10:00:00 GMT"),
            ("Content-Length", "0"),
        ):
            self.send_header(name, value)
        self.end_headers()

    def log_message(self, format: str, *arguments: object) -> None:
        """Write nothing."""


@pytest.fixture
def storage() -> Iterator[StorageLink]:
    with ThreadingHTTPServer((LOOPBACK, 0), Storage) as server:
        serving = threading.Thread(target=server.serve_forever, args=(0.01,))
        serving.start()
        with StorageLink(server.server_port) as link:
            yield link
        server.shutdown()
        serving.join()


@pytest.mark.parametrize(
    ("refusal", "code", "executed"),
    [
        (StorageRefusal.BUSY, "ServerBusy", 0),
        (StorageRefusal.THROTTLED, "TooManyRequests", 0),
        (StorageRefusal.TIMED_OUT, "OperationTimedOut", 1),
    ],
)
def test_sdk_reads_refusals_as_those_of_azure(
    storage: StorageLink, refusal: StorageRefusal, code: str, executed: int
) -> None:
    Storage.stored = 0
    refusing = Refusing(refusal, 1.0, random.Random(1))
    with BlobClient(f"http://{LOOPBACK}:{storage.port}/a", "films", "a", retry_total=0) as blob:
        with storage.that_refuses(refusing), pytest.raises(HttpResponseError) as refused:
            blob.upload_blob(b"a film")
        assert (refused.value.status_code, getattr(refused.value, "error_code", None)) == (refusal.status, code)
        assert (storage.refused, Storage.stored) == (1, executed)
        assert blob.upload_blob(b"a film")["etag"] == '"1"'


def test_only_a_request_with_a_condition_meets_a_change(storage: StorageLink) -> None:
    refusing = Refusing(StorageRefusal.CHANGED, 1.0, random.Random(1))
    with (
        BlobClient(f"http://{LOOPBACK}:{storage.port}/a", "films", "a", retry_total=0) as blob,
        storage.that_refuses(refusing),
    ):
        assert blob.upload_blob(b"a film", overwrite=True)
        with pytest.raises(ResourceModifiedError):
            blob.upload_blob(b"a film", overwrite=True, headers={"If-Match": '"1"'})
