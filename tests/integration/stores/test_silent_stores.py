"""Stores that run but do not work are restarted: stopped ones, and those whose disk was full or failed."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import threading
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from redis import Redis
from redis.exceptions import RedisError

from infra.local.home import REPOSITORY
from infra.local.processes.liveness import Patience
from infra.local.processes.service import ServiceState
from infra.local.processes.supervisor import Supervisor
from infra.local.stores.credentials import load_or_make
from infra.local.stores.redis import redis
from infra.local.stores.services import stores_of
from tests.support.faulty_files import WRITES, FaultyFiles
from tests.support.homes import free_home
from tests.support.waiting import eventually

if TYPE_CHECKING:
    from pathlib import Path

STORES = {"azurite", "secantus", "mariadb", "redis", "arcadedb"}
IMPATIENT = Patience(every_s=2, again_s=1, answer_s=5, silent_s=8, busy_s=120)
BACK_WITHIN_S = 240


def test_each_stopped_store_is_back_by_itself(tmp_path: Path) -> None:
    home = free_home(tmp_path)
    home.make()
    stores = stores_of(home, load_or_make(home.secrets_file), {})
    services = [replace(store.service, patience=IMPATIENT, stop_s=5) for store in stores]
    supervisor = Supervisor(services, home=home)
    supervisor.start()
    watching = threading.Thread(target=supervisor.watch)
    watching.start()
    try:
        pids = {status.name: status.pid for status in supervisor.statuses()}
        assert set(pids) == STORES
        for pid in pids.values():
            assert pid is not None
            os.kill(pid, signal.SIGSTOP)
        eventually(
            lambda: all(
                status.state is ServiceState.READY and status.pid != pids[status.name]
                for status in supervisor.statuses()
            ),
            within_s=BACK_WITHIN_S,
            every_s=0.2,
        )
        eventually(lambda: [service.check() for service in services] == [None] * len(STORES))
    finally:
        supervisor.request_stop()
        watching.join()
        supervisor.stop()


FULL_DISK = """
import pathlib, sys, threading
from dataclasses import replace
from pymongo import MongoClient
from pymongo.errors import PyMongoError
from infra.local.home import Home
from infra.local.ports import Ports
from infra.local.processes.supervisor import Supervisor
from infra.local.stores.credentials import load_or_make
from infra.local.stores.secantus import secantus
from tests.integration.stores.test_silent_stores import BACK_WITHIN_S, IMPATIENT
from tests.support.waiting import eventually

home = Home(pathlib.Path(sys.argv[1]), Ports(int(sys.argv[2])), pathlib.Path(sys.argv[1]))
store = secantus(home, load_or_make(home.secrets_file), {})
supervisor = Supervisor([replace(store.service, patience=IMPATIENT, stop_s=5)], home=home)
supervisor.start()
watching = threading.Thread(target=supervisor.watch)
watching.start()
client = MongoClient(store.settings["MONGO_URL"], serverSelectionTimeoutMS=2000, socketTimeoutMS=5000)
films, acknowledged = client["notflix"]["titles"], 0

def store_film():
    global acknowledged
    films.insert_one({"_id": acknowledged, "plot": "x" * 100_000})
    acknowledged += 1

def is_dead():
    try:
        store_film()
    except PyMongoError:
        return store.service.check() is not None

def is_kept():
    try:
        return films.count_documents({"_id": {"$lt": acknowledged}}) == acknowledged
    except PyMongoError:
        return False

store_film()
filler = home.path / "filler"
with filler.open("wb") as file:
    try:
        while True:
            file.write(bytes(1 << 20))
            file.flush()
    except OSError:
        pass
eventually(is_dead, every_s=0)
print("dead after", acknowledged, "films", flush=True)
filler.unlink()
eventually(is_kept, within_s=BACK_WITHIN_S, every_s=0.5)
eventually(lambda: store.service.check() is None)
store_film()
restarts = supervisor.statuses()[0].restarts
supervisor.request_stop()
watching.join()
supervisor.stop()
print("back after", restarts, "restarts", flush=True)
"""


def test_document_store_whose_disk_was_full_is_back_once_there_is_space(tmp_path: Path) -> None:
    """The disk is a separate file system, which only the processes of this test see."""
    home = free_home(tmp_path)
    mounted = 'mount -t tmpfs -o size=400m tmpfs "$0" && mkdir "$0/data" "$0/logs" && exec "$@"'
    command = [sys.executable, "-c", FULL_DISK, str(home.path), str(home.ports.base)]
    done = subprocess.run(
        ["unshare", "--map-root-user", "--mount", "sh", "-c", mounted, str(home.path), *command],
        env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "back after" in done.stdout
    assert "back after 0 restarts" not in done.stdout


def test_redis_that_refuses_writes_after_an_error_of_its_disk_is_back_by_itself(tmp_path: Path) -> None:
    files = FaultyFiles.controlled_by(tmp_path / "fiu")
    if files is None:
        pytest.skip("libfiu is not installed (Debian: fiu-utils)")
    home = free_home(tmp_path)
    home.make()
    store = redis(home, load_or_make(home.secrets_file), {})
    service = replace(store.service, patience=IMPATIENT, stop_s=5, environment=files.environment)
    supervisor = Supervisor([service], home=home)
    supervisor.start()
    watching = threading.Thread(target=supervisor.watch)
    watching.start()
    try:
        (status,) = supervisor.statuses()
        assert status.pid is not None
        with Redis.from_url(store.settings["REDIS_URL"]) as client:
            with files.failing(status.pid, WRITES, error=errno.EIO, share=1.0):
                eventually(lambda: _refuses_writes(client))
            assert _refuses_writes(client)  # although its disk works again
            assert client.exists("written")
            eventually(lambda: not _refuses_writes(client), within_s=BACK_WITHIN_S, every_s=0.2)
            assert int(client.get("written") or 0) > 0
        assert supervisor.statuses()[0].restarts == 1
    finally:
        supervisor.request_stop()
        watching.join()
        supervisor.stop()


def _refuses_writes(client: Redis) -> bool:
    try:
        client.incr("written")
    except RedisError:
        return True
    return False
