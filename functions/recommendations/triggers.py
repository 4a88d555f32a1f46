"""The functions of recommendations: shelves by HTTP, the graph by queue, its rebuild by queue, timer and owner."""

from __future__ import annotations

import json
import logging
from typing import Any

import azure.functions as func

from functions import bootstrap
from functions.platform.errors import Malformed, NotFound
from functions.platform.http import answer, bearer, endpoint, operator_key
from functions.recommendations.views import public_pick, public_progress, public_shelf

log = logging.getLogger(__name__)
blueprint = func.Blueprint()  # type: ignore[no-untyped-call]

REBUILD_S = 120.0
"""How long one message carries a rebuild on before it hands over to the next: well within a function's time."""


@blueprint.function_name("recommend")
@blueprint.route("recommendations", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
@endpoint
def recommend(req: func.HttpRequest) -> func.HttpResponse:
    """Answer the shelves of the viewer's home page, each title with its reason."""
    viewer = bootstrap.accounts().viewer(bearer(req))
    shelves = bootstrap.graph().recommendations.home(viewer.user_id)
    return answer({"shelves": [public_shelf(shelf) for shelf in shelves]})


@blueprint.function_name("similar_titles")
@blueprint.route("titles/{id}/similar", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
@endpoint
def similar_titles(req: func.HttpRequest) -> func.HttpResponse:
    """Answer the titles most like one, each with its reason."""
    picks = bootstrap.graph().recommendations.similar(req.route_params["id"])
    return answer({"titles": [public_pick(pick) for pick in picks]})


@blueprint.function_name("start_rebuild")
@blueprint.route("graph/rebuild", methods=["POST"], auth_level=func.AuthLevel.ANONYMOUS)
@endpoint
def start_rebuild(req: func.HttpRequest) -> func.HttpResponse:
    """Begin to make the graph anew, unless that is under way; answer how far it is."""
    bootstrap.owners().admit(bearer(req), operator_key(req))
    return answer(public_progress(bootstrap.graph().rebuild.start()), status=202)


@blueprint.function_name("get_rebuild")
@blueprint.route("graph/rebuild", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
@endpoint
def get_rebuild(req: func.HttpRequest) -> func.HttpResponse:
    """Answer how far the latest rebuild of the graph is."""
    bootstrap.owners().admit(bearer(req), operator_key(req))
    progress = bootstrap.graph().rebuild.progress()
    if progress is None:
        raise NotFound("The graph was never rebuilt; POST here begins it.")
    return answer(public_progress(progress))


@blueprint.function_name("update_graph")
@blueprint.queue_trigger("msg", "update-graph", "AzureWebJobsStorage")
def update_graph(msg: func.QueueMessage) -> None:
    """Write into the graph what a message hints at: a title, a viewing, a rating, or what was cleared."""
    bootstrap.graph().keeper.handle(_body(msg))


@blueprint.function_name("update_graph_poison")
@blueprint.queue_trigger("msg", "update-graph-poison", "AzureWebJobsStorage")
def update_graph_poison(msg: func.QueueMessage) -> None:
    """Note that a message was lost, so that the timer makes the graph anew."""
    log.error("A message of update-graph could not be written, in several tries: %r", msg.get_body()[:500])
    bootstrap.graph().rebuild.note_loss()


@blueprint.function_name("rebuild_graph")
@blueprint.queue_trigger("msg", "rebuild-graph", "AzureWebJobsStorage")
def rebuild_graph(msg: func.QueueMessage) -> None:
    """Carry a rebuild on: {"rebuild_id"}; what is left after a while is for the next message."""
    rebuild_id = _rebuild_id(msg)
    if not bootstrap.graph().rebuild.advance(rebuild_id, within_s=REBUILD_S):
        bootstrap.resources.queues().send_json("rebuild-graph", {"rebuild_id": rebuild_id})


@blueprint.function_name("rebuild_graph_poison")
@blueprint.queue_trigger("msg", "rebuild-graph-poison", "AzureWebJobsStorage")
def rebuild_graph_poison(msg: func.QueueMessage) -> None:
    """Say that a rebuild failed; the timer begins another."""
    try:
        rebuild_id = _rebuild_id(msg)
    except Malformed as error:
        log.error("A message of rebuild-graph is for no rebuild: %s", error.detail)
        return
    bootstrap.graph().rebuild.fail(
        rebuild_id, "It could not go on, in several tries; the log of rebuild_graph says why."
    )


@blueprint.function_name("mend_graph")
@blueprint.timer_trigger("timer", "0 50 * * * *")
def mend_graph(timer: func.TimerRequest) -> None:
    """Make the graph anew if that is due: messages were lost, there is none yet, or it is a week old."""
    del timer
    if bootstrap.resources.settings().neo4j_uri:
        bootstrap.graph().rebuild.start_if_due()


def _body(msg: func.QueueMessage) -> dict[str, Any]:
    try:
        body = json.loads(msg.get_body())
    except ValueError:
        body = None
    if not isinstance(body, dict):
        raise Malformed("The message must be a JSON object.")
    return body


def _rebuild_id(msg: func.QueueMessage) -> str:
    rebuild_id = _body(msg).get("rebuild_id")
    if not isinstance(rebuild_id, str):
        raise Malformed('The message must be {"rebuild_id"}.')
    return rebuild_id
