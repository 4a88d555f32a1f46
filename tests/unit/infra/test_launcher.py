"""The launcher, run with a PATH of fake programs, so that nothing is installed."""

from __future__ import annotations

import os
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from infra.local.home import REPOSITORY

if TYPE_CHECKING:
    from pathlib import Path

TOOLS = (
    "sh",
    "cat",
    "dirname",
    "readlink",
    "mkdir",
    "sha256sum",
    "find",
    "head",
    "flock",
    "rm",
    "chmod",
    "cp",
    "uname",
)
SERVERS = ("ffmpeg", "ffprobe", "mariadbd", "mariadb-install-db", "redis-server", "npm")

OLD_PYTHON = "#!/bin/sh\nexit 1\n"

RECENT_PYTHON = """#!/bin/sh
echo "$0 $*" >>"$DIARY"
case "$1 $2" in
"-m venv") mkdir -p "$4/bin"; cp "$0" "$4/bin/python" ;;
"-P -m") shift 3; echo "command line: $*" ;;
esac
"""


class Machine:
    """A clone of the repository on a machine that has only fake programs."""

    def __init__(self, folder: Path) -> None:
        self.programs, self.system = folder / "programs", folder / "system"
        self.repository, self.home = folder / "a clone", folder / "a home"
        self.diary = folder / "diary"
        for made in (self.programs, self.system):
            made.mkdir()
        for name in TOOLS:
            program = shutil.which(name)
            assert program is not None
            (self.programs / name).symlink_to(program)
        for name in SERVERS:
            self.has(name, "#!/bin/sh\n")
        self.has("id", "#!/bin/sh\necho 1000\n")
        self.has("node", "#!/bin/sh\necho true\n")
        self.has("python3", OLD_PYTHON)
        self.has("python3.13", RECENT_PYTHON)
        for name in ("requirements.txt", "infra/local/requirements.txt", "tests/requirements.txt"):
            (self.repository / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(REPOSITORY / name, self.repository / name)
        text = (REPOSITORY / "notflix").read_text()
        for folder_of_servers in ("/usr/local/sbin", "/usr/sbin", "/sbin"):  # hides the real programs of this machine
            text = text.replace(folder_of_servers, str(self.system))
        (self.repository / "notflix").write_text(text)

    def has(self, name: str, text: str) -> None:
        (self.programs / name).write_text(text)
        (self.programs / name).chmod(0o755)

    def lacks(self, name: str) -> None:
        (self.programs / name).unlink()

    def run(self, *arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
        environment = {"PATH": str(self.programs), "NOTFLIX_HOME": str(self.home), "DIARY": str(self.diary), **settings}
        command = [str(self.programs / "sh"), str(self.repository / "notflix"), *arguments]
        return subprocess.run(
            command, env=environment, cwd="/", stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
        )

    @property
    def steps(self) -> list[str]:
        return self.diary.read_text().splitlines() if self.diary.exists() else []


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def test_recent_python_is_found_by_name_where_python3_is_older(machine: Machine) -> None:
    ran = machine.run("status", "--json")
    assert ran.stdout == "command line: status --json\n", ran.stderr
    assert any(step.startswith(f"{machine.programs / 'python3.13'} -m venv") for step in machine.steps)


def test_second_start_goes_straight_to_the_command_line(machine: Machine) -> None:
    machine.run("status")
    machine.diary.unlink()
    ran = machine.run("status")
    assert ran.stderr == ""
    assert machine.steps == [f"{machine.home / 'venv' / 'bin' / 'python'} -P -m infra.local.cli status"]


def test_what_tests_need_is_installed_for_test_and_not_for_up(machine: Machine) -> None:
    for name in ("chromium", "faketime", "fiu-ctrl"):
        machine.has(name, "#!/bin/sh\n")
    machine.run("up")
    assert not [step for step in machine.steps if "tests/requirements.txt" in step]
    machine.run("test")
    assert [step for step in machine.steps if "tests/requirements.txt" in step]


def test_packages_are_installed_from_locks_with_hashes(machine: Machine) -> None:
    machine.run("check")
    installs = [step.partition("--require-hashes ")[2] for step in machine.steps if "pip install" in step]
    assert installs == [
        f"-r {machine.repository / name}" for name in ("infra/local/requirements.txt", "tests/requirements.txt")
    ]


def test_failed_install_is_told_with_its_log_and_done_again(machine: Machine) -> None:
    machine.has("python3.13", RECENT_PYTHON.replace('"-m venv")', '"-m pip") [ "$3" = --version ] ;;\n"-m venv")'))
    ran = machine.run("status")
    assert ran.returncode == 1
    assert ran.stderr.splitlines()[-1] == (
        f"pip could not install the Python packages; its log is {machine.home / 'logs' / 'setup.log'}."
    )
    machine.has("python3.13", RECENT_PYTHON)
    shutil.copy(machine.programs / "python3.13", machine.home / "venv" / "bin" / "python")
    assert machine.run("status").returncode == 0


def test_checks_need_node_and_where_pypi_has_no_shellcheck_that_too(machine: Machine) -> None:
    machine.lacks("ffmpeg")
    assert machine.run("check").returncode == 0
    machine.lacks("uname")
    machine.has("uname", "#!/bin/sh\necho aarch64\n")
    machine.lacks("node")
    assert machine.run("check").stderr == (
        "Notflix needs nodejs npm shellcheck: install them with your system's package manager, and start it again.\n"
    )


def test_person_without_rights_is_told_what_to_run(machine: Machine) -> None:
    machine.has("apt-get", "#!/bin/sh\n")
    machine.lacks("ffmpeg")
    machine.lacks("redis-server")
    ran = machine.run("up")
    assert ran.returncode == 1
    assert "have an administrator run 'apt-get install -y --no-install-recommends ffmpeg redis-server'" in ran.stderr
    assert machine.steps == []


def test_root_installs_what_is_missing_while_no_server_of_the_system_may_start(machine: Machine) -> None:
    machine.lacks("mariadbd")
    machine.has("id", "#!/bin/sh\necho 0\n")
    policy = machine.system / "policy-rc.d"
    machine.has("apt-get", f'#!/bin/sh\necho "$* $({policy}; echo $?)" >>"$DIARY"\n')
    assert machine.run("up").returncode == 0
    assert "install -y --no-install-recommends mariadb-server 101" in machine.steps
    assert not policy.exists()


@pytest.mark.parametrize("answer", ["false", ""])
def test_node_that_is_too_old_is_missing(machine: Machine, answer: str) -> None:
    machine.has("node", f"#!/bin/sh\necho {answer}\n")
    assert "nodejs npm" in machine.run("up").stderr


def test_server_that_a_setting_replaces_need_not_be_installed(machine: Machine) -> None:
    machine.lacks("mariadbd")
    assert "mariadb-server" in machine.run("up").stderr
    assert machine.run("up", MYSQL_ADMIN_URL="mysql://me@db.example").returncode == 0


def test_home_that_cannot_be_made_is_told(machine: Machine) -> None:
    machine.home.write_text("a file")
    ran = machine.run("status")
    assert (ran.returncode, ran.stderr) == (
        1,
        f"{machine.home} cannot be written; set NOTFLIX_HOME to a folder that you can write to.\n",
    )


def test_launcher_is_executable_and_plain_shell() -> None:
    assert os.access(REPOSITORY / "notflix", os.X_OK)
    assert (REPOSITORY / "notflix").read_text().startswith("#!/bin/sh\n")
