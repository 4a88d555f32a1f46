"""The catalogue's functions: descriptions and static pages by queue, mending by timer, titles by HTTP."""

from __future__ import annotations

import logging
from typing import Any

import azure.functions as func

from functions import bootstrap
from functions.catalogue.views import card, public_progress, public_title
from functions.platform.errors import Malformed, NotFound
from functions.platform.http import answer, bearer, endpoint, json_object, no_content, operator_key

log = logging.getLogger(__name__)
blueprint = func.Blueprint()  # type: ignore[no-untyped-call]


@blueprint.function_name("fetch_metadata")
@blueprint.queue_trigger("msg", "fetch-metadata", "AzureWebJobsStorage")
def fetch_metadata(msg: func.QueueMessage) -> None:
    """Describe and picture a title: {"title_id", "stem"}."""
    title_id, stem = _asked_for(msg)
    bootstrap.catalogue().refresh_metadata(title_id, stem)


@blueprint.function_name("fetch_metadata_poison")
@blueprint.queue_trigger("msg", "fetch-metadata-poison", "AzureWebJobsStorage")
def fetch_metadata_poison(msg: func.QueueMessage) -> None:
    """Note on the title that its description could not be fetched; the timer asks for it again."""
    try:
        title_id, _ = _asked_for(msg)
        bootstrap.catalogue().note_metadata_failure(
            title_id, "The description could not be fetched, in several tries; the log of fetch_metadata says why."
        )
    except (Malformed, NotFound) as error:
        log.error("A message of fetch-metadata is for no title: %s %r", error.detail, msg.get_body()[:500])


@blueprint.function_name("publish_catalogue")
@blueprint.queue_trigger("msg", "publish-catalogue", "AzureWebJobsStorage")
def publish_catalogue(msg: func.QueueMessage) -> None:
    """Bring the static catalogue up to the store; the message says only that something waits."""
    del msg
    bootstrap.publisher().publish()


@blueprint.function_name("mend_catalogue")
@blueprint.timer_trigger("timer", "0 */15 * * * *")
def mend_catalogue(timer: func.TimerRequest) -> None:
    """Ask again for descriptions whose time has come, and publish what a lost message left behind."""
    del timer
    bootstrap.catalogue().request_due()
    bootstrap.publisher().publish()


@blueprint.function_name("list_titles")
@blueprint.route("titles", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
@endpoint
def list_titles(req: func.HttpRequest) -> func.HttpResponse:
    """Answer a page of titles, newest first: ?q=&genre=&cursor=&limit=."""
    asked = req.params
    try:
        limit = int(asked.get("limit") or 24)
    except ValueError:
        raise Malformed("The limit must be a whole number.") from None
    page = bootstrap.catalogue().page(asked.get("q", ""), asked.get("genre", ""), asked.get("cursor", ""), limit)
    return answer({"titles": [public_title(title) for title in page.titles], "cursor": page.cursor})


@blueprint.function_name("get_title")
@blueprint.route("titles/{id}", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
@endpoint
def get_title(req: func.HttpRequest) -> func.HttpResponse:
    """Answer a title, and how far its newest encode is."""
    title = bootstrap.catalogue().get(req.route_params["id"])
    progress = bootstrap.encodes().latest_for(title.id)
    return answer({**public_title(title), "progress": public_progress(progress) if progress else None})


@blueprint.function_name("next_episode")
@blueprint.route("titles/{id}/next", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
@endpoint
def next_episode(req: func.HttpRequest) -> func.HttpResponse:
    """Answer the episode that follows, null after the last one and for a film."""
    found = bootstrap.catalogue().next_episode(req.route_params["id"])
    return answer({"next": card(found) if found else None})


@blueprint.function_name("edit_title")
@blueprint.route("titles/{id}", methods=["PATCH"], auth_level=func.AuthLevel.ANONYMOUS)
@endpoint
def edit_title(req: func.HttpRequest) -> func.HttpResponse:
    """Set fields of a title by hand; no later refresh changes them back."""
    bootstrap.owners().admit(bearer(req), operator_key(req))
    return answer(public_title(bootstrap.catalogue().edit(req.route_params["id"], json_object(req))))


@blueprint.function_name("withdraw_title")
@blueprint.route("titles/{id}", methods=["DELETE"], auth_level=func.AuthLevel.ANONYMOUS)
@endpoint
def withdraw_title(req: func.HttpRequest) -> func.HttpResponse:
    """Take a title out of the catalogue, end its encode, and delete what plays it."""
    bootstrap.owners().admit(bearer(req), operator_key(req))
    bootstrap.encodes().cancel(req.route_params["id"], "Its title was withdrawn.")
    bootstrap.catalogue().withdraw(req.route_params["id"])
    return no_content()


def _asked_for(msg: func.QueueMessage) -> tuple[str, str]:
    """Return title id and stem of a message; raise Malformed."""
    try:
        body: Any = msg.get_json()
        title_id, stem = body["title_id"], body["stem"]
    except (ValueError, TypeError, KeyError):
        raise Malformed('The message must be {"title_id", "stem"}.') from None
    if not (isinstance(title_id, str) and isinstance(stem, str)):
        raise Malformed("Title id and stem must be text.")
    return title_id, stem
