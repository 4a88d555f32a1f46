"""The supervisor starts and stops services in order, explains failures, and restarts hosts that were killed."""

from __future__ import annotations

import os
import signal
import socket
import sys
import threading
import time
from typing import TYPE_CHECKING

import pytest

from infra.local.home import CannotRun
from infra.local.processes.service import Service, ServiceState, ServiceStatus, birth_of, is_alive
from infra.local.processes.state import read_state
from infra.local.processes.supervisor import StopRequested, Supervisor
from tests.support.waiting import eventually
from tests.unit.infra.processes.toys import Ear, diary, toy, toy_home

if TYPE_CHECKING:
    from pathlib import Path

    from infra.local.home import Home


def test_parts_start_after_what_they_need_and_stop_before_it(tmp_path: Path) -> None:
    home = toy_home(tmp_path)
    supervisor = Supervisor([toy(home, "store", delay_s=0.3), toy(home, "host", needs=("store",))], home=home)
    supervisor.start()
    supervisor.stop()
    assert diary(home) == ["store started", "host started", "host stopped", "store stopped"]


def test_state_is_written_down_for_other_commands(tmp_path: Path) -> None:
    home = toy_home(tmp_path)
    supervisor = Supervisor([toy(home, "store")], home=home)
    supervisor.start()
    state = read_state(home)
    assert state is not None
    assert (state.phase, state.pid, state.supervisor_runs) == ("ready", os.getpid(), True)
    assert is_alive(state.services[0].pid, state.services[0].born)
    supervisor.stop()
    after = read_state(home)
    assert after is not None
    assert (after.phase, after.services[0].state, after.services[0].pid) == ("stopped", ServiceState.STOPPED, None)


def test_part_that_ends_while_it_starts_is_told_with_its_log_and_all_else_is_stopped(tmp_path: Path) -> None:
    home = toy_home(tmp_path)
    broken = toy(home, "broken", code="print('no such table'); raise SystemExit(7)", needs=("store",))
    with pytest.raises(CannotRun) as refused:
        Supervisor([toy(home, "store"), broken], home=home).start()
    log = tmp_path / "logs" / "broken.log"
    assert str(refused.value) == f"Broken ended with exit code 7 while it was starting; its log is {log}."
    assert "no such table" in log.read_text()
    assert diary(home) == ["store started", "store stopped"]
    state = read_state(home)
    assert state is not None
    assert (state.phase, state.detail) == ("failed", str(refused.value))


def test_part_that_never_answers_is_told_with_the_reason_and_its_log(tmp_path: Path) -> None:
    home = toy_home(tmp_path)
    silent = toy(home, "silent", code="import time; time.sleep(60)", start_s=0.3)
    with pytest.raises(CannotRun, match=r"^Silent did not answer in 0 s \(it is silent\); its log is .*silent\.log\.$"):
        Supervisor([silent], home=home).start()


def test_program_that_is_not_there_is_named(tmp_path: Path) -> None:
    home = toy_home(tmp_path)
    service = Service(name="odd", label="Odd", argv=("no-such-server",), check=lambda: None)
    with pytest.raises(CannotRun, match="Odd needs the program no-such-server"):
        Supervisor([service], home=home).start()


def test_real_server_elsewhere_is_checked_and_nothing_is_started(tmp_path: Path) -> None:
    home = toy_home(tmp_path)
    there = Service(name="mysql", label="MySQL", address="db.example", check=lambda: None)
    supervisor = Supervisor([there], home=home)
    supervisor.start()
    assert [status.pid for status in supervisor.statuses()] == [None]
    supervisor.stop()
    away = Service(name="mysql", label="MySQL", address="db.example", check=lambda: "refused", start_s=0.1)
    with pytest.raises(CannotRun, match=r"MySQL did not answer in 0 s \(refused\); its address is db\.example"):
        Supervisor([away], home=home).start()


def test_taken_port_is_told_with_who_holds_it_before_anything_starts(tmp_path: Path) -> None:
    home = toy_home(tmp_path)
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        with pytest.raises(CannotRun, match=rf"Port {port} is in use by .*process {os.getpid()}.*NOTFLIX_PORT_BASE"):
            Supervisor([toy(home, "store", ports=(port,))], home=home).start()
    assert diary(home) == []


