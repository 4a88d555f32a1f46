"""The REST API under /v1: who may ask, what is asked, and the answer in PayPal's form.

Every call passes the same gate: the switches' delay and faults, the access token, the media type, and the
PayPal-Request-Id, under which a POST that succeeded is answered again with 200 instead of being done again.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import json
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING
from urllib.parse import parse_qs

from starlette.concurrency import run_in_threadpool
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from infra.local.simulators.paypal.errors import NAMES, PayPalError, invalid, not_found
from infra.local.simulators.paypal.forgery import REDIRECT_ID
from infra.local.simulators.paypal.shapes import debug_id, moment_of, stamp

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from starlette.requests import Request

    from infra.local.simulators.paypal.routes import Handler
    from infra.local.simulators.paypal.shapes import Document
    from infra.local.simulators.paypal.simulator import Simulator

REQUEST_IDS_KEPT = timedelta(hours=72)
TOKEN_PATH = "/v1/oauth2/token"
_JSON = "application/json"


@dataclass(frozen=True, slots=True)
class Call:
    """A call of the API."""

    method: str
    path: str
    ids: Mapping[str, str]
    query: Mapping[str, str]
    headers: Mapping[str, str]
    raw: bytes

    def body(self) -> object:
        """Return the body's JSON; raise PayPalError if it is none."""
        if not self.raw:
            raise invalid("/", "MISSING_REQUEST_BODY", "Request body is missing.")
        try:
            found: object = json.loads(self.raw)
        except ValueError:
            raise invalid("/", "MALFORMED_REQUEST_JSON", "The request JSON is not well formed.") from None
        return found


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer: 204 has no body."""

    status: int
    body: Document | None = None
    headers: dict[str, str] = field(default_factory=dict)

    def response(self) -> Response:
        """Return it as HTTP."""
        text = b"" if self.body is None else json.dumps(self.body, separators=(",", ":"), ensure_ascii=False).encode()
        headers = {"Paypal-Debug-Id": debug_id(), "Cache-Control": "max-age=0, no-cache, no-store, must-revalidate"}
        kind = None if self.body is None else _JSON
        return Response(text, self.status, {**headers, **self.headers}, kind)


class Gate:
    """What each call of the API passes."""

    def __init__(self, simulator: Simulator) -> None:
        self._of = simulator

    def route(self, path: str, method: str, handler: Handler) -> Route:
        """Return the route of an operation."""

        async def serve(request: Request) -> Response:
            raw = await request.body()
            call = Call(method, request.url.path, request.path_params, request.query_params, request.headers, raw)
            if self._of.switches.slow_ms:
                await asyncio.sleep(self._of.switches.slow_ms / 1000)
            answer = await run_in_threadpool(self._answer, call, handler)
            return answer.response()

        return Route(path, serve, methods=[method])

    def token_route(self) -> Route:
        """Return the route by which access tokens are got."""

        async def serve(request: Request) -> Response:
            raw = await request.body()
            if self._of.switches.slow_ms:
                await asyncio.sleep(self._of.switches.slow_ms / 1000)
            fault = self._of.switches.take_fault(TOKEN_PATH)
            answer = _failed(fault.status) if fault else self._token(request.headers.get("authorization", ""), raw)
            return answer.response()

        return Route(TOKEN_PATH, serve, methods=["POST"])

    def certificate_route(self) -> Route:
        """Return the route of the certificates that webhooks are signed with; anyone may ask."""

        def serve(request: Request) -> Response:
            id_ = request.path_params["id"]
            if id_ == REDIRECT_ID:
                return RedirectResponse(self._of.sender.address_of(self._of.sender.self_made), 302)
            chain = self._of.sender.certificate(id_)
            if chain is None:
                return Answer(404, not_found().body()).response()
            return Response(chain, media_type="application/x-pem-file")

        return Route("/v1/notifications/certs/{id}", serve, methods=["GET"])

    def unknown_route(self) -> Route:
        """Return the route of all that the API does not have."""

        def serve(request: Request) -> Response:
            return Answer(404, not_found().body()).response()

        return Route("/v1/{rest:path}", serve, methods=["GET", "POST", "PUT", "PATCH", "DELETE"])

    def _token(self, authorization: str, raw: bytes) -> Answer:
        kind, _, given = authorization.partition(" ")
        try:
            id_, _, secret = base64.b64decode(given, validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            id_ = secret = ""
        if kind.lower() != "basic" or not self._of.tokens.knows(id_, secret):
            return Answer(401, {"error": "invalid_client", "error_description": "Client Authentication failed"})
        form = parse_qs(raw.decode("latin-1"))
        if form.get("grant_type") != ["client_credentials"]:
            what = "unsupported grant_type" if "grant_type" in form else "Grant Type is NULL"
            return Answer(400, {"error": "unsupported_grant_type", "error_description": what})
        return Answer(200, self._of.tokens.issue(self._of.switches.token_seconds))

    def _answer(self, call: Call, handler: Handler) -> Answer:
        fault = self._of.switches.take_fault(call.path)
        if fault and fault.when == "before":
            return _failed(fault.status)
        answer = self._judge(call, handler)
        return _failed(fault.status) if fault else answer

    def _judge(self, call: Call, handler: Handler) -> Answer:
        authorization = call.headers.get("authorization")
        if not authorization:
            return Answer(401, PayPalError(401, "AUTHENTICATION_FAILURE").body())
        kind, _, token = authorization.partition(" ")
        if kind.lower() != "bearer" or not self._of.tokens.accepts(token):
            text = "Token signature verification failed"
            return Answer(401, {"error": "invalid_token", "error_description": text})
        media = call.headers.get("content-type", "").partition(";")[0].strip().lower()
        if call.raw and media != _JSON:
            return Answer(415, PayPalError(415, "UNSUPPORTED_MEDIA_TYPE").body())
        try:
            with self._of.store.change():
                return self._once(call, handler)
        except PayPalError as error:
            return Answer(error.status, error.body())

    def _once(self, call: Call, handler: Handler) -> Answer:
        request_id = call.headers.get("paypal-request-id")
        if call.method != "POST" or not request_id:
            return handler(self._of, call)
        key = f"{call.path} {request_id}"
        known = self._of.store.get("answer", key)
        if known and self._of.clock.now() - moment_of(known["time"]) < REQUEST_IDS_KEPT:
            return Answer(200 if known["status"] == 201 else known["status"], known["body"])
        answer = handler(self._of, call)
        kept = {"time": stamp(self._of.clock.now()), "status": answer.status, "body": answer.body}
        self._of.store.put("answer", key, kept)
        return answer


def api_routes(simulator: Simulator, operations: Callable[[], list[tuple[str, str, Handler]]]) -> list[Route]:
    """Return the routes of the whole API."""
    gate = Gate(simulator)
    own = [gate.route(path, method, handler) for method, path, handler in operations()]
    return [gate.token_route(), gate.certificate_route(), *own, gate.unknown_route()]


def _failed(status: int) -> Answer:
    headers = {"Retry-After": "1"} if status in (429, 503) else {}
    return Answer(status, PayPalError(status, NAMES[status]).body(), headers)
