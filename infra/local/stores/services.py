"""The five stores of one home, and the settings that the functions need to reach them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from infra.local.ports import LOOPBACK
from infra.local.stores.arcadedb import arcadedb
from infra.local.stores.azurite import azurite, blob_url
from infra.local.stores.mariadb import mariadb
from infra.local.stores.redis import redis
from infra.local.stores.secantus import secantus

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from infra.local.home import Home
    from infra.local.stores.credentials import Credentials
    from infra.local.stores.store import Store


def stores_of(home: Home, credentials: Credentials, environment: Mapping[str, str]) -> tuple[Store, ...]:
    """Return the stores; a setting in `environment` replaces a local store by an external server."""
    return tuple(make(home, credentials, environment) for make in (azurite, secantus, mariadb, redis, arcadedb))


def settings_of(home: Home, credentials: Credentials, stores: Sequence[Store]) -> dict[str, str]:
    """Return the settings of the functions: the addresses of the stores and the site, and the keys."""
    settings = {name: value for store in stores for name, value in store.settings.items()}
    return {
        **settings,
        "SITE_ORIGIN": home.ports.site_origin,
        "SIGNING_KEY": credentials.signing_key,
        "SECOND_FACTOR_KEYS": credentials.second_factor_key,
        "FILM_KEYS": credentials.film_key,
        "OPERATOR_KEY": credentials.operator_key,
        "WORK_DIR": str(home.path / "work"),
    }


def endpoints_of(home: Home, credentials: Credentials, stores: Sequence[Store]) -> dict[str, str]:
    """Return the addresses for `endpoints.json` by name, and the key for admin API calls."""
    settings = settings_of(home, credentials, stores)
    connection = settings["AzureWebJobsStorage"]
    return {
        "site": home.ports.site_origin,
        "api": f"http://{LOOPBACK}:{home.ports.api}",
        "blob": blob_url(connection),
        "storage_connection": connection,
        "mongo": settings["MONGO_URL"],
        "redis": settings["REDIS_URL"],
        "bolt": settings["NEO4J_URI"],
        "api_key": credentials.operator_key,
        **{name: address for store in stores for name, address in store.endpoints.items()},
    }
