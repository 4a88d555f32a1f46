"""Run the simulator on loopback: `python -m infra.local.simulators.paypal --port N --data FOLDER [--webhook-url URL]`.

The environment variables PAYPAL_CLIENT_ID and PAYPAL_CLIENT_SECRET are the accepted credentials; PAYPAL_WEBHOOK_ID is
the id of the webhook at the given URL.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path

import uvicorn

from infra.local.quiet_server import QuietServer
from infra.local.simulators.paypal import CLIENT_ID, WEBHOOK_ID
from infra.local.simulators.paypal.simulator import PayPalSimulator, create_app


def main() -> None:
    """Serve until a signal arrives."""
    parser = argparse.ArgumentParser(prog="python -m infra.local.simulators.paypal", description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--data", type=Path, required=True, help="the folder of the simulator's state")
    parser.add_argument("--webhook-url", help="where events are sent")
    given = parser.parse_args()
    simulator = PayPalSimulator(
        given.data,
        f"http://127.0.0.1:{given.port}",
        client_id=os.environ.get("PAYPAL_CLIENT_ID", CLIENT_ID),
        client_secret=os.environ["PAYPAL_CLIENT_SECRET"],
    )
    if given.webhook_url:
        simulator.webhooks.register(os.environ.get("PAYPAL_WEBHOOK_ID", WEBHOOK_ID), given.webhook_url)
    config = uvicorn.Config(
        create_app(simulator), host="127.0.0.1", port=given.port, log_level="warning", timeout_graceful_shutdown=2
    )
    QuietServer(config).run()


main()
