"""The functions of health: an HTTP route for the state of the stores, and a timer that measures queues."""

from __future__ import annotations

from typing import TYPE_CHECKING

from functions import bootstrap, bootstrap_studio
from functions.platform.http import Answer
from functions.platform.triggers import ANYONE, SliceApp

if TYPE_CHECKING:
    from functions.health.schemas import HealthReport

app = SliceApp(bootstrap, "functions.health.schemas")


@app.get("health", caller=ANYONE, status=(200, 503))
def health() -> Answer[HealthReport]:
    """Return the state of each store; 503 if a required store is down."""
    from functions.health.schemas import HealthReport, StoreHealth

    states = bootstrap_studio.health().report()
    up = all(state.up or state.optional for state in states.values())
    shown = {name: StoreHealth(state.up, state.reason, state.optional) for name, state in states.items()}
    return Answer(HealthReport("up" if up else "down", shown), 200 if up else 503)


@app.timer("45 */5 * * * *")
def measure_queues() -> None:
    """Record how long the oldest visible message of each queue has waited."""
    from functions.health.queues import waits_s

    resources = bootstrap.resources
    for queue, wait_s in waits_s(resources.queue_service(), resources.now()).items():
        resources.telemetry().record("notflix.queue.age_s", wait_s, queue=queue)
