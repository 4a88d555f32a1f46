"""SecantusDB in place of Cosmos DB for MongoDB: durable commits, one user, loopback only.

The server requires passwords only once a user exists, and a user can be created only while it requires none. So a
temporary server on a random port creates the user in a new data folder, which gets its final name after that.
"""

from __future__ import annotations

import os
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from infra.local.home import REPOSITORY
from infra.local.ports import LOOPBACK
from infra.local.processes.liveness import Patience
from infra.local.processes.service import Service
from infra.local.stores.store import Store

if TYPE_CHECKING:
    from collections.abc import Mapping

    from infra.local.home import Home
    from infra.local.processes.service import Run
    from infra.local.stores.credentials import Credentials

NAME = "secantus"
SETTING = "MONGO_URL"
USER = "notflix"
PASSWORD_VARIABLE = "NOTFLIX_NEW_USER_PASSWORD"


def secantus(home: Home, credentials: Credentials, environment: Mapping[str, str]) -> Store:
    """Return the local SecantusDB, or the MongoDB server at MONGO_URL."""
    if url := environment.get(SETTING):
        service = Service(
            name=NAME, label="MongoDB", address=f"{urlsplit(url).hostname}", check=partial(_refusal, url), start_s=10
        )
        return Store(service, {SETTING: url})

    port, folder = home.ports.mongo, home.data(NAME)
    # with its storage broken, it says that it belongs to a replica set; without directConnection, the driver would then
    # remove its only server from the set, and never look for it again
    url = f"mongodb://{USER}:{credentials.mongo}@{LOOPBACK}:{port}/?authSource=admin&directConnection=true"

    def prepare(run: Run) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "secantusd.toml").touch()
        if not (folder / "data").exists():
            run("rm", "-rf", str(folder / "data.new"))
            run(
                *(sys.executable, "-m", __name__, str(folder / "data.new")),
                environment={PASSWORD_VARIABLE: credentials.mongo, "PYTHONPATH": str(REPOSITORY)},
            )
            (folder / "data.new").rename(folder / "data")

    service = Service(
        name=NAME,
        label="SecantusDB",
        address=f"{LOOPBACK}:{port}",
        ports=(port,),
        folder=folder,
        argv=(
            *(sys.executable, "-m", "secantus"),
            *("--config", str(folder / "secantusd.toml")),  # empty, so that the user's own configuration is not read
            *("--host", LOOPBACK, "--port", str(port)),
            *("--storage-path", str(folder / "data")),
            *("--cache-size", "128M"),
            "--sync-on-commit",  # without it, a killed server loses acknowledged writes
            "--auth",
            *("--log-level", "WARNING"),
        ),
        prepare=prepare,
        check=partial(_refusal, url),
        restart=True,
        patience=Patience(),
    )
    return Store(service, {SETTING: url})


def _refusal(url: str) -> str | None:
    """Return why the server does not answer a query, or None if it does."""
    from pymongo import MongoClient
    from pymongo.errors import PyMongoError

    client: MongoClient[dict[str, object]] = MongoClient(
        url, serverSelectionTimeoutMS=1000, connectTimeoutMS=1000, socketTimeoutMS=2000
    )
    try:
        # a read, because a server whose storage has failed still answers commands such as ping
        client["notflix"]["titles"].find_one({"_id": "nothing"}, {"_id": 1})
    except PyMongoError as error:
        return str(error).partition(",")[0]
    finally:
        client.close()
    return None


def make_first_user(data: Path, password: str) -> None:
    """Create the data folder with its only user. No other server must be using it."""
    from pymongo import MongoClient
    from secantus import SecantusDBServer

    with SecantusDBServer(LOOPBACK, 0, str(data), enable_test_commands=False, sync_on_commit=True) as server:
        host, port = server.address
        with MongoClient[dict[str, object]](host, port, directConnection=True) as client:
            client.admin.command("createUser", USER, pwd=password, roles=["root"])


if __name__ == "__main__":
    make_first_user(Path(sys.argv[1]), os.environ[PASSWORD_VARIABLE])
