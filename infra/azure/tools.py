"""The programs that a deployment uses, `az` and `azd`, and the values of its environment."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from infra.local.home import CannotRun, write_private

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

WHERE_TO_GET = {
    "az": "the Azure CLI: https://aka.ms/install-azure-cli",
    "npm": "Node.js 20 or newer, which builds the site: https://nodejs.org",
    "azd": "the Azure Developer CLI: https://aka.ms/install-azd",
}

REFERENCE = "akvs://"
"""The prefix of a reference to a secret in azd: akvs://SUBSCRIPTION/VAULT/SECRET."""


def is_installed(program: str) -> bool:
    """Return whether a program is on the PATH."""
    return shutil.which(program) is not None


def require(*programs: str) -> None:
    """Raise CannotRun naming the first program that is not installed."""
    for program in programs:
        if not is_installed(program):
            where = WHERE_TO_GET.get(program, program)
            raise CannotRun(f"A deployment needs {program}, and it is not on your PATH; install {where}.")


def run(*argv: str, secret: bool = False) -> str:
    """Return the output of a program; raise CannotRun with its error text, or without that text if it is secret."""
    require(argv[0])
    # install a missing extension without a prompt, because nobody could answer it
    unasked = {"AZURE_EXTENSION_USE_DYNAMIC_INSTALL": "yes_without_prompt"}
    whole = [shutil.which(argv[0]) or argv[0], *argv[1:]]  # on Windows the programs are az.cmd and npm.cmd
    done = subprocess.run(
        whole, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL, env={**os.environ, **unasked}
    )
    if done.returncode:
        told = "" if secret else f": {(done.stderr.strip() or done.stdout.strip())[-2000:]}"
        raise CannotRun(f"`{shown(argv, secret=secret)}` failed with exit code {done.returncode}{told}")
    return done.stdout.strip()


def shown(argv: Sequence[str], *, secret: bool) -> str:
    """Return a command in printable form; only its first three words if it contains a secret."""
    return " ".join(argv[:3]) + " …" if secret else " ".join(argv)


def az(*arguments: str, secret: bool = False) -> Any:
    """Return the output of `az`, parsed from JSON; None if it prints nothing."""
    text = run("az", *arguments, "--only-show-errors", "--output", "json", secret=secret)
    return json.loads(text) if text else None


def found(*arguments: str) -> Any:
    """Return the parsed output of `az`, or None if it fails, for example because a resource does not exist."""
    try:
        return az(*arguments)
    except CannotRun:
        return None


class Environment:
    """The values of a deployment, from the azd environment or else from the environment variables of the process.

    `azd env get-values` prints only the file of the azd environment, which is nearly empty on a fresh runner. For
    values that are not in the file, azd itself uses environment variables, and so does this class. A value that is
    empty in the file is not replaced (azure-dev, pkg/environment/environment.go, Getenv).
    """

    def __init__(self, process: Mapping[str, str] = os.environ) -> None:
        self._process = process
        self._values: dict[str, str] = json.loads(run("azd", "env", "get-values", "--output", "json", secret=True))

    def get(self, name: str) -> str:
        """Return a value; empty if it is not set."""
        return self._values[name] if name in self._values else self._process.get(name, "")

    def __getitem__(self, name: str) -> str:
        """Return a value; raise CannotRun if it is not set or empty."""
        if not (value := self.get(name)):
            raise CannotRun(
                f"The azd environment has no {name}; it is an output of `azd provision`, or set it with "
                f"`azd env set {name} …`."
            )
        return value

    def secret(self, name: str) -> str:
        """Return a secret; fetch it from the vault if the environment contains a reference (`azd env set-secret`)."""
        value = self[name]
        if not value.startswith(REFERENCE):
            return value
        vault, _, secret = value.removeprefix(REFERENCE).partition("/")[2].partition("/")
        return str(az("keyvault", "secret", "show", "--vault-name", vault, "--name", secret)["value"])

    def is_on(self, name: str, *, default: bool) -> bool:
        """Return a value as a boolean; `default` if it is neither `true` nor `false`."""
        return {"true": True, "false": False}.get(self.get(name).lower(), default)

    def set(self, name: str, value: str) -> None:
        """Save a value in the azd environment, unless it already has this value."""
        if self._values.get(name) != value:
            run("azd", "env", "set", name, value, secret=True)
            self._values[name] = value

    def set_secrets(self, values: Mapping[str, str]) -> None:
        """Save secrets in the azd environment without exposing them in the process list."""
        if not values:
            return
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "values.env"
            write_private(file, "".join(f'{name}="{value}"\n' for name, value in values.items()))
            run("azd", "env", "set", "--file", str(file), secret=True)
        self._values.update(values)
