"""The HTTP function that tells whether the service's stores are up."""

from __future__ import annotations

from dataclasses import asdict

import azure.functions as func

from functions import bootstrap
from functions.health.service import check
from functions.http import answer, endpoint

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
