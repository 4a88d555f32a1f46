"""Every client of a store has limits on how long it connects and how long it waits for an answer."""

from __future__ import annotations

from typing import Any

import azure.cosmos
import pymysql
import pytest

from functions.platform import mongo, mysql_connections, redis
from functions.platform.azure_clients import blob_service, queue_service
from functions.platform.resources import Resources
from functions.platform.settings import Settings
from functions.recommendations.bolt import READ_S, WRITE_S, Bolt
from functions.usage.assembly import open_store

STORAGE = "AccountName=a;AccountKey=a2V5;BlobEndpoint=http://127.0.0.1:9/a;QueueEndpoint=http://127.0.0.1:9/a"
INTERACTIVE_S, BACKGROUND_S = 5, 30
"""The longest time without an answer, for requests that a person waits for and for background work."""


class Called(Exception):
    """A client would be created with these arguments."""

    def __init__(self, *_: object, **given: Any) -> None:
        super().__init__()
        self.given = given


def test_mongo() -> None:
    with mongo.connect("mongodb://127.0.0.1:9/?directConnection=true") as client:
        options = client.options
        pool = options.pool_options
        limits = (
            pool.connect_timeout,
            pool.socket_timeout,
            pool.wait_queue_timeout,
            options.server_selection_timeout,
        )
    assert all(limit is not None and limit <= INTERACTIVE_S for limit in limits)


def test_redis() -> None:
    with redis.connect("redis://127.0.0.1:9/0") as client:
        given = client.connection_pool.connection_kwargs
    assert 0 < given["socket_connect_timeout"] <= INTERACTIVE_S
    assert 0 < given["socket_timeout"] <= INTERACTIVE_S


def test_mysql(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pymysql, "Connection", Called)
    monkeypatch.setattr(
        mysql_connections, "_be_patient", lambda connection, seconds: connection.given.update(s=seconds)
    )
    opened: Any = mysql_connections.connect(mysql_connections.Address("127.0.0.1", 9, "a", "b"))
    for name in ("connect_timeout", "read_timeout", "write_timeout"):
        assert 0 < opened.given[name] <= INTERACTIVE_S
    assert 0 < opened.given["s"] <= 10


@pytest.mark.parametrize("interactive", [True, False])
@pytest.mark.parametrize("create", [blob_service, queue_service])
def test_storage(create: Any, interactive: bool) -> None:
    with create(STORAGE, interactive=interactive) as client:
        limits = client._pipeline._transport.connection_config
    assert 0 < limits.timeout <= INTERACTIVE_S
    assert 0 < limits.read_timeout <= (INTERACTIVE_S if interactive else BACKGROUND_S)


def test_graph() -> None:
    bolt = Bolt("bolt://127.0.0.1:9", "a", "b")
    try:
        driver: Any = bolt._writing.open()
        assert 0 < READ_S <= INTERACTIVE_S
        assert 0 < WRITE_S <= BACKGROUND_S
        assert 0 < driver._pool.pool_config.connection_timeout <= INTERACTIVE_S
        assert 0 < driver._pool.workspace_config.connection_acquisition_timeout <= INTERACTIVE_S
    finally:
        bolt.close()


def test_cosmos(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(azure.cosmos, "CosmosClient", raising)
    resources = Resources()
    settings = Settings(storage="films", mongo_url="", usage_store="cosmos", cosmos_url="https://a", cosmos_key="b")
    monkeypatch.setattr(resources, "settings", lambda: settings)
    with pytest.raises(Called) as called:
        open_store(resources)
    assert 0 < called.value.given["connection_timeout"] <= INTERACTIVE_S
    assert 0 < called.value.given["read_timeout"] <= INTERACTIVE_S


def raising(*_: object, **given: Any) -> None:
    raise Called(**given)
