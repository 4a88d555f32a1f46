"""A local Redis with an append-only file and a password, on loopback only."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from infra.local.home import write_private
from infra.local.ports import LOOPBACK
from infra.local.processes.liveness import Patience
from infra.local.processes.service import Service
from infra.local.stores.store import Store

if TYPE_CHECKING:
    from collections.abc import Mapping

    from infra.local.home import Home
    from infra.local.processes.service import Run
    from infra.local.stores.credentials import Credentials

NAME = "redis"
SETTING = "REDIS_URL"

CONFIGURATION = f"""\
bind {LOOPBACK}
port {{port}}
requirepass {{password}}
appendonly yes
hz 2
save ""
"""


def redis(home: Home, credentials: Credentials, environment: Mapping[str, str]) -> Store:
    """Return the local Redis, or the one at REDIS_URL."""
    if url := environment.get(SETTING):
        service = Service(
            name=NAME, label="Redis", address=f"{urlsplit(url).hostname}", check=partial(_refusal, url), start_s=10
        )
        return Store(service, {SETTING: url})

    port, folder = home.ports.redis, home.data(NAME)
    url = f"redis://:{credentials.redis}@{LOOPBACK}:{port}/0"

    def prepare(run: Run) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        # in a file, because command-line arguments are visible in the process list
        write_private(folder / "redis.conf", CONFIGURATION.format(port=port, password=credentials.redis))

    service = Service(
        name=NAME,
        label="Redis",
        address=f"{LOOPBACK}:{port}",
        ports=(port,),
        folder=folder,
        argv=("redis-server", str(folder / "redis.conf")),
        prepare=prepare,
        check=partial(_refusal, url),
        restart=True,
        patience=Patience(),
    )
    return Store(service, {SETTING: url})


def _refusal(url: str) -> str | None:
    """Return why the server does not answer a query, or None if it does."""
    from redis import Redis
    from redis.exceptions import RedisError

    client = Redis.from_url(url, socket_connect_timeout=2, socket_timeout=2)
    try:
        # unlike a read, a ping also fails if the server refuses writes because it could not write to its disk
        client.ping()
    except (RedisError, OSError) as error:
        return str(error)
    finally:
        client.close()
    return None
