"""The REST API under /v1: access tokens, faults, idempotency, and the operations that Notflix uses.

The response to a successful POST is stored under its PayPal-Request-Id for three days; a repeated request gets the
stored response with status 200.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import hmac
import json
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING
from urllib.parse import parse_qs

from starlette.concurrency import run_in_threadpool
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from infra.local.simulators.paypal.formats import format_time, new_debug_id, parse_time
from infra.local.simulators.paypal.payments import REFUNDS_PATH, SALES_PATH
from infra.local.simulators.paypal.plans import PLANS_PATH, PRODUCTS_PATH
from infra.local.simulators.paypal.signing import REDIRECT_ID
from infra.local.simulators.paypal.subscriptions import SUBSCRIPTIONS_PATH
from infra.local.simulators.paypal.validation import FAULT_NAMES, PayPalError, RequestFields, invalid, not_found
from infra.local.simulators.paypal.webhooks import WEBHOOKS_PATH

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.requests import Request

    from infra.local.simulators.paypal.formats import Document
    from infra.local.simulators.paypal.simulator import PayPalSimulator
    from infra.local.simulators.paypal.store import DocumentStore

REQUEST_ID_LIFETIME = timedelta(hours=72)
TOKEN_PATH = "/v1/oauth2/token"
TOKEN_LIFETIME_S = 32_400
BAD_GATEWAY = 502
GATEWAY_PAGE = "<html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1></body></html>"
_JSON = "application/json"
_MINIMAL = ("id", "product_id", "name", "status", "description", "usage_type", "create_time", "links")


class AccessTokens:
    """The access tokens of one client. They expire by the real clock, because the client measures time by it too."""

    def __init__(self, store: DocumentStore, *, client_id: str, client_secret: str) -> None:
        self._store = store
        self._credentials = f"{client_id}:{client_secret}".encode()

    def issue(self, credentials: bytes) -> Document | None:
        """Return PayPal's response with a new token, or None if the credentials ("id:secret") are wrong."""
        if not hmac.compare_digest(credentials, self._credentials):
            return None
        token = f"A21AA{secrets.token_urlsafe(60)}"
        self._store.put("token", token, {"expires": time.time() + TOKEN_LIFETIME_S})
        return {
            "scope": "https://uri.paypal.com/services/subscriptions",
            "access_token": token,
            "token_type": "Bearer",
            "expires_in": TOKEN_LIFETIME_S,
        }

    def is_valid(self, token: str) -> bool:
        """Return whether a token was issued and has not expired."""
        found = self._store.get("token", token)
        return found is not None and time.time() < found["expires"]

    def expire_all(self) -> None:
        """Make every token issued so far invalid."""
        self._store.remove_all("token")


@dataclass(frozen=True, slots=True)
class ApiCall:
    """A call of the API; `id` is the id in the path."""

    method: str
    path: str
    id: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    raw: bytes

    def body(self) -> object:
        """Return the JSON of the body; raise PayPalError if it is malformed or missing."""
        if not self.raw:
            raise invalid("/", "MISSING_REQUEST_BODY", "Request body is missing.")
        try:
            found: object = json.loads(self.raw)
        except ValueError:
            raise invalid("/", "MALFORMED_REQUEST_JSON", "The request JSON is not well formed.") from None
        return found


@dataclass(frozen=True, slots=True)
class ApiAnswer:
    """A response of the API; with status 204 it has no body. With status 502 it comes from the gateway."""

    status: int
    body: Document | None = None
    headers: dict[str, str] = field(default_factory=dict)

    def response(self) -> Response:
        """Return the HTTP response."""
        if self.status == BAD_GATEWAY:
            return HTMLResponse(GATEWAY_PAGE, self.status)
        text = b"" if self.body is None else json.dumps(self.body, separators=(",", ":"), ensure_ascii=False).encode()
        headers = {
            "Paypal-Debug-Id": new_debug_id(),
            "Cache-Control": "max-age=0, no-cache, no-store, must-revalidate",
        }
        return Response(text, self.status, {**headers, **self.headers}, None if self.body is None else _JSON)


Operation = Callable[[ApiCall], ApiAnswer]


