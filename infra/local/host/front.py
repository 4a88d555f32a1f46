"""The HTTP side of the host, an ASGI application: routes to functions, keys, CORS, webhooks and the admin addresses."""

from __future__ import annotations

import hmac
import json
import logging
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from infra.local.host.protos import RpcHttp, TypedData
from infra.local.host.responses import EMPTY_STATUSES, answer_of

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, MutableMapping

    from infra.local.host.blobs import BlobQueue
    from infra.local.host.config import HostConfig
    from infra.local.host.invocations import Invoker
    from infra.local.host.responses import Answer
    from infra.local.host.routes import Template
    from infra.local.host.worker import Function

    Message = MutableMapping[str, Any]
    Receive = Callable[[], Awaitable[Message]]
    Send = Callable[[Message], Awaitable[None]]

log = logging.getLogger(__name__)

LOOPBACK = ("127.0.0.1", "::1")
BLOBS_WEBHOOK = "/runtime/webhooks/blobs"
PREFLIGHT_MAX_AGE_S = 600
RETRY_AFTER_S = 2


@dataclass(frozen=True, slots=True)
class Route:
    """The route of a function: its template (with the prefix), methods (empty for all) and authorisation level."""

    template: Template
    methods: frozenset[str]
    auth_level: str
    function: Function


@dataclass(frozen=True, slots=True)
class Request:
    """A request. Header names are in lower case; the values of a repeated header are joined."""

    method: str
    path: str
    url: str
    query: dict[str, str]
    headers: dict[str, str]
    peer: tuple[str, int]
    body: bytes = field(repr=False)

    @property
    def key(self) -> str:
        """The key of the request, or an empty string."""
        return self.headers.get("x-functions-key") or self.query.get("code", "")


class Front:
    """Answers requests. `running` returns whether the listeners run; `manual` starts a function on an admin request."""

    def __init__(
        self,
        config: HostConfig,
        invoker: Invoker,
        routes: list[Route],
        *,
        functions: dict[str, Function],
        blob_queue: BlobQueue | None,
        manual: Callable[[Function, str], bool],
    ) -> None:
        self._config = config
        self._invoker = invoker
        self._routes = sorted(routes, key=lambda route: route.template.precedence)
        self._functions = functions
        self._blob_queue = blob_queue
        self._manual = manual
        self._outstanding = 0
        self.running = False

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Serve one request."""
        try:
            request = await _read(scope, receive, self._config.max_body_bytes)
        except _CallerGone:
            return
        except _TooLarge:
            status, headers, body = 413, [("connection", "close")], b""
        else:
            status, headers, body = self._preflight(request) or await self._dispatch(request)
        headers = [*headers, *self._cors(_header(scope, b"origin"))]
        if status not in EMPTY_STATUSES:
            headers.append(("content-length", str(len(body))))
        raw = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers]
        await send({"type": "http.response.start", "status": status, "headers": raw})
        await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else body})

    async def _dispatch(self, request: Request) -> Answer:
        if request.path == "/admin/host/status" and request.method == "GET":
            return self._status(request)
        if request.path.startswith("/admin/functions/") and request.method == "POST":
            return self._start_by_hand(request)
        if request.path == BLOBS_WEBHOOK and request.method == "POST":
            return await self._events(request)
        allowed: set[str] = set()
        for route in self._routes:
            parameters = route.template.match(request.path.strip("/"))
            if parameters is None:
                continue
            if not route.methods or request.method in route.methods:
                return await self._admit(route, request, parameters)
            allowed |= route.methods
        return (405, [("allow", ", ".join(sorted(allowed)))], b"") if allowed else (404, [], b"")

    async def _admit(self, route: Route, request: Request, parameters: dict[str, str]) -> Answer:
        """Call the function, or answer 503 if too many requests are waiting.

        The real host answers 429 beyond `maxOutstandingRequests`, and Azure adds instances before that. One machine
        cannot add instances, so it answers like any other store or service that is unavailable for a moment.
        """
        if 0 <= self._config.max_outstanding <= self._outstanding:
            return _BUSY
        self._outstanding += 1
        try:
            return await self._call(route, request, parameters)
        finally:
            self._outstanding -= 1

    async def _call(self, route: Route, request: Request, parameters: dict[str, str]) -> Answer:
        keys = self._config.keys
        opening = {"anonymous": None, "function": (keys.function, keys.master)}.get(route.auth_level, (keys.master,))
        if opening is not None and not _opens(request.key, *opening):
            return 401, [], b""
        host, port = request.peer
        client = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        http = RpcHttp(
            method=request.method,
            url=request.url,
            headers=request.headers | {"x-forwarded-for": client},  # replaces a header from the client
            params=parameters,
            query=request.query,
            body=TypedData(bytes=request.body),
        )
        response = await self._invoker.run(
            route.function,
            TypedData(http=http),
            metadata={name: TypedData(string=value) for name, value in parameters.items()},
            values=request.query | parameters,
            trace_parent=request.headers.get("traceparent", ""),
            trace_state=request.headers.get("tracestate", ""),
        )
        return (500, [], b"") if response is None else answer_of(route.function, response)

    def _status(self, request: Request) -> Answer:
        if request.peer[0] not in LOOPBACK and not _opens(request.key, self._config.keys.master):
            return 401, [], b""
        state = "Running" if self.running else "Initialized"
        return _json(200, {"id": self._config.host_id, "state": state, "version": "4.0 (Notflix development host)"})

    def _start_by_hand(self, request: Request) -> Answer:
        if not _opens(request.key, self._config.keys.master):
            return 401, [], b""
        function = self._functions.get(request.path.removeprefix("/admin/functions/"))
        if function is None:
            return 404, [], b""
        try:
            content = json.loads(request.body or b"{}")
        except ValueError:
            return _json(400, {"message": "The body is not JSON."})
        given = content.get("input", "") if isinstance(content, dict) else ""
        if not self._manual(function, given if isinstance(given, str) else json.dumps(given)):
            return _json(400, {"message": "A function with an HTTP trigger must be called at its own address."})
        return 202, [], b""

    async def _events(self, request: Request) -> Answer:
        """Handle Event Grid's events for a blob trigger; a subscription starts with a validation handshake."""
        if not _opens(request.key, self._config.keys.blobs):
            return 401, [], b""
        name = request.query.get("functionName", "")
        trigger = self._blob_queue.trigger(name) if self._blob_queue else None
        if trigger is None or not trigger.by_event or self._blob_queue is None:
            return _json(404, {"message": f"No function {name!r} handles blob events."})
        try:
            content = json.loads(request.body)
            events = content if isinstance(content, list) else [content]
            if events and events[0]["eventType"] == "Microsoft.EventGrid.SubscriptionValidationEvent":
                return _json(200, {"validationResponse": events[0]["data"]["validationCode"]})
            await self._blob_queue.take_events(trigger, events)
        except (ValueError, KeyError, TypeError, AttributeError):
            return _json(400, {"message": "The body is not a list of Event Grid events."})
        return 202, [], b""

    def _preflight(self, request: Request) -> Answer | None:
        if not self._config.cors_origins or request.method != "OPTIONS":
            return None
        if "origin" not in request.headers or "access-control-request-method" not in request.headers:
            return None
        if not self._cors(request.headers["origin"]):
            return 204, [], b""
        headers = [
            ("access-control-allow-methods", request.headers["access-control-request-method"]),
            ("access-control-max-age", str(PREFLIGHT_MAX_AGE_S)),
        ]
        if wanted := request.headers.get("access-control-request-headers"):
            headers.append(("access-control-allow-headers", wanted))
        return 204, headers, b""

    def _cors(self, origin: str) -> list[tuple[str, str]]:
        """Return the CORS headers for an allowed origin, none for any other."""
        allowed = self._config.cors_origins
        if not origin or ("*" not in allowed and origin not in allowed):
            return []
        if "*" in allowed:
            return [("access-control-allow-origin", "*")]
        headers = [("access-control-allow-origin", origin), ("vary", "Origin")]
        if self._config.cors_credentials:
            headers.append(("access-control-allow-credentials", "true"))
        return headers


