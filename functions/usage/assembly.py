"""The store of usage that the setting names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from functions.platform import azure_clients as clients
from functions.platform.errors import SettingMissing

if TYPE_CHECKING:
    from collections.abc import Callable

    from pymongo.database import Database

    from functions.platform.settings import Settings
    from functions.usage.model import UsageStore


def open_store(settings: Settings, mongo: Callable[[], Database[dict[str, Any]]]) -> UsageStore:
    """Return the store; raise SettingMissing where the setting names none."""
    if settings.usage_store == "mongo":
        from functions.usage.mongo import MongoUsage

        return MongoUsage(mongo())
    if settings.usage_store != "cosmos":
        raise SettingMissing(f"USAGE_STORE must be mongo or cosmos, not {settings.usage_store!r}.")
    from azure.cosmos import CosmosClient

    from functions.usage.cosmos import CosmosUsage

    client = CosmosClient(
        settings.cosmos_url,
        settings.cosmos_key or clients.identity(),
        connection_timeout=3,
        read_timeout=5,
        retry_total=3,
    )
    return CosmosUsage(client.get_database_client(settings.cosmos_database).get_container_client("usage"))
