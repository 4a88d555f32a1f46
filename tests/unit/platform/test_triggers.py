"""The effects of a declared function: authentication of the caller, parsing, responses, retries and dead letters."""

from __future__ import annotations

import asyncio
import json
import tracemalloc
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import azure.functions as func
import pytest

from functions.platform.errors import Conflict, NotFound, StoreUnavailable
from functions.platform.http import Answer, Text
from functions.platform.messages import ForgetViewer
from functions.platform.triggers import ANYONE, OWNER, VIEWER, SliceApp
from tests.support.owners import AS_ADMINISTRATOR, AS_OPERATOR, AS_VIEWER, FakeAccess
from tests.support.owners import VIEWER as A_VIEWER
from tests.support.queues import MemoryQueues

if TYPE_CHECKING:
    from functions.platform.triggers import Delivery
    from functions.platform.viewer import Viewer
    from tests.unit.platform.example_schemas import Greeting, Listing, Order, Receipt, TitleId

USER = "c" * 32
NOW = datetime(2026, 11, 27, 4, tzinfo=UTC)


class Root:
    """A composition root with queues in memory."""

    def __init__(self) -> None:
        self.queues = MemoryQueues()
        self.resources: Any = SimpleNamespace(
            queues=lambda: self.queues, interactive_queues=lambda: self.queues, now=lambda: NOW
        )

    def access(self) -> FakeAccess:
        return FakeAccess()


root = Root()
app = SliceApp(root, "tests.unit.platform.example_schemas")
handled: list[object] = []


@app.post("orders/{id}", caller=VIEWER, status=201, raises=(Conflict,))
def order(id: TitleId, body: Order, viewer: Viewer) -> Receipt:
    """Order something."""
    from tests.unit.platform.example_schemas import Receipt

    if body.amount == 7:
        raise Conflict("Seven are not for sale.")
    return Receipt(id, viewer.user_id, body.amount, datetime(2026, 11, 27, 4, 26, 20, 999_999, tzinfo=UTC))


@app.get("listing", caller=ANYONE)
def listing(query: Listing) -> Greeting:
    """List."""
    from tests.unit.platform.example_schemas import Greeting

    return Greeting(f"{query.limit} {query.reverse}")


@app.get("greeting", caller=ANYONE)
def greet(viewer: Viewer | None) -> Greeting:
    """Greet."""
    from tests.unit.platform.example_schemas import Greeting

    return Greeting(viewer.user_id if viewer else "stranger")


@app.delete("orders/{id}", caller=OWNER)
def cancel(id: TitleId, owner: str) -> None:
    """Cancel."""
    handled.append((id, owner))


@app.get("choice", caller=ANYONE, status=(200, 503))
def choice() -> Answer[Greeting]:
    """Return a status that the handler chooses."""
    from tests.unit.platform.example_schemas import Greeting

    return Answer(Greeting("closed"), 503)


@app.get("song", caller=ANYONE, media_type="text/plain")
def song() -> Text:
    """Return a text."""
    return Text("la la")


@app.get("broken", caller=ANYONE, offload=True)
def broken() -> None:
    """Raise an unexpected error."""
    raise RuntimeError("secret-token in mysql://root:pw@db")


@app.queue("forget-viewer")
def forget(message: ForgetViewer, delivery: Delivery) -> None:
    """Record the message, or raise the error set for its viewer."""
    handled.append((message, delivery.attempt))
    failing = failures.get(message.user_id)
    if failing:
        raise failing


@app.dead_letters("forget-viewer")
def forget_poison(message: ForgetViewer) -> None:
    """Record the dead letter, or raise the error set for its viewer."""
    handled.append(message)
    failing = failures.get(message.user_id)
    if failing:
        raise failing


failures: dict[str, Exception] = {}


@pytest.fixture(autouse=True)
def clean() -> None:
    handled.clear()
    failures.clear()
    root.queues = MemoryQueues()


def call(
    function: Any,
    body: bytes = b"",
    *,
    headers: dict[str, str] | None = None,
    params: dict[str, str] | None = None,
    path: str = "a-film",
) -> tuple[int, Any, func.HttpResponse]:
    given = {"Content-Type": "application/json", **(headers or {})}
    request = func.HttpRequest("POST", "/api/x", headers=given, params=params, route_params={"id": path}, body=body)
    response = function._function.get_user_function()(request)
    if asyncio.iscoroutine(response):
        response = asyncio.run(response)
    raw = response.get_body()
    return response.status_code, json.loads(raw) if response.mimetype == "application/json" and raw else raw, response


def test_a_request_is_read_checked_and_answered_as_declared() -> None:
    status, body, response = call(order, b'{"amount": 2}', headers=AS_VIEWER)
    assert (status, body) == (
        201,
        {"id": "a-film", "user_id": A_VIEWER.user_id, "amount": 2, "at": "2026-11-27T04:26:20Z"},
    )
    assert response.headers["Cache-Control"] == "no-store"


def test_a_route_for_anyone_knows_who_is_logged_in_and_refuses_a_session_that_has_ended() -> None:
    assert call(greet)[1] == {"text": "stranger"}
    assert call(greet, headers=AS_VIEWER)[1] == {"text": A_VIEWER.user_id}
    assert call(greet, headers={"Authorization": "Bearer ended"})[0] == 401


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer ended"}, AS_OPERATOR])
def test_a_viewers_route_refuses_everybody_else_before_it_reads_anything(headers: dict[str, str]) -> None:
    status, body, _ = call(order, b"not json", headers=headers)
    assert (status, body["error"]) == (401, "unauthenticated")