_BUSY: Answer = (
    503,
    [
        ("content-type", "application/json"),
        ("retry-after", str(RETRY_AFTER_S)),
        ("access-control-expose-headers", "Retry-After"),
    ],
    json.dumps({"error": "busy", "detail": "Too many requests at once; try again in a moment."}).encode(),
)


class _CallerGone(Exception):
    """The client disconnected before the request was complete."""


class _TooLarge(Exception):
    """The body exceeds the limit."""


async def _read(scope: Message, receive: Receive, limit: int) -> Request:
    """Read the whole request."""
    declared = _header(scope, b"content-length")
    if declared.isdecimal() and int(declared) > limit:
        raise _TooLarge
    body = bytearray()
    more = True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise _CallerGone
        body += message.get("body", b"")
        more = message.get("more_body", False)
        if len(body) > limit:
            raise _TooLarge
    headers: dict[str, str] = {}
    for raw_name, raw_value in scope["headers"]:
        name, value = raw_name.decode("latin-1"), raw_value.decode("latin-1")
        headers[name] = f"{headers[name]}{'; ' if name == 'cookie' else ', '}{value}" if name in headers else value
    query: dict[str, str] = {}
    text = scope["query_string"].decode("latin-1")
    for name, value in parse_qsl(text, keep_blank_values=True):
        query[name] = f"{query[name]},{value}" if name in query else value
    address = f"{scope['scheme']}://{headers.get('host', '')}{scope['raw_path'].decode('latin-1')}"
    return Request(
        method=scope["method"],
        path=scope["path"],
        url=f"{address}?{text}" if text else address,
        query=query,
        headers=headers,
        peer=tuple(scope["client"] or ("", 0)),
        body=bytes(body),
    )


def _header(scope: Message, name: bytes) -> str:
    return next((value.decode("latin-1") for key, value in scope["headers"] if key == name), "")


def _opens(shown: str, *keys: str) -> bool:
    """Return whether the given key is one of the keys, in constant time; an empty key is never accepted."""
    return any([bool(key) and hmac.compare_digest(shown.encode(), key.encode()) for key in keys])  # noqa: C419


def _json(status: int, content: object) -> Answer:
    return status, [("content-type", "application/json")], json.dumps(content).encode()
