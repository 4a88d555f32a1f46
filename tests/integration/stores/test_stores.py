"""The five stores as the product starts them: their data survives a stop and a kill, and access needs a password."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from queue import SimpleQueue
from typing import TYPE_CHECKING

import neo4j
import pymongo
import pymysql
import pytest
import redis
from azure.core.exceptions import HttpResponseError
from azure.storage.blob import BlobServiceClient
from pymongo.errors import OperationFailure

from infra.local.home import REPOSITORY
from infra.local.ports import LOOPBACK
from infra.local.processes.service import ServiceState
from infra.local.processes.state import read_state
from infra.local.processes.supervisor import StopRequested, Supervisor
from infra.local.stores.credentials import load_or_make
from infra.local.stores.services import settings_of, stores_of
from tests.support.homes import free_home
from tests.support.waiting import PATIENCE_S

if TYPE_CHECKING:
    from pathlib import Path

    from infra.local.home import Home
    from infra.local.processes.service import ServiceStatus
    from tests.integration.conftest import Stack

SUPERVISED = """
import pathlib, sys
from infra.local.stores.credentials import load_or_make
from infra.local.stores.services import stores_of
from infra.local.home import Home
from infra.local.processes.supervisor import Supervisor
home = Home.of()
supervisor = Supervisor([store.service for store in stores_of(home, load_or_make(home.secrets_file), {})], home=home)
supervisor.start()
print("ready", flush=True)
supervisor.watch()
"""


def supervisor_of(home: Home) -> Supervisor:
    return Supervisor([store.service for store in stores_of(home, load_or_make(home.secrets_file), {})], home=home)


def write_everywhere(home: Home) -> None:
    credentials = load_or_make(home.secrets_file)
    settings = settings_of(home, credentials, stores_of(home, credentials, {}))
    with pymongo.MongoClient[dict[str, object]](settings["MONGO_URL"]) as mongo:
        mongo.notflix.kept.insert_one({"_id": "film", "name": "kept"})
    with redis.Redis.from_url(settings["REDIS_URL"]) as keys:
        keys.set("film", "kept")
    with _root(home) as mysql, mysql.cursor() as cursor:
        cursor.execute("CREATE DATABASE kept")
        cursor.execute("CREATE TABLE kept.films (name VARCHAR(10))")
        cursor.execute("INSERT INTO kept.films VALUES ('kept')")
        mysql.commit()
    with _graph(settings) as graph:
        graph.execute_query("CREATE (:Film {name: 'kept'})")
    with BlobServiceClient.from_connection_string(settings["AzureWebJobsStorage"]) as blobs:
        blobs.get_blob_client("uploads", "film").upload_blob(b"kept")


def read_everywhere(home: Home) -> dict[str, object]:
    credentials = load_or_make(home.secrets_file)
    settings = settings_of(home, credentials, stores_of(home, credentials, {}))
    found: dict[str, object] = {}
    with pymongo.MongoClient[dict[str, object]](settings["MONGO_URL"]) as mongo:
        found["mongo"] = (mongo.notflix.kept.find_one({"_id": "film"}) or {}).get("name")
    with redis.Redis.from_url(settings["REDIS_URL"], decode_responses=True) as keys:
        found["redis"] = keys.get("film")
    with _root(home) as mysql, mysql.cursor() as cursor:
        cursor.execute("SELECT name FROM kept.films")
        found["mysql"] = cursor.fetchall()[0][0]
    with _graph(settings) as graph:
        found["graph"] = graph.execute_query("MATCH (film:Film) RETURN film.name AS name").records[0]["name"]
    with BlobServiceClient.from_connection_string(settings["AzureWebJobsStorage"]) as blobs:
        found["blob"] = blobs.get_blob_client("uploads", "film").download_blob().readall().decode()
    return found


def _root(home: Home) -> pymysql.Connection[pymysql.cursors.Cursor]:
    password = load_or_make(home.secrets_file).mysql_root
    return pymysql.connect(host=LOOPBACK, port=home.ports.mysql, user="root", password=password)


def _graph(settings: dict[str, str]) -> neo4j.Driver:
    return neo4j.GraphDatabase.driver(settings["NEO4J_URI"], auth=(settings["NEO4J_USER"], settings["NEO4J_PASSWORD"]))


def test_nothing_is_lost_by_a_stop_nor_by_a_killed_supervisor(tmp_path: Path) -> None:
    home = free_home(tmp_path)
    home.make()
    load_or_make(home.secrets_file)
    first = supervisor_of(home)
    first.start()
    write_everywhere(home)
    first.stop()

    environment = {
        "NOTFLIX_HOME": str(home.path),
        "NOTFLIX_PORT_BASE": str(home.ports.base),
        "NOTFLIX_PACKAGES": str(home.packages),
        "PYTHONPATH": str(REPOSITORY),
        "PATH": os.environ["PATH"],
    }
    command = [sys.executable, "-c", SUPERVISED]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        process.send_signal(signal.SIGKILL)

    recovered = supervisor_of(home)
    recovered.start()
    try:
        kept = read_everywhere(home)
    finally:
        recovered.stop()
    assert kept == dict.fromkeys(("mongo", "redis", "mysql", "graph", "blob"), "kept")


def test_stores_that_are_killed_come_back_by_themselves_with_their_data(tmp_path: Path) -> None:
    home = free_home(tmp_path)
    home.make()
    changes: SimpleQueue[ServiceStatus] = SimpleQueue()
    credentials = load_or_make(home.secrets_file)
    stores = stores_of(home, credentials, {})
    settings = settings_of(home, credentials, stores)
    supervisor = Supervisor([store.service for store in stores], home=home, report=changes.put)
    supervisor.start()
    watcher = threading.Thread(target=supervisor.watch)
    watcher.start()
    try:
        write_everywhere(home)
        for service in supervisor.statuses():
            assert service.pid is not None
            os.kill(service.pid, signal.SIGKILL)
        waited_for = {store.service.name for store in stores}
        while waited_for:
            change = changes.get(timeout=PATIENCE_S)
            if change.restarts and change.state is ServiceState.READY:
                waited_for.remove(change.name)
        with BlobServiceClient.from_connection_string(settings["AzureWebJobsStorage"]) as blobs:
            # written again, because the first write may have been lost
            blobs.get_blob_client("uploads", "film").upload_blob(b"kept", overwrite=True)
        kept = read_everywhere(home)
    finally:
        supervisor.request_stop()
        watcher.join()
        supervisor.stop()
    assert kept == dict.fromkeys(("mongo", "redis", "mysql", "graph", "blob"), "kept")


def test_stop_asked_for_while_the_stores_start_leaves_nothing_running(tmp_path: Path) -> None:
    home = free_home(tmp_path)
    home.make()
    supervisor = supervisor_of(home)
    threading.Timer(0.5, supervisor.request_stop).start()
    with pytest.raises(StopRequested):
        supervisor.start()
    state = read_state(home)
    assert state is not None
    assert state.phase == "stopped"
    assert [service.pid for service in state.services] == [None] * 5


@pytest.mark.parametrize("user", ["root", "logins", "logins_owner", "mysql", ""])
def test_nobody_enters_mysql_without_a_password(stack: Stack, user: str) -> None:
    with pytest.raises(pymysql.MySQLError):
        pymysql.connect(host=LOOPBACK, port=stack.home.ports.mysql, user=user)


def test_nobody_enters_the_other_stores_without_their_credentials(stack: Stack) -> None:
    ports = stack.home.ports
    with pymongo.MongoClient[dict[str, object]](LOOPBACK, ports.mongo) as mongo, pytest.raises(OperationFailure):
        mongo.notflix.titles.find_one()
    with redis.Redis(LOOPBACK, ports.redis) as keys, pytest.raises(redis.AuthenticationError):
        keys.get("film")
    with (
        neo4j.GraphDatabase.driver(stack.endpoints["bolt"], auth=("neo4j", "wrong")) as graph,
        pytest.raises(neo4j.exceptions.AuthError),
    ):
        graph.verify_connectivity()
    public_key = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
    strange = stack.endpoints["storage_connection"].replace(stack.credentials.storage_key, public_key)
    with BlobServiceClient.from_connection_string(strange) as blobs, pytest.raises(HttpResponseError) as refused:
        blobs.get_account_information()
    assert refused.value.status_code == 403


def test_pages_of_the_site_and_of_no_other_origin_may_read_blobs(stack: Stack) -> None:
    with BlobServiceClient.from_connection_string(stack.settings.storage) as blobs:
        names = {container.name for container in blobs.list_containers()}
        rules = blobs.get_service_properties()["cors"]
    assert {"uploads", "$web"} <= names
    assert [rule.allowed_origins for rule in rules] == [stack.endpoints["site"]]