def test_an_owners_route_admits_key_and_administrator_and_says_who_it_was() -> None:
    for headers in (AS_OPERATOR, AS_ADMINISTRATOR):
        assert call(cancel, headers=headers)[0] == 204
    assert handled == [("a-film", "operator"), ("a-film", "a" * 32)]
    assert call(cancel, headers=AS_VIEWER)[0] == 403
    assert call(cancel)[0] == 401


@pytest.mark.parametrize(
    ("body", "status", "error", "named"),
    [
        (b"{", 422, "malformed", "truncated"),
        (b"[]", 422, "malformed", "object"),
        (b"{}", 422, "malformed", "amount"),
        (b'{"amount": "2"}', 422, "malformed", "`amount`"),
        (b'{"amount": 1e400}', 422, "malformed", "`amount`"),
        (b'{"amount": ' + b"9" * 400 + b"}", 422, "malformed", "`amount`"),
        (b'{"amount": 2, "note": "\\ud800"}', 422, "malformed", ""),
        (b'{"amount": 2, "x": ' + b"[" * 60_000 + b"}", 422, "malformed", "nested too deeply"),
        (b'{"amount": 7}', 409, "conflict", "Seven"),
        (b'{"amount": 2, "note": "' + b"x" * 70_000 + b'"}', 413, "payload_too_large", "65,536"),
    ],
)
def test_a_body_that_does_not_fit_is_refused_with_a_sentence(body: bytes, status: int, error: str, named: str) -> None:
    answered, told, _ = call(order, body, headers=AS_VIEWER)
    assert (answered, told["error"]) == (status, error)
    assert named in told["detail"]


def test_a_body_of_99_mb_is_refused_without_being_parsed() -> None:
    body = b'{"note": "' + b"x" * (99 << 20) + b'"}'
    tracemalloc.start()
    try:
        assert call(order, body, headers=AS_VIEWER)[0] == 413
        assert tracemalloc.get_traced_memory()[1] < 5 << 20
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("media_type", ["text/plain", "application/x-www-form-urlencoded", ""])
def test_a_body_that_another_origin_could_send_without_asking_is_refused(media_type: str) -> None:
    headers = {**AS_VIEWER, "Content-Type": media_type}
    assert call(order, b'{"amount": 2}', headers=headers)[0] == 415


@pytest.mark.parametrize("path", ["A Film", "..", "a\x00b", "x" * 61, "\u202efilm"])
def test_a_segment_of_the_path_that_cannot_be_an_id_is_not_found(path: str) -> None:
    assert call(order, b'{"amount": 2}', headers=AS_VIEWER, path=path)[0] == 404


def test_a_query_is_converted_and_limited() -> None:
    assert call(listing)[1] == {"text": "24 False"}
    assert call(listing, params={"limit": "3", "reverse": "true"})[1] == {"text": "3 True"}
    for params in ({"limit": "0"}, {"limit": "x"}, {"limit": "9" * 400}, {"reverse": "perhaps"}, {"limit": ""}):
        assert call(listing, params=params)[0] == 422


@pytest.mark.parametrize("text", ["0.5", "1795000000", "-1", "2026-11-27", "2026-11-27T04:26:20", "now"])
def test_a_time_in_a_query_is_a_date_with_a_time_zone(text: str) -> None:
    assert call(listing, params={"since": "2026-11-27T04:26:20Z"})[0] == 200
    status, body, _ = call(listing, params={"since": text})
    assert (status, body["error"]) == (422, "malformed")


def test_a_handler_may_choose_its_status_and_answer_a_text() -> None:
    assert call(choice)[:2] == (503, {"text": "closed"})
    assert call(song)[:2] == (200, b"la la")


def test_a_defect_is_a_500_that_reveals_nothing(caplog: pytest.LogCaptureFixture) -> None:
    status, body, response = call(broken)
    assert (status, body["error"]) == (500, "internal")
    assert b"secret" not in response.get_body()
    assert "broken failed" in caplog.text


def deliver(function: Any, body: bytes) -> None:
    function._function.get_user_function()(func.QueueMessage(id="m1", body=body))


def message(user_id: str = USER) -> bytes:
    return json.dumps({"user_id": user_id}).encode()


def test_a_message_is_read_as_its_class() -> None:
    deliver(forget, message())
    assert handled == [(ForgetViewer(USER), 1)]


@pytest.mark.parametrize("function", [forget, forget_poison])
@pytest.mark.parametrize(
    "body", [b"not json", b"[]", b"{}", b'{"user_id": 1}', b'{"user_id": "x"}', b"\xff", b"[" * 50_000]
)
def test_a_malformed_message_is_parked_at_once_and_loses_nothing(function: Any, body: bytes) -> None:
    deliver(function, body)
    assert not handled and not root.queues.dead
    ((queue, kept, reason),) = root.queues.parked
    assert (queue, kept) == ("forget-viewer", body)
    assert "malformed" in reason


def test_an_error_that_a_retry_may_cure_comes_out_so_that_the_host_retries() -> None:
    failures[USER] = StoreUnavailable("Redis does not answer.")
    for function in (forget, forget_poison):
        with pytest.raises(StoreUnavailable):
            deliver(function, message())
    assert not root.queues.dead and not root.queues.parked


def test_a_permanent_error_goes_to_the_dead_letters_at_the_first_attempt() -> None:
    failures[USER] = NotFound("There is no such account.")
    deliver(forget, message())
    assert root.queues.dead == [("forget-viewer", message())]


def test_a_dead_letter_that_cannot_be_handled_is_parked() -> None:
    failures[USER] = NotFound("There is no such account.")
    deliver(forget_poison, message())
    assert root.queues.parked == [("forget-viewer", message(), "There is no such account.")]
