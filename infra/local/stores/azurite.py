"""Azurite in place of a storage account, with its own account name and key, containers, and CORS rules for the site.

It must be stopped with SIGTERM: if it is killed, it loses blobs that it has acknowledged.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from functions.platform.identifiers import INTERMEDIATES
from infra.local.home import REPOSITORY
from infra.local.host.storage_events import SETTING as EVENTS_SETTING
from infra.local.ports import LOOPBACK
from infra.local.processes.liveness import Patience
from infra.local.processes.service import Service
from infra.local.stores import packages
from infra.local.stores.store import Store

if TYPE_CHECKING:
    from collections.abc import Mapping

    from infra.local.home import Home
    from infra.local.processes.service import Run
    from infra.local.stores.credentials import Credentials

NAME = "azurite"
SETTING = "AzureWebJobsStorage"
LISTED_NAMES = REPOSITORY / "infra" / "local" / "stores" / "azurite_names.cjs"
"""Makes Azurite list blob names with characters that XML forbids; otherwise one such name makes every listing fail."""
EVENTS = REPOSITORY / "infra" / "local" / "stores" / "azurite_events.cjs"
"""Makes Azurite tell the function hosts about new messages and blobs; otherwise they must poll."""
_IMPATIENT: dict[str, Any] = {"retry_total": 0, "connection_timeout": 2, "read_timeout": 2}
CONTAINERS = ("uploads", INTERMEDIATES, "$web")


def azurite(home: Home, credentials: Credentials, environment: Mapping[str, str]) -> Store:
    """Return the local storage account, or the one in AzureWebJobsStorage.

    CORS is set only on an emulator on this machine, not on a real account.
    """
    site = home.ports.site_origin
    if connection := environment.get(SETTING):
        service = Service(
            name=NAME,
            label="Azure Storage",
            address=blob_origin(connection),
            check=partial(_refusal, connection),
            provision=partial(_provision_given, connection, site),
            start_s=10,
        )
        return Store(service, {SETTING: connection})

    ports, folder = home.ports, home.data(NAME)
    account, key = credentials.storage_account, credentials.storage_key
    connection = ";".join(
        (
            "DefaultEndpointsProtocol=http",
            f"AccountName={account}",
            f"AccountKey={key}",
            f"BlobEndpoint=http://{LOOPBACK}:{ports.blob}/{account}",
            f"QueueEndpoint=http://{LOOPBACK}:{ports.queue}/{account}",
            f"TableEndpoint=http://{LOOPBACK}:{ports.table}/{account}",
        )
    )

    def prepare(run: Run) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        packages.install(REPOSITORY / "infra" / "local", packages.stores_folder(home), run)

    def provision() -> None:
        _make_containers(connection)
        _allow_origin(connection, site)

    service = Service(
        name=NAME,
        label="Azurite",
        address=f"http://{LOOPBACK}:{ports.blob}",
        ports=(ports.blob, ports.queue, ports.table, ports.storage_events),
        folder=folder,
        argv=(
            "node",
            *("--require", str(LISTED_NAMES)),
            *("--require", str(EVENTS)),
            str(packages.stores_folder(home) / "node_modules" / "azurite" / "dist" / "src" / "azurite.js"),
            "--silent",
            "--disableTelemetry",
            "--skipApiVersionCheck",  # the SDK requests a newer service version than Azurite supports
            *("--location", str(folder)),
            *("--blobHost", LOOPBACK, "--blobPort", str(ports.blob)),
            *("--queueHost", LOOPBACK, "--queuePort", str(ports.queue)),
            *("--tableHost", LOOPBACK, "--tablePort", str(ports.table)),
        ),
        environment={"AZURITE_ACCOUNTS": f"{account}:{key}", "AZURITE_EVENTS_PORT": str(ports.storage_events)},
        prepare=prepare,
        check=partial(_refusal, connection),
        provision=provision,
        restart=True,
        patience=Patience(),
    )
    return Store(service, {SETTING: connection, EVENTS_SETTING: f"{LOOPBACK}:{ports.storage_events}"})


def blob_url(connection: str) -> str:
    """Return the address of the blob service, including the account name if it is part of the path."""
    from azure.storage.blob import BlobServiceClient

    with BlobServiceClient.from_connection_string(connection) as service:
        return str(service.url).rstrip("/")


def blob_origin(connection: str) -> str:
    """Return the scheme and host of the blob service, for a Content-Security-Policy."""
    return "/".join(blob_url(connection).split("/")[:3])


def _refusal(connection: str) -> str | None:
    """Return why the blob or the queue service does not answer, or None if both do."""
    from azure.core.exceptions import AzureError
    from azure.storage.blob import BlobServiceClient
    from azure.storage.queue import QueueServiceClient

    try:
        with BlobServiceClient.from_connection_string(connection, **_IMPATIENT) as blobs:
            next(iter(blobs.list_containers(results_per_page=1)), None)
        with QueueServiceClient.from_connection_string(connection, **_IMPATIENT) as queues:
            next(iter(queues.list_queues(results_per_page=1)), None)
    except AzureError as error:
        return str(error).splitlines()[0]
    return None


def _provision_given(connection: str, site: str) -> None:
    _make_containers(connection)
    if urlsplit(blob_origin(connection)).hostname in (LOOPBACK, "localhost"):
        _allow_origin(connection, site)


def _make_containers(connection: str) -> None:
    from azure.core.exceptions import ResourceExistsError
    from azure.storage.blob import BlobServiceClient

    with BlobServiceClient.from_connection_string(connection) as blobs:
        for name in CONTAINERS:
            try:
                blobs.create_container(name)
            except ResourceExistsError:
                continue


def _allow_origin(connection: str, origin: str) -> None:
    """Add CORS rules that allow only pages of the site to read and upload with a SAS."""
    from azure.storage.blob import BlobServiceClient, CorsRule

    rule = CorsRule(
        [origin],
        ["GET", "HEAD", "OPTIONS", "PUT"],
        allowed_headers=["*"],
        exposed_headers=["*"],
        max_age_in_seconds=3600,
    )
    with BlobServiceClient.from_connection_string(connection) as blobs:
        blobs.set_service_properties(cors=[rule])
