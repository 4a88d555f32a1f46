"""The functions that tell whether the service's stores are up, and whether its queues move."""

from __future__ import annotations

from dataclasses import asdict

import azure.functions as func

from functions import bootstrap
from functions.health.queues import waits_s
from functions.health.service import check
from functions.platform.http import answer, endpoint

blueprint = func.Blueprint()  # type: ignore[no-untyped-call]


@blueprint.function_name("health")
@blueprint.route("health", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
@endpoint
def health(req: func.HttpRequest) -> func.HttpResponse:
    """Answer each store: up, or why not; 503 unless all are."""
    stores = check(bootstrap.health_probes())
    up = all(store.up for store in stores.values())
    body = {"status": "up" if up else "down", "stores": {name: asdict(store) for name, store in stores.items()}}
    return answer(body, status=200 if up else 503)


@blueprint.function_name("measure_queues")
@blueprint.timer_trigger("timer", "45 */5 * * * *")
def measure_queues(timer: func.TimerRequest) -> None:
    """Record how long the first message of each queue has waited."""
    del timer
    for queue, wait_s in waits_s(bootstrap.resources.queue_service(), bootstrap.resources.now()).items():
        bootstrap.resources.telemetry().record("notflix.queue.age_s", wait_s, queue=queue)
