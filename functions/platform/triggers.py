"""Declaring the functions of a slice: HTTP routes with their contracts, queue and blob functions, and timers.

A route's decorator and its handler's signature are the whole contract: path, method, caller, input and answer.
Authentication, the parsing of requests and the OpenAPI document are derived from it. Types are resolved at a function's
first call, from the slice's `schemas` module and the queue's message class, so that a cold start imports none of them.

A handler declares the parameters that it needs, by name: `request`; `body` and `query`, with their types as
annotations; the segments of the path; and the caller as `session`, `viewer` or `owner`. If anyone may call a route, a
`viewer` is None for callers without a session. A queue function takes `message` and may take `delivery`.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import azure.functions as func

from functions.platform import http
from functions.platform.annotations import resolved_annotations
from functions.platform.errors import Malformed, NotflixError
from functions.platform.lazy import lazy

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from functions.platform.resources import Resources

log = logging.getLogger(__name__)

ANYONE, SIGNED, VIEWER, OWNER = "anyone", "signed", "viewer", "owner"
"""Who may call a route. SIGNED means that the handler verifies a proof in the request itself, such as a token."""

STORAGE = "AzureWebJobsStorage"
LOST_BLOBS = "webjobs-blobtrigger-poison"
"""The queue to which the host moves blobs whose function failed in all attempts; all functions of an app share it."""
LARGEST_BODY_KB = 64


class SignedIn(Protocol):
    """A session."""

    @property
    def viewer(self) -> Any:
        """Return the viewer who owns the session."""


class Access(Protocol):
    """Authenticates callers."""

    def session(self, token: str) -> SignedIn:
        """Return the session of a token. Raises Unauthenticated."""

    def owner(self, token: str, key: str) -> str:
        """Return the id under which an owner's call is recorded. Raises Unauthenticated or Forbidden."""


class CompositionRoot(Protocol):
    """The parts of the application that triggers need, besides the services that handlers call."""

    def access(self) -> Access:
        """Return the authentication of callers."""

    @property
    def resources(self) -> Resources:
        """Return the shared clients."""


class Delivery(NamedTuple):
    """The delivery of a message: its id, when it was enqueued, and the number of its deliveries."""

    message_id: str
    enqueued_at: datetime | None
    attempt: int


class Route(NamedTuple):
    """The contract of one HTTP function, as declared."""

    name: str
    method: str
    path: str
    caller: str
    statuses: tuple[int, ...]
    raises: tuple[type[NotflixError], ...]
    media_type: str
    largest_body_kb: int
    any_media_type: bool
    schemas: str
    handler: Callable[..., Any]
    recorded: bool
    subject: str

    def types(self) -> dict[str, Any]:
        """Return the handler's resolved annotations by parameter name, with the answer's type under `return`."""
        return resolved_annotations(self.handler, self.schemas)


class QueueFunction(NamedTuple):
    """One queue function, as declared; `queue` is the queue of its message class, even for dead letters."""

    name: str
    queue: str
    dead_letters: bool


class TimerFunction(NamedTuple):
    """One timer, as declared; `schedule` is a six-field NCRONTAB expression."""

    name: str
    schedule: str


