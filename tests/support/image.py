"""Build an image without a container engine by running the steps of a Dockerfile in a Debian root file system.

A root that debootstrap creates once, with Python 3.13 and pip, replaces every base image. Mounts exist only in the
mount namespace of the process that needs them, so no mount remains and nothing is deleted through a mount.
"""

from __future__ import annotations

import hashlib
import os
import shlex
import shutil
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

MIRROR = "http://deb.debian.org/debian"
PACKAGES = "ca-certificates,python3.13,python3-pip,python-is-python3"
STEPS = ("RUN", "COPY", "ENV", "ARG", "FROM", "SHELL", "USER", "WORKDIR", "EXPOSE")
PASSED_VARIABLES = ("http_proxy", "https_proxy", "no_proxy", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "PIP_INDEX_URL")


@dataclass(frozen=True, slots=True)
class Step:
    """An instruction of a Dockerfile."""

    name: str
    text: str


def read_steps(recipe: Path) -> list[Step]:
    """Return the instructions; fail for an unknown instruction, because the root would differ from the image."""
    lines = [line for line in recipe.read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
    steps = []
    for line in "\n".join(lines).replace("\\\n", " ").splitlines():
        if line.strip():
            name, _, text = line.strip().partition(" ")
            assert name in STEPS, f"the instruction {name} is not supported"
            steps.append(Step(name, text.strip()))
    return steps


@dataclass
class Image:
    """The root of an image, and the environment, user and folder that its Dockerfile sets."""

    root: Path
    environment: dict[str, str] = field(
        default_factory=lambda: {"PATH": "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin"}
    )
    user: str = "0"
    folder: str = "/"

    def command(self, *argv: str, user: str = "", environment: dict[str, str] | None = None) -> list[str]:
        """Return the command that runs `argv` in the root with its own /proc."""
        variables = {**self.environment, **(environment or {})}
        who = user or self.user
        inside = ["env", "-i", *(f"{name}={value}" for name, value in variables.items())]
        inside += ["sh", "-c", 'cd "$0" && exec "$@"', self.folder, *argv]
        script = 'mount -t proc proc "$0/proc" && exec chroot "--userspec=$1" "$0" "${@:2}"'
        return [
            "unshare", "--mount", "--propagation", "private",
            "bash", "-c", script, str(self.root), f"{who}:{who}" if who != "0" else "0:0", *inside,
        ]  # fmt: skip

    def run(self, *argv: str, environment: dict[str, str] | None = None) -> str:
        """Run a program until it ends; return its output."""
        done = subprocess.run(
            self.command(*argv, environment=environment),
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False, stdin=subprocess.DEVNULL,
        )  # fmt: skip
        assert done.returncode == 0, f"{shlex.join(argv)}\n{done.stdout[-4000:]}"
        return done.stdout


def build(recipe: Path, context: Path, kept: Path) -> Image:
    """Build a Dockerfile; its RUN steps run once per version of the Dockerfile and requirements."""
    what = recipe.read_bytes() + (context / "requirements.txt").read_bytes() + PACKAGES.encode()
    key = hashlib.sha256(what).hexdigest()[:16]
    done = kept / f"stages-{key}.done"
    if not done.exists():
        for old in kept.glob("stage*"):
            delete(old)
    stages: dict[str, Image] = {}
    image = Image(kept)
    for step in read_steps(recipe):
        if step.name == "FROM":
            image = Image(kept / f"stage-{len(stages)}")
            stages[step.text.partition(" AS ")[2]] = image
            if not done.exists():
                subprocess.run(["cp", "--archive", "--", str(_base(kept)), str(image.root)], check=True)
        else:
            _take(image, step, context, stages, again=done.exists())
    done.touch()
    return image


def _take(image: Image, step: Step, context: Path, stages: dict[str, Image], *, again: bool) -> None:
    if step.name == "RUN" and not again:
        image.run("bash", "-o", "pipefail", "-c", step.text, environment=_network_environment())
    elif step.name == "COPY" and step.text.startswith("--from="):
        stage, source, target = step.text.removeprefix("--from=").split()
        _copy(stages[stage].root / source.lstrip("/"), image.root / target.lstrip("/"), into=False)
    elif step.name == "COPY":
        *sources, target = step.text.split()
        for name in sources:
            assert f"!{name}" in (context / ".dockerignore").read_text().splitlines(), f"{name} is not in the context"
            _copy(context / name, image.root / target.lstrip("/"), into=target.endswith("/"))
    elif step.name == "ENV":
        image.environment |= dict(word.split("=", 1) for word in shlex.split(step.text))
    elif step.name == "USER":
        image.user = step.text
    elif step.name == "WORKDIR":
        image.folder = step.text


def _copy(source: Path, target: Path, *, into: bool) -> None:
    """Copy as the instruction COPY does: the content of a folder, or one file to a file name or into a folder."""
    if source.is_dir():
        delete(target)
        shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
        return
    place = target / source.name if into else target
    place.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, place)


def _base(kept: Path) -> Path:
    """Return the root that replaces the base image; create it on first use."""
    base, done = kept / "base", kept / f"base.{hashlib.sha256(PACKAGES.encode()).hexdigest()[:16]}.done"
    if done.exists():
        return base
    delete(base)
    kept.mkdir(parents=True, exist_ok=True)
    made = subprocess.run(
        ["debootstrap", "--variant=minbase", f"--include={PACKAGES}", "trixie", str(base), MIRROR],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    assert made.returncode == 0, made.stdout[-4000:]
    for name in ("etc/resolv.conf", "etc/hosts", "etc/pip.conf"):
        if Path("/", name).exists():
            shutil.copyfile(Path("/", name), base / name)
    for path in Path("/etc/apt/apt.conf.d").glob("*"):
        if path.is_file() and "Acquire::" in path.read_text(encoding="utf-8"):  # settings of a proxy or mirror
            shutil.copyfile(path, base / "etc/apt/apt.conf.d" / path.name)
    for path in Path("/usr/local/share/ca-certificates").glob("*.crt"):
        shutil.copyfile(path, base / "usr/local/share/ca-certificates" / path.name)
    image = Image(base)
    image.run("update-ca-certificates")
    for mark in (base / "usr/lib").glob("python3*/EXTERNALLY-MANAGED"):  # base images do not contain this file
        mark.unlink()
    done.touch()
    return base


def _network_environment() -> dict[str, str]:
    """Return the proxy settings of this machine, which an engine would pass to a build."""
    return {name: os.environ[name] for name in PASSED_VARIABLES if name in os.environ}


def delete(folder: Path) -> None:
    """Delete a folder; fail if anything is mounted below it."""
    mounted = [line.split()[4] for line in Path("/proc/self/mountinfo").read_text().splitlines()]
    below = [point for point in mounted if Path(point).is_relative_to(folder.absolute())]
    assert not below, f"{below} must be unmounted first"
    if folder.is_dir() and not folder.is_symlink():
        shutil.rmtree(folder)
    else:
        folder.unlink(missing_ok=True)
