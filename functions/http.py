"""HTTP answers in one shape: JSON bodies, and `{"error", "detail"}` for everything that goes wrong."""

from __future__ import annotations

import functools
import json
import logging
from dataclasses import dataclass
from ipaddress import ip_address
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


def bearer(request: func.HttpRequest) -> str:
    """Return the session token of the request, from `Authorization: Bearer …`; empty if it carries none."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def operator_key(request: func.HttpRequest) -> str:
    """Return the operator's key that the request shows, from `x-operator-key`; empty if it shows none."""
    return str(request.headers.get("x-operator-key", ""))


@dataclass(frozen=True, slots=True)
class Client:
    """Where a request comes from: the address of the peer that the trusted front saw, and what browser it names."""

    ip: str
    user_agent: str


def client_of(request: func.HttpRequest, front_hops: int) -> Client:
    """Return the client behind `front_hops` trusted proxies, each of which appends the peer it saw.

    What a client itself writes into X-Forwarded-For stands further left and is never believed. An entry may carry a
    port, as Azure's front writes it; an IPv6 address then stands in brackets.
    """
    hops = [hop.strip() for hop in request.headers.get("X-Forwarded-For", "").split(",") if hop.strip()]
    seen = hops[-front_hops] if 0 < front_hops <= len(hops) else ""
    if seen.startswith("["):
        seen = seen[1:].partition("]")[0]
    elif seen.count(":") == 1:
        seen = seen.partition(":")[0]
    try:
        ip = str(ip_address(seen))
    except ValueError:
        ip = "unknown"
    return Client(ip, request.headers.get("User-Agent", "")[:400])


def _exposed(headers: Mapping[str, str]) -> dict[str, str]:
    """Return the headers, and leave for the site, which has another origin, to read them (Fetch standard, CORS).

    The CORS of a function app can allow origins, but expose nothing; so the answer says it.
    """
    return {**headers, "Access-Control-Expose-Headers": ", ".join(headers)} if headers else {}


def endpoint(
    handler: Callable[[func.HttpRequest], func.HttpResponse],
) -> Callable[[func.HttpRequest], func.HttpResponse]:
    """Map errors to answers: known ones to their status, unknown ones to a 500 that says nothing of the inside."""

    @functools.wraps(handler)
    def answered(req: func.HttpRequest) -> func.HttpResponse:
        try:
            return handler(req)
        except NotflixError as error:
            body = {"error": error.code, "detail": error.detail}
            return answer(body, status=error.status, headers=_exposed(error.headers))
        except Exception:  # the edge of the application: logged whole, answered without detail
            log.exception("%s failed", handler.__name__)  # not its address, which may hold a ticket
            return answer(
                {"error": "internal", "detail": "Something went wrong here; it has been logged. Try again."}, status=500
            )

    return answered
