"""Run the mail server on loopback: `python -m infra.local.simulators.mail --port N --box FOLDER`."""

from __future__ import annotations

import argparse
import asyncio
import logging
from pathlib import Path

from infra.local.simulators.mail.box import Box
from infra.local.simulators.mail.server import serve


def main() -> None:
    """Serve until a signal arrives."""
    parser = argparse.ArgumentParser(prog="python -m infra.local.simulators.mail", description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument(
        "--box", type=Path, required=True, metavar="FOLDER", help="the Maildir in which emails are stored"
    )
    given = parser.parse_args()
    logging.basicConfig(format="%(asctime)s %(levelname)s %(name)s: %(message)s", level=logging.WARNING)
    asyncio.run(serve("127.0.0.1", given.port, Box(given.box)))


main()
