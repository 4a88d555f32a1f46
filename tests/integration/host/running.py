"""A host under test: the fixture app in its own process and with its own namespace (queues, containers, host id)."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import signal
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import requests
from azure.core.exceptions import ResourceExistsError, ResourceNotFoundError
from azure.storage.blob import BlobServiceClient
from azure.storage.queue import (
    QueueServiceClient,
    TextBase64DecodePolicy,
    TextBase64EncodePolicy,
)

from tests.support.ports import free_port
from tests.support.waiting import PATIENCE_S, eventually

REPOSITORY = Path(__file__).resolve().parents[3]
APP = Path(__file__).parent / "app"
KEYS = {
    "NOTFLIX_FUNCTION_KEY": "the-function-key",
    "NOTFLIX_MASTER_KEY": "the-master-key",
    "NOTFLIX_BLOBS_KEY": "the-blobs-key",
}


HELD = "held"
"""Given to the fixture app instead of a number of seconds; the function then runs until `let_go` is called."""


@dataclass
class RunningHost:
    """The fixture app's namespace in the storage account, and the current host process that runs the app."""

    connection: str
    output: Path
    prefix: str = field(default_factory=lambda: f"t{secrets.token_hex(4)}")
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None

    def __post_init__(self) -> None:
        self.blobs = BlobServiceClient.from_connection_string(self.connection)
        self.queues = QueueServiceClient.from_connection_string(self.connection)
        for name in ("journal", "watched", "scanned"):
            self.blobs.create_container(f"{self.prefix}-{name}")

    def start(self, *arguments: str, app: str = "fixture_app", root: Path = APP, **settings: str) -> RunningHost:
        """Start the host and wait until it reports that it is running."""
        self.launch(*arguments, app=app, root=root, **settings)
        eventually(self._is_running, every_s=0.05)
        return self

    def launch(self, *arguments: str, app: str = "fixture_app", root: Path = APP, **settings: str) -> None:
        """Start the host without waiting."""
        environment = (
            os.environ
            | KEYS
            | {
                "AzureWebJobsStorage": self.connection,
                "AzureFunctionsWebHost__hostid": self.prefix,
                "PREFIX": self.prefix,
                "TICK": "0 0 0 1 1 *",
                "NOTFLIX_CORS": "http://site.test, http://other.test",
                "FUNCTIONS_REQUEST_BODY_SIZE_LIMIT": "100000",
            }
        )
        command = [
            sys.executable,
            "-m",
            "infra.local.host",
            "--root",
            str(root),
            "--app",
            app,
            "--port",
            str(self.port),
        ]
        with self.output.open("ab") as output:
            self.process = subprocess.Popen(
                [*command, *arguments],
                cwd=REPOSITORY,
                env=environment | settings,
                stdout=output,
                stderr=subprocess.STDOUT,
            )

    def _is_running(self) -> bool:
        assert self.process is not None
        if self.process.poll() is not None:
            pytest.fail(f"the host ended with {self.process.returncode}:\n{self.log}")
        try:
            answer = self.get("/admin/host/status", timeout=PATIENCE_S)
        except requests.ConnectionError:
            return False
        return bool(answer.json()["state"] == "Running")

    def end(self, number: signal.Signals = signal.SIGTERM, *, within_s: float = PATIENCE_S) -> int:
        """Send a signal to the host and return its exit code."""
        assert self.process is not None
        self.process.send_signal(number)
        return self.process.wait(within_s)

    @property
    def log(self) -> str:
        """The output of all host processes of this namespace."""
        return self.output.read_text()

    def request(self, method: str, path: str, **options: Any) -> requests.Response:
        """Send a request to the host."""
        return requests.request(method, f"http://127.0.0.1:{self.port}{path}", **{"timeout": PATIENCE_S} | options)

    def get(self, path: str, **options: Any) -> requests.Response:
        """Send a GET request to the host."""
        return self.request("GET", path, **options)

    def post(self, path: str, **options: Any) -> requests.Response:
        """Send a POST request to the host."""
        return self.request("POST", path, **options)

    def journal(self, name: str) -> list[dict[str, Any]]:
        """Return the journal entries that the functions have written under a name."""
        with self.blobs.get_container_client(f"{self.prefix}-journal") as container:
            entries = sorted(str(blob.name) for blob in container.list_blobs(name_starts_with=f"{name}/"))
            return [json.loads(container.download_blob(entry).readall()) for entry in entries]

    def entries(self, name: str, count: int = 1) -> list[dict[str, Any]]:
        """Wait until the journal has at least `count` entries; return them."""
        eventually(lambda: len(self.journal(name)) >= count)
        return self.journal(name)

    def let_go(self) -> None:
        """Let the functions end that are held."""
        self.upload("journal", "let_go/now", b"{}")

    def send(self, queue: str, text: str) -> None:
        """Put a message into a queue; create the queue if it is missing."""
        with self._queue(queue) as client, contextlib.suppress(ResourceExistsError):
            client.create_queue()
        with self._queue(queue) as client:
            client.send_message(text)

    def bodies(self, queue: str) -> list[str]:
        """Return the visible messages in a queue."""
        with self._queue(queue) as client:
            try:
                return [str(message.content) for message in client.peek_messages(32)]
            except ResourceNotFoundError:
                return []

    def length(self, queue: str) -> int:
        """Return the number of messages in a queue, including hidden ones."""
        with self._queue(queue) as client:
            return client.get_queue_properties().approximate_message_count or 0

    def upload(self, container: str, name: str, content: bytes) -> None:
        """Write a blob."""
        with self.blobs.get_blob_client(f"{self.prefix}-{container}", name) as blob:
            blob.upload_blob(content, overwrite=True)

    def _queue(self, name: str) -> Any:
        return self.queues.get_queue_client(
            name if "webjobs" in name else f"{self.prefix}-{name}",
            message_encode_policy=TextBase64EncodePolicy(),
            message_decode_policy=TextBase64DecodePolicy(),
        )

    def close(self) -> None:
        """Kill the host process if it is still running."""
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self.blobs.close()
        self.queues.close()
