"""The two programs a deployment is made with: `az` and `azd`. Each call is one process, made here and nowhere else."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from typing import TYPE_CHECKING, Any

from infra.local.home import CannotRun

if TYPE_CHECKING:
    from collections.abc import Sequence

WHERE_TO_GET = {
    "az": "the Azure CLI: https://aka.ms/install-azure-cli",
    "npm": "Node.js 20 or newer, with which the site is built: https://nodejs.org",
    "azd": "the Azure Developer CLI: https://aka.ms/install-azd",
}


def require(*programs: str) -> None:
    """Raise CannotRun naming the first program that is not installed."""
    for program in programs:
        if shutil.which(program) is None:
            raise CannotRun(
                f"A deployment needs {program}, and it is not on your PATH; install {WHERE_TO_GET[program]}."
            )


def run(*argv: str, secret: bool = False) -> str:
    """Return what the program prints; raise CannotRun with its own words if it fails, or without them if secret."""
    require(argv[0])
    unasked = {"AZURE_EXTENSION_USE_DYNAMIC_INSTALL": "yes_without_prompt"}  # there is nobody to say yes
    done = subprocess.run(
        argv, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL, env={**os.environ, **unasked}
    )
    if done.returncode:
        told = "" if secret else f": {(done.stderr.strip() or done.stdout.strip())[-2000:]}"
        raise CannotRun(f"`{shown(argv, secret=secret)}` failed with exit code {done.returncode}{told}")
    return done.stdout.strip()


def shown(argv: Sequence[str], *, secret: bool) -> str:
    """Return the command as it may be shown: of one with a secret, the first words only."""
    return " ".join(argv[:3]) + " …" if secret else " ".join(argv)


def az(*arguments: str) -> Any:
    """Return what `az` answers, read as JSON; None where it answers nothing."""
    text = run("az", *arguments, "--only-show-errors", "--output", "json")
    return json.loads(text) if text else None


def found(*arguments: str) -> Any:
    """Return what `az` answers, None if it fails, as it does for what does not exist."""
    try:
        return az(*arguments)
    except CannotRun:
        return None


class Environment:
    """The values of the azd environment: what a deployment was told and what it has found out."""

    def __init__(self) -> None:
        self._values: dict[str, str] = json.loads(run("azd", "env", "get-values", "--output", "json", secret=True))

    def get(self, name: str) -> str:
        """Return a value, empty if it is not there."""
        return self._values.get(name, "")

    def __getitem__(self, name: str) -> str:
        """Return a value; raise CannotRun if it is not there or empty."""
        if not (value := self.get(name)):
            raise CannotRun(
                f"The azd environment has no {name}; it is an output of `azd provision`, or set it with "
                f"`azd env set {name} …`."
            )
        return value

    def set(self, name: str, value: str) -> None:
        """Keep a value; one that is there already is not written again."""
        if self._values.get(name) != value:
            run("azd", "env", "set", name, value, secret=True)
            self._values[name] = value