class SliceApp:
    """The functions of one slice; the function app registers them from `blueprint`."""

    def __init__(self, root: CompositionRoot, schemas: str = "") -> None:
        self.blueprint = func.Blueprint()  # type: ignore[no-untyped-call]
        self.routes: list[Route] = []
        self.queue_functions: list[QueueFunction] = []
        self.timers: list[TimerFunction] = []
        self._root = root
        self._schemas = schemas

    def get(self, path: str, **contract: Any) -> Callable[[Callable[..., Any]], Any]:
        """Declare a GET route; see `route`."""
        return self.route("GET", path, **contract)

    def post(self, path: str, **contract: Any) -> Callable[[Callable[..., Any]], Any]:
        """Declare a POST route; see `route`."""
        return self.route("POST", path, **contract)

    def put(self, path: str, **contract: Any) -> Callable[[Callable[..., Any]], Any]:
        """Declare a PUT route; see `route`."""
        return self.route("PUT", path, **contract)

    def patch(self, path: str, **contract: Any) -> Callable[[Callable[..., Any]], Any]:
        """Declare a PATCH route; see `route`."""
        return self.route("PATCH", path, **contract)

    def delete(self, path: str, **contract: Any) -> Callable[[Callable[..., Any]], Any]:
        """Declare a DELETE route; see `route`."""
        return self.route("DELETE", path, **contract)

    def route(
        self,
        method: str,
        path: str,
        *,
        caller: str,
        status: int | tuple[int, ...] = 0,
        raises: Sequence[type[NotflixError]] = (),
        media_type: str = http.JSON,
        largest_body_kb: int = LARGEST_BODY_KB,
        any_media_type: bool = False,
        offload: bool = False,
        changes: bool | None = None,
        subject: str = "",
    ) -> Callable[[Callable[..., Any]], Any]:
        """Declare a route.

        `caller` is ANYONE, SIGNED, VIEWER or OWNER. `status` defaults to 200, or to 204 for a handler that returns
        nothing; a handler with several statuses returns an `Answer`. `raises` lists errors in addition to those that
        follow from the declaration (401, 403, 413, 415, 422, 503). `offload` runs the handler on the thread pool for
        calls that wait for a remote service. `changes` is true by default unless the method is GET. What an owner
        changes is recorded (`platform/audit.py`) with the path's id or else the answer's `subject`.
        """

        def declare(handler: Callable[..., Any]) -> Any:
            default = 204 if handler.__annotations__.get("return") in ("None", None) else 200
            statuses = status if isinstance(status, tuple) else (status or default,)
            route = Route(
                name=handler.__name__,
                method=method,
                path=path,
                caller=caller,
                statuses=statuses,
                raises=tuple(raises),
                media_type=media_type,
                largest_body_kb=largest_body_kb,
                any_media_type=any_media_type,
                schemas=self._schemas,
                handler=handler,
                recorded=caller == OWNER and (method != "GET" if changes is None else changes),
                subject=subject,
            )
            self.routes.append(route)
            endpoint: Callable[..., Any] = _named(_endpoint(self._root, route), handler)
            if offload:
                from functions.platform.thread_offload import offload as to_pool

                endpoint = to_pool(endpoint)
            registered = self.blueprint.route(path, methods=[method], auth_level=func.AuthLevel.ANONYMOUS)(endpoint)
            return self.blueprint.function_name(route.name)(registered)

        return declare

    def queue(self, queue: str, *, offload: bool = False) -> Callable[[Callable[..., None]], Any]:
        """Declare a function for the messages of a queue.

        A malformed message is parked at once. If the handler raises an error that is not retryable, the message goes to
        the dead letters at once; after any other exception, the host delivers the message again.
        """
        return self._queue(queue, dead_letters=False, offload=offload)

    def dead_letters(self, queue: str, *, offload: bool = False) -> Callable[[Callable[..., None]], Any]:
        """Declare the function for the dead letters of a queue (`<queue>-poison`).

        A message is parked if it is malformed or if the handler raises an error that is not retryable.
        """
        return self._queue(queue, dead_letters=True, offload=offload)

    def blob(self, path: str, *, reference: type) -> Callable[[Callable[[Any], None]], Any]:
        """Declare a function that Event Grid triggers for each new blob in a container; `path` is `<container>/{name}`.

        The handler takes a `reference` to the blob, an SDK type with a converter; no byte of the blob passes through
        the host.
        """

        def declare(handler: Callable[[Any], None]) -> Any:
            def receive(blob: Any) -> None:
                handler(blob)

            receive.__name__ = receive.__qualname__ = handler.__name__
            receive.__module__, receive.__doc__ = handler.__module__, handler.__doc__
            receive.__annotations__ = {"blob": reference}
            registered = self.blueprint.blob_trigger(
                "blob", path=path, connection=STORAGE, source=func.BlobSource.EVENT_GRID
            )(receive)
            return self.blueprint.function_name(handler.__name__)(registered)

        return declare

    def lost_blobs(self, container: str) -> Callable[[Callable[[str], None]], Any]:
        """Declare the function that handles blobs whose own function failed in all attempts; it takes a blob's name.

        The host enqueues these blobs on LOST_BLOBS and delivers each until the function succeeds, because a dead-letter
        queue has no dead letters itself. A message is parked if it is malformed or causes an error that is not
        retryable.
        """

        def declare(handler: Callable[[str], None]) -> Any:
            receive = _named(_lost_blob_receiver(self._root, container, handler), handler)
            registered = self.blueprint.queue_trigger("msg", LOST_BLOBS, STORAGE)(receive)
            return self.blueprint.function_name(handler.__name__)(registered)

        return declare

    def timer(self, schedule: str) -> Callable[[Callable[[], None]], Any]:
        """Declare a function that runs on an NCRONTAB schedule."""

        def declare(handler: Callable[[], None]) -> Any:
            self.timers.append(TimerFunction(handler.__name__, schedule))

            def tick(timer: func.TimerRequest) -> None:
                del timer
                handler()

            registered = self.blueprint.timer_trigger("timer", schedule)(_named(tick, handler))
            return self.blueprint.function_name(handler.__name__)(registered)

        return declare

    def _queue(self, queue: str, *, dead_letters: bool, offload: bool) -> Callable[[Callable[..., None]], Any]:
        def declare(handler: Callable[..., None]) -> Any:
            self.queue_functions.append(QueueFunction(handler.__name__, queue, dead_letters))
            receive: Callable[..., Any] = _receiver(self._root, queue, handler, dead_letters=dead_letters)
            receive = _named(receive, handler)
            if offload:
                from functions.platform.thread_offload import offload as to_pool

                receive = to_pool(receive)
            name = f"{queue}-poison" if dead_letters else queue
            registered = self.blueprint.queue_trigger("msg", name, STORAGE)(receive)
            return self.blueprint.function_name(handler.__name__)(registered)

        return declare


