"""Run the simulator on loopback: `python -m infra.local.simulators.paypal --port N --data FOLDER [--webhook-url URL]`.

PAYPAL_CLIENT_ID and PAYPAL_CLIENT_SECRET in the environment are the credentials that it knows, PAYPAL_WEBHOOK_ID the id
under which the webhook is registered.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path

import uvicorn

from infra.local.simulators.paypal.app import create_app
from infra.local.simulators.paypal.identity import CLIENT_ID, WEBHOOK_ID
from infra.local.simulators.paypal.simulator import Simulator


def main() -> None:
    """Serve until a signal ends it."""
    parser = argparse.ArgumentParser(prog="python -m infra.local.simulators.paypal", description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--data", type=Path, required=True, help="the folder of all that is remembered")
    parser.add_argument("--webhook-url", help="where events are sent")
    given = parser.parse_args()
    simulator = Simulator(
        given.data,
        f"http://127.0.0.1:{given.port}",
        client_id=os.environ.get("PAYPAL_CLIENT_ID", CLIENT_ID),
        client_secret=os.environ["PAYPAL_CLIENT_SECRET"],
    )
    if given.webhook_url:
        simulator.webhooks.register(os.environ.get("PAYPAL_WEBHOOK_ID", WEBHOOK_ID), given.webhook_url)
    uvicorn.run(
        create_app(simulator), host="127.0.0.1", port=given.port, log_level="warning", timeout_graceful_shutdown=2
    )


main()
