"""`./notflix check az`: check every `az` command line with the parser of the Azure CLI, without running any.

The CLI is an optional tool, because its packages are 379 MB. `python -m infra.checks.azure_cli --install` installs it
into an environment of its own, `azure-cli` in NOTFLIX_PACKAGES; without it, the check is skipped.
"""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
import venv
from pathlib import Path

from infra.checks.azure_cli.lines import all_lines
from infra.local.home import Home

HERE = Path(__file__).parent
BY_EXTENSION = (["containerapp", "job", "logs"], ["redisenterprise"])
"""Commands of extensions, which the CLI installs when they are first used; they are only printed or documented."""

INTERACTIVE = (["login"],)
"""Commands for which the parser accesses the network before it has read their arguments."""


def environment() -> Path:
    """Return the folder of the CLI's environment, which may not exist."""
    return Home.of().packages / "azure-cli"


def install() -> None:
    """Create the environment, with the locked packages."""
    venv.create(environment(), with_pip=True, clear=True)
    pip = [str(environment() / "bin" / "python"), "-m", "pip", "install", "--quiet", "--no-compile"]
    subprocess.run([*pip, "--require-hashes", "-r", str(HERE / "requirements.txt")], check=True)


def errors_of(lines: list[list[str]]) -> list[str | None]:
    """Return the error of the CLI's parser for each command line; None if it accepts the command line."""
    done = subprocess.run(
        [str(environment() / "bin" / "python"), str(HERE / "parse.py")],
        input=json.dumps(lines),
        capture_output=True,
        text=True,
        check=True,
    )
    errors: list[str | None] = json.loads(done.stdout)
    return errors


def refused(lines: list[list[str]]) -> dict[str, str]:
    """Return the refused command lines and the first line of each error.

    A line with `…`, or one that only names a command, need not have all required arguments.
    """
    asked = [words for words in lines if words not in INTERACTIVE]
    found = {}
    for words, error in zip(asked, errors_of([[w for w in words if w != "…"] for words in asked]), strict=True):
        is_short = "…" in words or len(words) <= 4
        if not error or (is_short and "are required" in error):
            continue
        if any(words[: len(start)] == start for start in BY_EXTENSION) and "not recognized" in error:
            continue
        found[f"az {shlex.join(words)}"] = error.splitlines()[0]
    return found


def main() -> int:
    """Print every refused command line; return 1 if there is any, 0 if the CLI is not installed."""
    if "--install" in sys.argv[1:]:
        install()
    if not (environment() / "bin" / "python").exists():
        sys.stdout.write("Skipped: `python -m infra.checks.azure_cli --install` installs the Azure CLI (379 MB).\n")
        return 0
    lines = all_lines()
    for line, error in (found := refused(lines)).items():
        sys.stdout.write(f"{line}: {error}\n")
    sys.stdout.write(f"{len(lines)} command lines, {len(found)} refused\n")
    return 1 if found else 0


if __name__ == "__main__":
    raise SystemExit(main())
