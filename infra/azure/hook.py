"""`python infra/azure/hook.py STEP`: run a deployment, or a step of it, on a system that cannot run the product.

It creates the Python environment that the step needs, unless it exists, and runs the step in it. On Linux, `./notflix
azure STEP` and `./notflix deploy` do the same; on macOS, they call this script. This script requires only Python 3.13.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import venv
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
REQUIREMENTS = REPOSITORY / "infra" / "azure" / "requirements.txt"


def environment_python() -> Path:
    """Return the Python of an environment with the packages that the steps need; create it if necessary."""
    home = Path(os.environ.get("NOTFLIX_HOME") or REPOSITORY / ".notflix").resolve()
    folder = home / "deployment-venv"
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    stamp = folder / "requirements.sha256"
    wanted = hashlib.sha256(REQUIREMENTS.read_bytes()).hexdigest()
    if not stamp.exists() or stamp.read_text(encoding="utf-8") != wanted:
        venv.create(folder, with_pip=True, clear=True)
        install = [str(python), "-m", "pip", "install", "--quiet", "--require-hashes", "-r", str(REQUIREMENTS)]
        subprocess.run(install, check=True)
        stamp.write_text(wanted, encoding="utf-8")
    return python


def main() -> int:
    """Run the step named by the arguments; return its exit code."""
    if sys.version_info < (3, 13):  # noqa: UP036 - `python` may be any version
        sys.stderr.write(f"Notflix needs Python 3.13 or newer, and `python` is {sys.version.split()[0]}.\n")
        return 1
    command = [str(environment_python()), "-P", "-m", "infra.azure", *sys.argv[1:]]
    return subprocess.run(command, check=False, env={**os.environ, "PYTHONPATH": str(REPOSITORY)}).returncode


if __name__ == "__main__":
    sys.exit(main())
