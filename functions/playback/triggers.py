"""The HTTP functions that open a title for a viewer, and give a native HLS player its playlists."""

from __future__ import annotations

from dataclasses import asdict

import azure.functions as func

from functions import bootstrap
from functions.platform.errors import Malformed
from functions.platform.http import answer, bearer, endpoint, json_object

blueprint = func.Blueprint()  # type: ignore[no-untyped-call]


@blueprint.function_name("open_playback")
@blueprint.route("titles/{id}/playback", methods=["POST"], auth_level=func.AuthLevel.ANONYMOUS)
@endpoint
def open_playback(req: func.HttpRequest) -> func.HttpResponse:
    """Answer what plays the title, and the key to read it with; a player that renews it sends its usage ticket."""
    viewer = bootstrap.accounts().viewer(bearer(req))
    ticket = json_object(req).get("usage_ticket") or ""
    if not isinstance(ticket, str):
        raise Malformed("usage_ticket must be text: the ticket that the session was opened with.")
    session = bootstrap.playback().opener.open(req.route_params["id"], viewer, ticket)
    body = asdict(session)
    body["expires_at"] = f"{session.expires_at:%Y-%m-%dT%H:%M:%SZ}"
    return answer(body)


@blueprint.function_name("hls_playlist")
@blueprint.route("hls/{ticket}/{playlist}", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
@endpoint
def hls_playlist(req: func.HttpRequest) -> func.HttpResponse:
    """Answer a playlist whose addresses carry the key; the ticket in its address is the proof."""
    text = bootstrap.playback().playlists.read(req.route_params["ticket"], req.route_params["playlist"])
    return func.HttpResponse(text, mimetype="application/vnd.apple.mpegurl", headers={"Cache-Control": "no-store"})