def test_services_run_on_while_their_state_cannot_be_recorded_and_it_is_recorded_later(tmp_path: Path) -> None:
    home, ear = toy_home(tmp_path), Ear()
    supervisor = Supervisor([toy(home, "host", restart=True)], home=home, report=ear)
    supervisor.start()
    watching = threading.Thread(target=supervisor.watch)
    watching.start()
    in_the_way = home.state_file.with_name(f".{home.state_file.name}.{os.getpid()}.new")
    in_the_way.mkdir()  # as if the disk were full: the state's next version cannot be written
    first = ear.wait_for(ServiceState.READY).pid
    assert first is not None
    (tmp_path / "host.answers").unlink()
    os.kill(first, signal.SIGKILL)
    again = ear.wait_for(ServiceState.READY, times=2)
    assert [each.pid for each in _recorded(home)] == [first]
    in_the_way.rmdir()
    eventually(lambda: [each.pid for each in _recorded(home)] == [again.pid])
    supervisor.request_stop()
    watching.join()
    supervisor.stop()


def _recorded(home: Home) -> tuple[ServiceStatus, ...]:
    state = read_state(home)
    assert state is not None
    return state.services


def test_host_that_is_killed_is_started_again(tmp_path: Path) -> None:
    home, ear = toy_home(tmp_path), Ear()
    supervisor = Supervisor([toy(home, "host", restart=True)], home=home, report=ear)
    supervisor.start()
    watching = threading.Thread(target=supervisor.watch)
    watching.start()
    first = ear.wait_for(ServiceState.READY).pid
    assert first is not None
    (tmp_path / "host.answers").unlink()
    os.kill(first, signal.SIGKILL)
    again = ear.wait_for(ServiceState.READY, times=2)
    assert again.pid != first
    assert again.restarts == 1
    assert "exit code -9" in ear.wait_for(ServiceState.RESTARTING).detail
    supervisor.request_stop()
    watching.join()
    supervisor.stop()
    assert diary(home) == ["host started", "host started", "host stopped"]


def test_store_that_is_killed_is_reported_and_not_started_again(tmp_path: Path) -> None:
    home, ear = toy_home(tmp_path), Ear()
    supervisor = Supervisor([toy(home, "store")], home=home, report=ear)
    supervisor.start()
    watching = threading.Thread(target=supervisor.watch)
    watching.start()
    pid = ear.wait_for(ServiceState.READY).pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    down = ear.wait_for(ServiceState.DOWN)
    assert down.detail == f"Store ended with exit code -9; its log is {tmp_path / 'logs' / 'store.log'}."
    supervisor.request_stop()
    watching.join()
    supervisor.stop()


def test_stop_asked_for_during_the_start_waits_until_the_part_heeds_sigterm(tmp_path: Path) -> None:
    home = toy_home(tmp_path)

    def stop(status: ServiceStatus) -> None:
        if status.state is ServiceState.STARTING:
            supervisor.request_stop()

    parts = [toy(home, "store", delay_s=0.5), toy(home, "host", needs=("store",))]
    supervisor = Supervisor(parts, home=home, report=stop)
    with pytest.raises(StopRequested):
        supervisor.start()
    assert diary(home) == ["store started", "store stopped"]


def test_part_that_ignores_sigterm_is_killed_in_the_end(tmp_path: Path) -> None:
    home = toy_home(tmp_path)
    deaf = "import pathlib, signal, sys, time; signal.signal(15, signal.SIG_IGN);"
    deaf += "pathlib.Path(sys.argv[2], sys.argv[1] + '.answers').touch(); time.sleep(60)"
    supervisor = Supervisor([toy(home, "deaf", code=deaf, stop_s=0.3)], home=home)
    supervisor.start()
    pid, born = (status := supervisor.statuses()[0]).pid, status.born
    began = time.monotonic()
    supervisor.stop()
    assert time.monotonic() - began < 15  # the default of `stop_s` is 20
    assert not is_alive(pid, born)


def test_what_a_part_started_ends_with_it(tmp_path: Path) -> None:
    home = toy_home(tmp_path)
    parent = "import pathlib, subprocess, sys, time; child = subprocess.Popen(['sleep', '60']);"
    parent += "pathlib.Path(sys.argv[2], 'child').write_text(str(child.pid));"
    parent += "pathlib.Path(sys.argv[2], sys.argv[1] + '.answers').touch(); time.sleep(60)"
    supervisor = Supervisor([toy(home, "encoder", code=parent)], home=home)
    supervisor.start()
    child = int((tmp_path / "child").read_text())
    supervisor.stop()
    assert eventually(lambda: birth_of(child) is None)  # it was killed; the kernel ends it a moment later


def test_preparation_that_fails_is_told_with_the_log(tmp_path: Path) -> None:
    home = toy_home(tmp_path)
    service = toy(home, "store", prepare=lambda run: run(sys.executable, "-c", "raise SystemExit('bad disk')"))
    with pytest.raises(CannotRun, match=r"^Store could not be set up: .* ended with exit code 1; its log is"):
        Supervisor([service], home=home).start()
    assert "bad disk" in (tmp_path / "logs" / "store.log").read_text()