def _endpoint(root: CompositionRoot, route: Route) -> Callable[[func.HttpRequest], func.HttpResponse]:
    """Return the function that the host calls: it authenticates, parses, calls the handler and returns its answer."""
    wanted = route.handler.__code__.co_varnames[: route.handler.__code__.co_argcount]
    types = lazy(route.types)

    def endpoint(req: func.HttpRequest) -> func.HttpResponse:
        try:
            given: dict[str, Any] = _authenticated(root, route, req)
            for name in wanted:
                if name == "request":
                    given[name] = req
                elif name == "body":
                    given[name] = http.read_body(
                        req,
                        types()[name],
                        largest_bytes=route.largest_body_kb << 10,
                        any_media_type=route.any_media_type,
                    )
                elif name == "query":
                    given[name] = http.read_query(req, types()[name])
                elif name not in given:
                    given[name] = http.read_path(req.route_params[name], types()[name])
            arguments = {name: given[name] for name in wanted}
            if route.recorded:
                from functions.platform.audit import call_recorded

                returned = call_recorded(root.resources, route, arguments, owner=given["owner"])
            else:
                returned = route.handler(**arguments)
        except NotflixError as error:
            return http.error_answer(error)
        except Exception:  # the outermost handler; the URL is not logged, because it may contain a token
            log.exception("%s failed", route.name)
            return http.unexpected_answer()
        if isinstance(returned, http.Answer):
            return http.answer(returned.body, status=returned.status)
        if isinstance(returned, http.Text):
            return http.text_answer(returned.text, media_type=route.media_type)
        if isinstance(returned, http.File):
            return http.file_answer(returned, media_type=route.media_type)
        if returned is None:
            return http.no_content(route.statuses[0])
        return http.answer(returned, status=route.statuses[0])

    return endpoint


def _authenticated(root: CompositionRoot, route: Route, req: func.HttpRequest) -> dict[str, Any]:
    """Return the caller, keyed by the parameter names of handlers. Raises Unauthenticated or Forbidden."""
    if route.caller == VIEWER:
        session = root.access().session(http.bearer(req))
        return {"session": session, "viewer": session.viewer}
    if route.caller == OWNER:
        return {"owner": root.access().owner(http.bearer(req), http.operator_key(req))}
    token = http.bearer(req) if "viewer" in route.handler.__annotations__ else ""
    return {"viewer": root.access().session(token).viewer if token else None}


def _receiver(
    root: CompositionRoot, queue: str, handler: Callable[..., None], *, dead_letters: bool
) -> Callable[[func.QueueMessage], None]:
    """Return the function that the host calls with a message."""
    wants_delivery = "delivery" in handler.__annotations__

    def receive(msg: func.QueueMessage) -> None:
        from functions.platform.messages import MESSAGES, decode

        body: bytes = msg.get_body()
        kind = next(each for each in MESSAGES if queue == each.QUEUE)
        try:
            message = decode(body, kind)
        except Malformed as error:
            root.resources.queues().park(queue, body, error.detail)
            return
        given: dict[str, Any] = {"message": message}
        if wants_delivery:
            given["delivery"] = Delivery(str(msg.id), msg.insertion_time, msg.dequeue_count or 1)
        try:
            handler(**given)
        except NotflixError as error:
            if error.retryable:
                raise
            if dead_letters:
                root.resources.queues().park(queue, body, error.detail)
            else:
                root.resources.queues().dead_letter(queue, body)

    return receive


def _lost_blob_receiver(
    root: CompositionRoot, container: str, handler: Callable[[str], None]
) -> Callable[[func.QueueMessage], None]:
    """Return the function that the host calls with the message of a blob whose function failed."""

    def receive(msg: func.QueueMessage) -> None:
        from functions.platform.messages import decode_lost_blob

        body: bytes = msg.get_body()
        try:
            blob = decode_lost_blob(body, LOST_BLOBS)
            if blob.container_name != container:
                raise Malformed(f"A message of {LOST_BLOBS} names a blob outside the container {container}.")
            handler(blob.blob_name)
        except NotflixError as error:
            if error.retryable:
                raise
            root.resources.queues().park(LOST_BLOBS, body, error.detail)

    return receive


def _named[F: Callable[..., Any]](function: F, handler: Callable[..., Any]) -> F:
    """Return `function` with the handler's name, and with annotations that the worker can resolve."""
    function.__name__ = function.__qualname__ = handler.__name__
    function.__module__, function.__doc__ = handler.__module__, handler.__doc__
    parameter = function.__code__.co_varnames[0]  # 135 calls of inspect.signature would slow every cold start
    kind = {"req": func.HttpRequest, "msg": func.QueueMessage, "timer": func.TimerRequest}[parameter]
    function.__annotations__ = {parameter: kind, **({"return": func.HttpResponse} if parameter == "req" else {})}
    return function