class PayPalApi:
    """The routes of the REST API."""

    def __init__(self, simulator: PayPalSimulator) -> None:
        self._simulator = simulator

    def routes(self) -> list[Route]:
        """Return the routes of the API."""
        of = self._simulator
        subscription = f"{SUBSCRIPTIONS_PATH}/{{id}}"
        operations: list[tuple[str, str, Operation]] = [
            ("POST", PRODUCTS_PATH, lambda call: _created(call, of.plans.create_product(call.body()))),
            ("POST", PLANS_PATH, lambda call: _created(call, of.plans.create_plan(call.body()))),
            ("POST", f"{PLANS_PATH}/{{id}}/deactivate", self._deactivate_plan),
            (
                "POST",
                SUBSCRIPTIONS_PATH,
                lambda call: _created(call, of.subscriptions.create_subscription(call.body())),
            ),
            ("GET", subscription, lambda call: ApiAnswer(200, of.subscriptions.subscription(call.id))),
            ("GET", f"{subscription}/transactions", self._get_transactions),
            ("POST", f"{subscription}/cancel", self._cancel_subscription),
            ("GET", f"{SALES_PATH}/{{id}}", lambda call: ApiAnswer(200, of.sales.sale(call.id))),
            ("GET", f"{REFUNDS_PATH}/{{id}}", lambda call: ApiAnswer(200, of.sales.refund(call.id))),
            ("POST", WEBHOOKS_PATH, lambda call: ApiAnswer(201, of.webhooks.create_webhook(call.body()))),
            ("GET", WEBHOOKS_PATH, lambda call: ApiAnswer(200, {"webhooks": of.webhooks.all_webhooks()})),
        ]
        return [
            Route(TOKEN_PATH, self._issue_token, methods=["POST"]),
            Route("/v1/notifications/certs/{id}", self._get_certificate, methods=["GET"]),
            *[self._route(method, path, operation) for method, path, operation in operations],
            Route("/v1/{rest:path}", self._unknown, methods=["GET", "POST", "PUT", "PATCH", "DELETE"]),
        ]

    def _route(self, method: str, path: str, operation: Operation) -> Route:
        async def serve(request: Request) -> Response:
            raw = await request.body()
            id_ = request.path_params.get("id", "")
            call = ApiCall(method, request.url.path, id_, request.query_params, request.headers, raw)
            await self._delay()
            answer = await run_in_threadpool(self._answer, call, operation)
            return answer.response()

        return Route(path, serve, methods=[method])

    async def _delay(self) -> None:
        if self._simulator.switches.slow_ms:
            await asyncio.sleep(self._simulator.switches.slow_ms / 1000)

    async def _issue_token(self, request: Request) -> Response:
        form = parse_qs((await request.body()).decode("latin-1"))
        await self._delay()
        if fault := self._simulator.switches.take_fault(TOKEN_PATH):
            return _failed(fault.status).response()
        kind, _, given = request.headers.get("authorization", "").partition(" ")
        try:
            credentials = base64.b64decode(given, validate=True)
        except binascii.Error:
            credentials = b""
        token = self._simulator.tokens.issue(credentials) if kind.lower() == "basic" else None
        if token is None:
            error = {"error": "invalid_client", "error_description": "Client Authentication failed"}
            return ApiAnswer(401, error).response()
        if form.get("grant_type") != ["client_credentials"]:
            what = "unsupported grant_type" if "grant_type" in form else "Grant Type is NULL"
            return ApiAnswer(400, {"error": "unsupported_grant_type", "error_description": what}).response()
        return ApiAnswer(200, token).response()

    def _get_certificate(self, request: Request) -> Response:
        """Return the certificate chain that webhooks are signed with; it needs no access token."""
        id_ = request.path_params["id"]
        if id_ == REDIRECT_ID:
            return RedirectResponse(self._simulator.signer.redirect_url(), 302)
        chain = self._simulator.signer.certificate(id_)
        if chain is None:
            return self._unknown(request)
        return Response(chain, media_type="application/x-pem-file")

    def _unknown(self, request: Request) -> Response:
        return ApiAnswer(404, not_found().body()).response()

    def _answer(self, call: ApiCall, operation: Operation) -> ApiAnswer:
        fault = self._simulator.switches.take_fault(call.path)
        if fault and fault.when == "before":
            return _failed(fault.status)
        answer = self._checked(call, operation)
        return _failed(fault.status) if fault else answer

    def _checked(self, call: ApiCall, operation: Operation) -> ApiAnswer:
        authorization = call.headers.get("authorization")
        if not authorization:
            return ApiAnswer(401, PayPalError(401, "AUTHENTICATION_FAILURE").body())
        kind, _, token = authorization.partition(" ")
        if kind.lower() != "bearer" or not self._simulator.tokens.is_valid(token):
            text = "Token signature verification failed"
            return ApiAnswer(401, {"error": "invalid_token", "error_description": text})
        media = call.headers.get("content-type", "").partition(";")[0].strip().lower()
        if call.raw and media != _JSON:
            return ApiAnswer(415, PayPalError(415, "UNSUPPORTED_MEDIA_TYPE").body())
        try:
            with self._simulator.store.transaction():
                return self._once(call, operation)
        except PayPalError as error:
            return ApiAnswer(error.status, error.body())

    def _once(self, call: ApiCall, operation: Operation) -> ApiAnswer:
        request_id = call.headers.get("paypal-request-id")
        if call.method != "POST" or not request_id:
            return operation(call)
        store, now = self._simulator.store, self._simulator.clock.now()
        key = f"{call.path} {request_id}"
        known = store.get("answer", key)
        if known and now - parse_time(known["time"]) < REQUEST_ID_LIFETIME:
            return ApiAnswer(200 if known["status"] == 201 else known["status"], known["body"])
        answer = operation(call)
        store.put("answer", key, {"time": format_time(now), "status": answer.status, "body": answer.body})
        return answer

    def _deactivate_plan(self, call: ApiCall) -> ApiAnswer:
        self._simulator.plans.deactivate_plan(call.id)
        return ApiAnswer(204)

    def _get_transactions(self, call: ApiCall) -> ApiAnswer:
        start, end = call.query.get("start_time"), call.query.get("end_time")
        return ApiAnswer(200, self._simulator.subscriptions.transactions(call.id, start, end))

    def _cancel_subscription(self, call: ApiCall) -> ApiAnswer:
        reason = RequestFields(call.body(), {"reason"}).text("reason", longest=128)
        self._simulator.subscriptions.act(call.id, "cancel", note=reason)
        return ApiAnswer(204)


def _created(call: ApiCall, resource: Document) -> ApiAnswer:
    """Return a response with the whole resource if the header `Prefer` requests it, otherwise with the main fields."""
    if "return=representation" in call.headers.get("prefer", "").replace(" ", ""):
        return ApiAnswer(201, resource)
    return ApiAnswer(201, {name: value for name, value in resource.items() if name in _MINIMAL})


def _failed(status: int) -> ApiAnswer:
    if status == BAD_GATEWAY:
        return ApiAnswer(status)
    headers = {"Retry-After": "1"} if status in (429, 503) else {}
    return ApiAnswer(status, PayPalError(status, FAULT_NAMES[status]).body(), headers)
