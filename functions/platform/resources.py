"""The shared clients of one process: each client is created when it is first needed, and connects at its first use."""

from __future__ import annotations

from contextlib import suppress
from threading import Lock
from typing import TYPE_CHECKING, Any

from functions.platform.lazy import lazy, made_values
from functions.platform.time import now

if TYPE_CHECKING:
    from datetime import datetime

    from azure.storage.blob import BlobServiceClient
    from azure.storage.queue import QueueServiceClient
    from pymongo import MongoClient
    from pymongo.database import Database as MongoDatabase
    from redis import Redis

    from functions.platform.blob_signing import Signer
    from functions.platform.bulkhead import Bulkhead
    from functions.platform.mysql import Database
    from functions.platform.queues import Queues
    from functions.platform.settings import Settings
    from functions.platform.signed_tokens import SignedTokens
    from functions.platform.telemetry import Telemetry


class Resources:
    """Settings, clock and clients; safe to share among threads."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._databases: dict[str, Database] = {}

    def now(self) -> datetime:
        """Return the current time in UTC."""
        return now()

    @lazy
    def settings(self) -> Settings:
        """Return the settings from the environment. Raises SettingMissing."""
        from functions.platform.settings import load_settings

        return load_settings()

    @lazy
    def signed_tokens(self) -> SignedTokens:
        """Return the signer of tokens. Raises WeakKey."""
        from functions.platform.signed_tokens import SignedTokens

        return SignedTokens(self.settings().signing_key, self.now)

    @lazy
    def telemetry(self) -> Telemetry:
        """Return the receiver of spans and metrics: Application Insights, a file, or nothing."""
        from functions.platform.telemetry import NoopTelemetry

        settings = self.settings()
        service, connection = settings.otel_service_name, settings.applicationinsights_connection_string
        if connection:
            from functions.platform.azure_clients import identity
            from functions.platform.telemetry_export import to_application_insights

            return to_application_insights(service, connection, identity())
        if settings.traces_file:
            from functions.platform.telemetry_export import to_file

            return to_file(service, settings.traces_file)
        return NoopTelemetry()

    @lazy
    def blob_service(self) -> BlobServiceClient:
        """Return the client of blob storage for background work, which retries for a long time."""
        from functions.platform.azure_clients import blob_service

        return blob_service(self.settings().storage)

    @lazy
    def interactive_blob_service(self) -> BlobServiceClient:
        """Return the client of blob storage for interactive requests, which fails within seconds."""
        from functions.platform.azure_clients import blob_service

        return blob_service(self.settings().storage, interactive=True)

    @lazy
    def signer(self) -> Signer:
        """Return the signer of blob addresses."""
        from functions.platform.blob_signing import Signer

        return Signer(self.blob_service())

    @lazy
    def queue_service(self) -> QueueServiceClient:
        """Return the client of queue storage."""
        from functions.platform.azure_clients import queue_service

        return queue_service(self.settings().storage)

    @lazy
    def queues(self) -> Queues:
        """Return the sender of messages for background work, which retries for a long time."""
        from functions.platform.queues import Queues

        return Queues(self.queue_service())

    @lazy
    def interactive_queues(self) -> Queues:
        """Return the sender of messages for interactive requests, which fails within seconds."""
        from functions.platform.azure_clients import queue_service
        from functions.platform.queues import Queues

        return Queues(queue_service(self.settings().storage, interactive=True))

    @lazy
    def mongo(self) -> MongoClient[dict[str, Any]]:
        """Return the client of MongoDB."""
        from functions.platform.mongo import connect

        return connect(self.settings().mongo_url)

    def mongo_database(self) -> MongoDatabase[dict[str, Any]]:
        """Return the database of titles, encode jobs, usage and the graph's rebuilds."""
        return self.mongo()[self.settings().mongo_database]

    @lazy
    def redis(self) -> Redis:
        """Return the client of Redis."""
        from functions.platform.redis import connect

        return connect(self.settings().redis_url)

    def mysql(self, url: str) -> Database:
        """Return the MySQL database at a URL; all callers share its connection pool."""
        from functions.platform.mysql import Database

        with self._lock:
            if url not in self._databases:
                ca, bulkhead = self.settings().mysql_ca, self._mysql_bulkhead()
                self._databases[url] = Database(url, ca, bulkhead=bulkhead)
            return self._databases[url]

    @lazy
    def _mysql_bulkhead(self) -> Bulkhead:
        """Return the bulkhead that all databases share, because they are on one server."""
        from functions.platform.bulkhead import Bulkhead

        return Bulkhead("MySQL")

    def close(self) -> None:
        """Close the clients that have been created."""
        for client in (*made_values(self), *self._databases.values()):
            with suppress(AttributeError):
                client.close()
