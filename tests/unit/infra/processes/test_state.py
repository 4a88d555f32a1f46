"""The state file of a supervisor, and the processes that a killed supervisor left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from infra.local.processes.service import ServiceState, ServiceStatus, birth_of, is_alive
from infra.local.processes.state import end_strays, read_state, take_lock, write_state
from infra.local.processes.supervisor import Supervisor
from tests.unit.infra.processes.toys import SERVER, diary, toy, toy_home

if TYPE_CHECKING:
    from pathlib import Path

SUPERVISED = """
import pathlib, sys
from infra.local.processes.supervisor import Supervisor
from tests.unit.infra.processes.toys import toy, toy_home
home = toy_home(pathlib.Path(sys.argv[1]))
supervisor = Supervisor([toy(home, "store", code=sys.argv[2])], home=home)
supervisor.start()
print("ready", flush=True)
supervisor.watch()
"""


@pytest.fixture
def killed_supervisor(tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    """Start a supervisor in a separate process and kill it; its store runs the code given by the test's parameter."""
    command = [sys.executable, "-c", SUPERVISED, str(tmp_path), request.param]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        process.kill()
    return tmp_path


@pytest.mark.parametrize("killed_supervisor", [SERVER], indirect=True)
def test_store_of_a_killed_supervisor_is_stopped_and_the_next_start_works(killed_supervisor: Path) -> None:
    home = toy_home(killed_supervisor)
    state = read_state(home)
    assert state is not None
    assert not state.supervisor_runs
    (home.path / "store.answers").unlink()
    supervisor = Supervisor([toy(home, "store")], home=home)
    supervisor.start()
    supervisor.stop()
    assert not is_alive(state.services[0].pid, state.services[0].born)
    assert diary(home) == ["store started", "store stopped", "store started", "store stopped"]


DEAF_TO_THE_KERNEL = SERVER.replace("import pathlib", "import ctypes; ctypes.CDLL(None).prctl(1, 0); import pathlib")


@pytest.mark.parametrize("killed_supervisor", [DEAF_TO_THE_KERNEL], indirect=True)
def test_stray_that_outlived_its_supervisor_is_found_and_ended(killed_supervisor: Path) -> None:
    home = toy_home(killed_supervisor)
    state = read_state(home)
    assert state is not None
    assert is_alive(state.services[0].pid, state.services[0].born)
    assert end_strays(home) == ("Store",)
    assert not is_alive(state.services[0].pid, state.services[0].born)
    assert end_strays(home) == ()


def test_process_that_took_over_a_pid_is_not_taken_for_the_old_one() -> None:
    born = birth_of(os.getpid())
    assert born is not None
    assert is_alive(os.getpid(), born)
    assert not is_alive(os.getpid(), born - 1)


def test_process_that_ended_but_was_not_collected_does_not_count_as_alive() -> None:
    with subprocess.Popen(["true"]) as process:
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        assert birth_of(process.pid) is None


def test_only_one_supervisor_holds_a_home_and_its_death_frees_it(tmp_path: Path) -> None:
    home = toy_home(tmp_path)
    code = "import fcntl, sys, time; f = open(sys.argv[1], 'a'); fcntl.flock(f, fcntl.LOCK_EX); print(1, flush=True);"
    command = [sys.executable, "-c", code + "time.sleep(60)", str(home.path / "lock")]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        other.stdout.readline()
        assert take_lock(home) is None
        other.send_signal(signal.SIGKILL)
    lock = take_lock(home)
    assert lock is not None
    lock.close()


def test_state_of_version_0_1_is_read_so_that_its_strays_can_be_stopped(tmp_path: Path) -> None:
    home = toy_home(tmp_path)
    write_state(home, "ready", [ServiceStatus("redis", "Redis", ServiceState.READY, pid=12, born=34)])
    home.state_file.write_text(home.state_file.read_text().replace('"services"', '"parts"'))
    state = read_state(home)
    assert state is not None
    assert [(service.name, service.pid, service.born) for service in state.services] == [("redis", 12, 34)]
