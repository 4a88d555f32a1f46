"""HTTP answers in one shape: JSON bodies, and `{"error", "detail"}` for everything that goes wrong."""

from __future__ import annotations

import functools
import json
import logging
from typing import TYPE_CHECKING, Any

import azure.functions as func

from functions.errors import Malformed, NotflixError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

log = logging.getLogger(__name__)


def answer(body: object, *, status: int = 200, headers: Mapping[str, str] | None = None) -> func.HttpResponse:
    """Return `body` as JSON that no cache keeps."""
    text = json.dumps(body, ensure_ascii=False, separators=(",", ":"))
    return func.HttpResponse(
        text, status_code=status, mimetype="application/json", headers={"Cache-Control": "no-store", **(headers or {})}
    )


def no_content() -> func.HttpResponse:
    """Return 204."""
    return func.HttpResponse(status_code=204)


def json_object(request: func.HttpRequest) -> dict[str, Any]:
    """Return the body as a JSON object; raise Malformed if it is anything else."""
    try:
        body = json.loads(request.get_body() or b"{}")
    except ValueError:
        raise Malformed("The body is not JSON.") from None
    if not isinstance(body, dict):
        raise Malformed("The body must be a JSON object.")
    return body


def endpoint(
    handler: Callable[[func.HttpRequest], func.HttpResponse],
) -> Callable[[func.HttpRequest], func.HttpResponse]:
    """Map errors to answers: known ones to their status, unknown ones to a 500 that says nothing of the inside."""

    @functools.wraps(handler)
    def answered(req: func.HttpRequest) -> func.HttpResponse:
        try:
            return handler(req)
        except NotflixError as error:
            return answer({"error": error.code, "detail": error.detail}, status=error.status)
        except Exception:  # the edge of the application: logged whole, answered without detail
            log.exception("%s %s failed", req.method, req.url.partition("?")[0])
            return answer(
                {"error": "internal", "detail": "Something went wrong here; it has been logged. Try again."}, status=500
            )

    return answered
