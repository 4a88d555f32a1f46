"""Start an emulator of Cosmos DB for NoSQL, with a workaround for its one known bug."""

from __future__ import annotations

import subprocess
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from azure.core.exceptions import AzureError
from azure.core.pipeline.transport import RequestsTransport
from azure.cosmos import CosmosClient, PartitionKey

from infra.local.ports import LOOPBACK
from infra.local.stores.packages import tests_folder
from tests.support.ports import free_port
from tests.support.waiting import PATIENCE_S

if TYPE_CHECKING:
    from collections.abc import Iterator

    from azure.cosmos import ContainerProxy

    from infra.local.home import Home

KEY = "bm90aGluZyBpcyBzZWNyZXQgaGVyZQ=="
START_WITHIN_S = PATIENCE_S
_FAULT = "Cannot read properties of undefined"


class FixingTransport(RequestsTransport):  # type: ignore[misc]  # it has no type annotations
    """Answers 404 for a missing item, as the service does; the emulator itself answers 500."""

    def send(self, request: Any, **kwargs: Any) -> Any:
        """Send a request."""
        response = super().send(request, **kwargs)
        if request.method == "GET" and response.status_code == 500 and _FAULT in response.text():
            response.status_code = 404
        return response


@contextmanager
def cosmos_emulator(home: Home) -> Iterator[ContainerProxy]:
    """Start an emulator; yield a container like that of the deployment, whose items never expire by default."""
    program = tests_folder(home) / "node_modules" / "@vercel" / "cosmosdb-server" / "lib" / "cli.js"
    assert program.exists(), "the packages of the tests are missing; ./notflix test installs them"
    port = free_port()
    command = ["node", str(program), "--no-ssl", "--host", LOOPBACK, "--port", str(port)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            client = _client(f"http://{LOOPBACK}:{port}")
            database = client.create_database("usage")
            yield database.create_container("usage", partition_key=PartitionKey("/user_id"), default_ttl=-1)
        finally:
            process.terminate()


def _client(url: str) -> CosmosClient:
    """Wait until the emulator answers; return a client. Even the creation of a client reads the account."""
    deadline = time.monotonic() + START_WITHIN_S
    while True:
        try:
            # no endpoint discovery, because it would switch to HTTPS with an untrusted certificate
            return CosmosClient(url, KEY, transport=FixingTransport(), retry_total=0, enable_endpoint_discovery=False)
        except AzureError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)
