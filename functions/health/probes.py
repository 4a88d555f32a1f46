"""One short query per store. A probe returns normally if the store answers; errors of the driver propagate."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

from functions.health.service import TIMEOUT_S

if TYPE_CHECKING:
    from collections.abc import Callable

    from azure.storage.blob import BlobServiceClient
    from azure.storage.queue import QueueServiceClient
    from pymongo import MongoClient

    from functions.platform.settings import Settings
    from functions.usage.service import UsageService


OPTIONAL = frozenset({"neo4j"})
"""Stores that the service can work without: without the graph, shelves come from the catalogue."""


class NotSet(Exception):
    """The setting for the store is empty."""


def probes_of(
    settings: Settings,
    *,
    blobs: Callable[[], BlobServiceClient],
    queues: Callable[[], QueueServiceClient],
    mongo: Callable[[], MongoClient[dict[str, object]]],
    usage: Callable[[], UsageService],
) -> dict[str, Callable[[], None]]:
    """Return a probe for each store, keyed by the store's name."""

    def blob() -> None:
        blobs().get_container_client("$web").exists(retry_total=0, timeout=int(TIMEOUT_S))

    def queue() -> None:
        next(iter(queues().list_queues(results_per_page=1, retry_total=0, timeout=int(TIMEOUT_S))), None)

    def mongodb() -> None:
        # a read, because a server whose storage has failed still answers a ping
        mongo()[settings.mongo_database]["titles"].find_one({"_id": "nothing"}, {"_id": 1})

    def mysql() -> None:
        from functions.platform.mysql_connections import Address, connect

        address = Address.of(_given(settings.logins_db_url))
        with closing(connect(address, settings.mysql_ca, answer_s=TIMEOUT_S)) as connection:
            connection.cursor().execute(f"CALL `{address.database}`.`get_login`('')")

    def redis() -> None:
        from redis import Redis

        with Redis.from_url(
            _given(settings.redis_url), socket_connect_timeout=TIMEOUT_S, socket_timeout=TIMEOUT_S
        ) as client:
            client.ping()

    def neo4j() -> None:
        from neo4j import GraphDatabase

        with GraphDatabase.driver(
            _given(settings.neo4j_uri),
            auth=(settings.neo4j_user, settings.neo4j_password),
            connection_timeout=TIMEOUT_S,
            max_transaction_retry_time=0,
        ) as driver:
            driver.verify_connectivity()

    def cosmos() -> None:
        usage().title_state("0" * 32, "nothing")

    probes = {"blob": blob, "queue": queue, "mongo": mongodb, "mysql": mysql, "redis": redis, "neo4j": neo4j}
    return {**probes, "cosmos": cosmos} if settings.usage_store == "cosmos" else probes


def _given(setting: str) -> str:
    if not setting:
        raise NotSet
    return setting
