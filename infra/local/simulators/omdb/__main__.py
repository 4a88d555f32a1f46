"""Run the simulator on loopback: `python -m infra.local.simulators.omdb --port N [--key KEY] [--fault NAME]`."""

from __future__ import annotations

import argparse

import uvicorn

from infra.local.quiet_server import QuietServer
from infra.local.simulators.omdb.app import FAULTS, KEY, OmdbSimulator


def main() -> None:
    """Serve until a signal arrives."""
    parser = argparse.ArgumentParser(prog="python -m infra.local.simulators.omdb", description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--key", default=KEY, help="the accepted API key (default: %(default)s)")
    parser.add_argument("--fault", choices=FAULTS, default="none", help="the fault to start with")
    given = parser.parse_args()
    app = OmdbSimulator(key=given.key, fault=given.fault).app()
    config = uvicorn.Config(app, host="127.0.0.1", port=given.port, log_level="warning", timeout_graceful_shutdown=2)
    QuietServer(config).run()


main()
