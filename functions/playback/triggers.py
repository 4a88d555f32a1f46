"""The HTTP function that opens a title for a viewer."""

from __future__ import annotations

from dataclasses import asdict

import azure.functions as func

from functions import bootstrap
from functions.http import answer, bearer, endpoint

blueprint = func.Blueprint()  # type: ignore[no-untyped-call]


@blueprint.function_name("open_playback")
@blueprint.route("titles/{id}/playback", methods=["POST"], auth_level=func.AuthLevel.ANONYMOUS)
@endpoint
def open_playback(req: func.HttpRequest) -> func.HttpResponse:
    """Answer what plays the title, and the key to read it with."""
    viewer = bootstrap.accounts().viewer(bearer(req))
    session = bootstrap.playback().open(req.route_params["id"], viewer)
    body = asdict(session)
    body["expires_at"] = f"{session.expires_at:%Y-%m-%dT%H:%M:%SZ}"
    return answer(body)
