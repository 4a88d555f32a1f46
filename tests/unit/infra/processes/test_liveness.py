"""A process that runs but answers no query is restarted, and only then."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from infra.local.processes.liveness import Liveness, Patience
from infra.local.processes.service import Service, ServiceState, birth_of
from infra.local.processes.supervisor import Supervisor
from tests.support.ports import free_port
from tests.unit.infra.processes.toys import Ear, diary, toy_home

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from infra.local.home import Home

ANSWERING = """
import pathlib, signal, socket, sys, threading, time
folder, port, delay = pathlib.Path(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])
def write(word):
    with (folder / "diary").open("a") as diary:
        diary.write(f"{word}\\n")
def stop(*_):
    write("stopped")
    sys.exit(0)
signal.signal(signal.SIGTERM, stop)
if (folder / "slow").exists():
    write("recovering")
    time.sleep(delay)
server = socket.create_server(("127.0.0.1", port))
write("started")
while True:
    connection, _ = server.accept()
    if (folder / "mute").exists():
        kept = connection  # the port accepts, and nothing is answered
        while (folder / "busy").exists():
            pass
        continue
    connection.sendall(b"ok")
    connection.close()
"""
SHORT = Patience(every_s=0.05, again_s=0.05, answer_s=0.5, silent_s=2, busy_s=30)


def asked(port: int) -> str | None:
    """Return why the server does not answer, or None if it does."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=0.2) as connection:
            return None if connection.recv(2) == b"ok" else "it hung up"
    except OSError as error:
        return str(error)


@pytest.fixture
def idle_pid() -> Iterator[int]:
    """Return the id of a process that uses no processor time."""
    with subprocess.Popen(("sleep", "infinity")) as process:
        yield process.pid
        process.kill()


@contextmanager
def supervised(home: Home, *, delay_s: float = 0, patience: Patience = SHORT) -> Iterator[Ear]:
    port, ear = free_port(), Ear()
    service = Service(
        name="store",
        label="Store",
        argv=(sys.executable, "-S", "-c", ANSWERING, str(home.path), str(port), str(delay_s)),
        check=lambda: asked(port),
        restart=True,
        stop_s=5,
        patience=patience,
    )
    supervisor = Supervisor([service], home=home, report=ear)
    supervisor.start()
    watching = threading.Thread(target=supervisor.watch)
    watching.start()
    try:
        yield ear
    finally:
        supervisor.request_stop()
        watching.join()
        supervisor.stop()


def test_stopped_store_is_restarted_by_itself(tmp_path: Path) -> None:
    home = toy_home(tmp_path)
    with supervised(home) as ear:
        first = ear.wait_for(ServiceState.READY)
        assert first.pid is not None
        os.kill(first.pid, signal.SIGSTOP)
        reason = ear.wait_for(ServiceState.RESTARTING).detail
        again = ear.wait_for(ServiceState.READY, times=2)
    assert reason.startswith("Store answered no query for ")
    assert "(timed out) and is being restarted; its log is " in reason
    assert again.pid != first.pid
    assert again.restarts == 1
    assert birth_of(first.pid) != first.born


def test_store_whose_port_accepts_but_answers_nothing_is_stopped_in_order_and_restarted(tmp_path: Path) -> None:
    home = toy_home(tmp_path)
    with supervised(home) as ear:
        (tmp_path / "mute").touch()
        ear.wait_for(ServiceState.RESTARTING)
        (tmp_path / "mute").unlink()
        ear.wait_for(ServiceState.READY, times=2)
    assert diary(home) == ["started", "stopped", "started", "stopped"]


def test_store_that_still_recovers_is_not_restarted_again(tmp_path: Path) -> None:
    home = toy_home(tmp_path)
    with supervised(home, delay_s=2 * SHORT.silent_s) as ear:
        (tmp_path / "slow").touch()
        pid = ear.wait_for(ServiceState.READY).pid
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
        again = ear.wait_for(ServiceState.READY, times=2)
    assert again.restarts == 1
    assert diary(home) == ["started", "recovering", "started", "stopped"]


def test_busy_store_is_given_more_time(tmp_path: Path) -> None:
    home = toy_home(tmp_path)
    with supervised(home) as ear:
        for name in ("busy", "mute"):
            (tmp_path / name).touch()
        time.sleep(2 * SHORT.silent_s)
        assert [status.state for status in ear.heard if status.state is ServiceState.RESTARTING] == []
        for name in ("mute", "busy"):
            (tmp_path / name).unlink()
    assert diary(home) == ["started", "stopped"]


def test_query_that_never_returns_counts_as_no_answer_and_is_not_repeated(idle_pid: int) -> None:
    forever, queries = threading.Event(), []

    def hang() -> None:
        queries.append(1)
        forever.wait()

    patience = Patience(every_s=0.01, again_s=0.01, answer_s=0.05, silent_s=0.3)
    silence = Liveness("store", idle_pid, hang, patience).wait_for_silence(threading.Event())
    forever.set()
    assert silence is not None
    assert silence.endswith("(no answer within 0 s)")
    assert len(queries) == 1


def test_single_unanswered_query_restarts_nothing(idle_pid: int) -> None:
    ended, answers = threading.Event(), iter(["refused", None, "refused", None])

    def check() -> str | None:
        answer = next(answers, "end")
        if answer == "end":
            ended.set()
            return None
        return answer

    patience = Patience(every_s=0.05, again_s=0.05, answer_s=1, silent_s=5)
    assert Liveness("store", idle_pid, check, patience).wait_for_silence(ended) is None
