"""While stores are unreachable, each response is correct or a 503, and nothing is lost; recovery needs no restart."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import threading
from collections import Counter
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest
from redis import Redis
from redis.exceptions import RedisError

from functions.accounts import triggers
from functions.accounts.passwords import Argon2Hasher
from functions.catalogue.triggers import list_titles
from functions.platform.errors import StoreUnavailable
from tests.support.accounts import OTHER_PASSWORD, PASSWORD, make_email
from tests.support.api import call
from tests.support.homes import free_home
from tests.support.mysql import running_mysql
from tests.support.queues import drain, empty
from tests.support.waiting import eventually
from tests.support.wiring import forget_all

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.integration.conftest import Stack

pytestmark = pytest.mark.usefixtures("wired")


def ask(function: Any, address: str, session: str = "", /, **body: object) -> tuple[int, Any]:
    headers = {"X-Forwarded-For": "203.0.113.7", "Authorization": f"Bearer {session}"}
    return call(function, address, body=body, headers=headers)


def register() -> str:
    email = make_email()
    assert ask(triggers.register, "accounts", email=email, password=PASSWORD)[0] == 201
    return email


def log_in(email: str, password: str = PASSWORD) -> int:
    return ask(triggers.log_in, "sessions", email=email, password=password)[0]


def rewired(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    """Make `bootstrap` assemble everything again with another setting."""
    forget_all()
    monkeypatch.setenv(name, value)


@contextmanager
def under_load(*requests: Callable[[], int]) -> Iterator[list[Counter[int]]]:
    """Send each kind of request continuously from its own client; yield the response statuses of each kind."""
    ended, seen = threading.Event(), [Counter[int]() for _ in requests]

    def client(request: Callable[[], int], statuses: Counter[int]) -> None:
        while not ended.is_set():
            statuses[request()] += 1

    clients = [threading.Thread(target=client, args=pair) for pair in zip(requests, seen, strict=True)]
    for each in clients:
        each.start()
    try:
        yield seen
    finally:
        ended.set()
        for each in clients:
            each.join()


def test_an_unreachable_history_stops_no_login_and_loses_no_entry(
    stack: Stack, monkeypatch: pytest.MonkeyPatch, refused_port: int
) -> None:
    empty("record-login")
    email = register()
    home = stack.environment["LOGIN_HISTORY_DB_URL"]
    rewired(monkeypatch, "LOGIN_HISTORY_DB_URL", re.sub(r"@[^/]+", f"@127.0.0.1:{refused_port}", home))
    status, session = ask(triggers.log_in, "sessions", email=email, password=PASSWORD)
    assert status == 200
    assert log_in(email, OTHER_PASSWORD) == 401
    assert ask(triggers.list_logins, "me/logins", session["token"])[0] == 503
    for function in (triggers.record_login, triggers.record_login_poison):
        with pytest.raises(StoreUnavailable):
            drain("record-login", function)
    rewired(monkeypatch, "LOGIN_HISTORY_DB_URL", home)
    assert drain("record-login", triggers.record_login) == 2
    _, page = ask(triggers.list_logins, "me/logins", session["token"])
    assert [entry["outcome"] for entry in page["logins"]] == ["wrong_password", "success"]


def test_without_the_queue_logins_work_and_their_history_is_stored_directly(
    stack: Stack, monkeypatch: pytest.MonkeyPatch, refused_port: int
) -> None:
    email = register()
    connection = stack.environment["AzureWebJobsStorage"]
    without = re.sub(r"(QueueEndpoint=http://)[^/]+", rf"\g<1>127.0.0.1:{refused_port}", connection)
    rewired(monkeypatch, "AzureWebJobsStorage", without)
    status, session = ask(triggers.log_in, "sessions", email=email, password=PASSWORD)
    assert status == 200
    _, page = ask(triggers.list_logins, "me/logins", session["token"])
    assert [entry["outcome"] for entry in page["logins"]] == ["success"]
    assert ask(triggers.request_reset, "password-resets", email=email)[0] == 503
    assert ask(triggers.delete_account, "me", session["token"], password=PASSWORD)[0] == 503
    assert log_in(email) == 200


@contextmanager
def redis_server(port: int, folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Run a Redis that persists every write, and wait until it answers."""
    options = ("--bind", "127.0.0.1", "--port", str(port), "--dir", str(folder), "--appendonly", "yes", "--save", "")
    server = subprocess.Popen(["redis-server", *options, "--appendfsync", "always"], stdout=subprocess.DEVNULL)

    def answers() -> bool:
        with Redis(port=port) as client:
            try:
                return bool(client.ping())
            except RedisError:
                return False

    try:
        eventually(answers)
        yield server
    finally:
        server.kill()
        server.wait()


def test_redis_killed_under_load_causes_503_until_it_is_back_and_loses_no_session(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    port = free_home(tmp_path / "home").ports.redis
    rewired(monkeypatch, "REDIS_URL", f"redis://127.0.0.1:{port}/0")
    with redis_server(port, tmp_path) as server:
        email = register()
        token = ask(triggers.log_in, "sessions", email=email, password=PASSWORD)[1]["token"]

        def get_me() -> int:
            return ask(triggers.get_me, "me", token)[0]

        with under_load(lambda: log_in(email), get_me) as seen:
            eventually(lambda: all(statuses[200] > 3 for statuses in seen))
            os.kill(server.pid, signal.SIGKILL)
            eventually(lambda: all(statuses[503] for statuses in seen))
    assert all(set(statuses) <= {200, 503} for statuses in seen)
    with monkeypatch.context() as nothing_hashed:
        nothing_hashed.setattr(Argon2Hasher, "verify", None)
        assert log_in(email) == 503 and get_me() == 503
    assert call(list_titles, "titles")[0] == 200
    with redis_server(port, tmp_path):
        assert get_me() == 200
        assert log_in(email) == 200


def test_mariadb_killed_under_load_causes_503_until_it_is_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with running_mysql(tmp_path) as server:
        forget_all()
        for name in ("LOGINS_DB_URL", "LOGIN_HISTORY_DB_URL"):
            monkeypatch.setenv(name, server.store.settings[name])
        email = register()
        token = ask(triggers.log_in, "sessions", email=email, password=PASSWORD)[1]["token"]
        with under_load(lambda: log_in(email)) as (statuses,):
            eventually(lambda: statuses[200] > 3)
            os.kill(server.pid, signal.SIGKILL)
            eventually(lambda: statuses[503])
            assert ask(triggers.get_me, "me", token)[0] == 200
            before = statuses[200]
            eventually(lambda: statuses[200] > before + 3)
        assert set(statuses) <= {200, 503}
        forget_all()
