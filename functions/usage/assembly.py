"""Creates the services of the usage slice with their dependencies."""

from __future__ import annotations

from typing import TYPE_CHECKING

from functions.platform.errors import SettingMissing
from functions.usage.day_store import MongoViewingDays
from functions.usage.service import UsageService

if TYPE_CHECKING:
    from functions.catalogue.service import Catalogue
    from functions.platform.resources import Resources
    from functions.usage.ports import UsageStore


def assemble(resources: Resources, catalogue: Catalogue) -> UsageService:
    """Return usage; each connection is opened at its first use. Raises SettingMissing."""
    return UsageService(
        open_store(resources),
        catalogue,
        resources.signed_tokens(),
        MongoViewingDays(resources.mongo_database()),
        send=lambda message: resources.interactive_queues().send(message),
        now=resources.now,
        telemetry=resources.telemetry,
    )


def open_store(resources: Resources) -> UsageStore:
    """Return the store selected by the setting USAGE_STORE. Raises SettingMissing if its value is unknown."""
    settings = resources.settings()
    if settings.usage_store == "mongo":
        from functions.usage.mongo import MongoUsage

        return MongoUsage(resources.mongo_database())
    if settings.usage_store != "cosmos":
        raise SettingMissing(f"USAGE_STORE must be mongo or cosmos, not {settings.usage_store!r}.")
    from azure.cosmos import CosmosClient

    from functions.platform.azure_clients import identity
    from functions.usage.cosmos import CosmosUsage

    client = CosmosClient(
        settings.cosmos_url,
        settings.cosmos_key or identity(),
        connection_timeout=3,
        read_timeout=5,
        retry_total=3,
    )
    return CosmosUsage(client.get_database_client(settings.cosmos_database).get_container_client("usage"))
