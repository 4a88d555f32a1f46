"""`python -m infra.local.cli`: the command line; expected errors are shown as one sentence."""

from __future__ import annotations

import sys

from infra.local.cli.commands import app
from infra.local.home import CannotRun


def main() -> None:
    """Run the command given in the arguments."""
    try:
        app(prog_name="./notflix")
    except CannotRun as error:
        sys.stdout.flush()
        sys.stderr.write(f"{error}\n")
        raise SystemExit(1) from None


if __name__ == "__main__":
    main()
