"""The HTTP functions of usage: heartbeats by ticket, history, the watch list and ratings by session."""

from __future__ import annotations

import azure.functions as func

from functions import bootstrap
from functions.platform.errors import Malformed
from functions.platform.http import answer, bearer, endpoint, json_object, no_content
from functions.usage.views import public_history, public_list, public_ratings, public_traces

blueprint = func.Blueprint()  # type: ignore[no-untyped-call]


@blueprint.function_name("record_usage")
@blueprint.route("usage/{id}", methods=["PUT"], auth_level=func.AuthLevel.ANONYMOUS)
@endpoint
def record_usage(req: func.HttpRequest) -> func.HttpResponse:
    """Take a heartbeat; its ticket says whose it is, so that no session need be looked up."""
    return _beat(req)


@blueprint.function_name("record_usage_on_leaving")
@blueprint.route("usage/{id}", methods=["POST"], auth_level=func.AuthLevel.ANONYMOUS)
@endpoint
def record_usage_on_leaving(req: func.HttpRequest) -> func.HttpResponse:
    """Take the heartbeat of a page that is being left: `navigator.sendBeacon` can only POST, without headers."""
    return _beat(req)


@blueprint.function_name("list_usage")
@blueprint.route("usage", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
@endpoint
def list_usage(req: func.HttpRequest) -> func.HttpResponse:
    """Answer a page of the viewer's history, the latest first: ?unfinished=true&cursor=&limit=."""
    user_id = _user(req)
    asked = req.params
    try:
        limit = int(asked.get("limit") or 24)
    except ValueError:
        raise Malformed("The limit must be a whole number.") from None
    unfinished = asked.get("unfinished", "") == "true"
    history = bootstrap.usage().history(user_id, unfinished=unfinished, cursor=asked.get("cursor", ""), limit=limit)
    return answer(public_history(history))


@blueprint.function_name("clear_usage")
@blueprint.route("usage", methods=["DELETE"], auth_level=func.AuthLevel.ANONYMOUS)
@endpoint
def clear_usage(req: func.HttpRequest) -> func.HttpResponse:
    """Clear the viewer's whole history."""
    bootstrap.usage().clear_all(_user(req))
    return no_content()


@blueprint.function_name("get_title_usage")
@blueprint.route("usage/{id}", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
@endpoint
def get_title_usage(req: func.HttpRequest) -> func.HttpResponse:
    """Answer what the viewer has with a title: their place, whether it is on their list, their rating."""
    return answer(public_traces(bootstrap.usage().traces(_user(req), req.route_params["id"])))


@blueprint.function_name("clear_title_usage")
@blueprint.route("usage/{id}", methods=["DELETE"], auth_level=func.AuthLevel.ANONYMOUS)
@endpoint
def clear_title_usage(req: func.HttpRequest) -> func.HttpResponse:
    """Take a title out of the viewer's history."""
    bootstrap.usage().clear(_user(req), req.route_params["id"])
    return no_content()


@blueprint.function_name("get_list")
@blueprint.route("list", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
@endpoint
def get_list(req: func.HttpRequest) -> func.HttpResponse:
    """Answer the viewer's list, the latest first."""
    return answer(public_list(bootstrap.usage().watch_list(_user(req))))


@blueprint.function_name("add_to_list")
@blueprint.route("list/{id}", methods=["PUT"], auth_level=func.AuthLevel.ANONYMOUS)
@endpoint
def add_to_list(req: func.HttpRequest) -> func.HttpResponse:
    """Put a title on the viewer's list."""
    bootstrap.usage().list_title(_user(req), req.route_params["id"])
    return no_content()


@blueprint.function_name("remove_from_list")
@blueprint.route("list/{id}", methods=["DELETE"], auth_level=func.AuthLevel.ANONYMOUS)
@endpoint
def remove_from_list(req: func.HttpRequest) -> func.HttpResponse:
    """Take a title off the viewer's list."""
    bootstrap.usage().unlist_title(_user(req), req.route_params["id"])
    return no_content()


@blueprint.function_name("list_ratings")
@blueprint.route("ratings", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
@endpoint
def list_ratings(req: func.HttpRequest) -> func.HttpResponse:
    """Answer all ratings of the viewer, the latest first."""
    return answer(public_ratings(bootstrap.usage().ratings(_user(req))))


@blueprint.function_name("rate_title")
@blueprint.route("ratings/{id}", methods=["PUT"], auth_level=func.AuthLevel.ANONYMOUS)
@endpoint
def rate_title(req: func.HttpRequest) -> func.HttpResponse:
    """Keep the viewer's thumb: {"rating": 1 or -1}."""
    from functions.usage.schemas import read_rating  # pydantic, which a start can do without

    user_id = _user(req)
    bootstrap.usage().rate(user_id, req.route_params["id"], read_rating(json_object(req)))
    return no_content()


@blueprint.function_name("unrate_title")
@blueprint.route("ratings/{id}", methods=["DELETE"], auth_level=func.AuthLevel.ANONYMOUS)
@endpoint
def unrate_title(req: func.HttpRequest) -> func.HttpResponse:
    """Take the viewer's rating back."""
    bootstrap.usage().unrate(_user(req), req.route_params["id"])
    return no_content()


def _beat(req: func.HttpRequest) -> func.HttpResponse:
    from functions.usage.schemas import read_heartbeat  # pydantic, which a start can do without

    ticket, beat = read_heartbeat(json_object(req))
    bootstrap.usage().beat(req.route_params["id"], ticket, beat)
    return no_content()


def _user(req: func.HttpRequest) -> str:
    """Return the id of the viewer who asks; raise Unauthenticated."""
    return bootstrap.accounts().viewer(bearer(req)).user_id
