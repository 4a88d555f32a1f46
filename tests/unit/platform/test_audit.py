"""The declaration of a route causes each change by an owner to be recorded: before it begins, and when it has ended."""

from __future__ import annotations

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import azure.functions as func
import pytest

from function_app import SLICES
from functions.platform.errors import Conflict, StoreUnavailable
from functions.platform.http import Answer
from functions.platform.messages import RecordAction
from functions.platform.triggers import OWNER, VIEWER, SliceApp
from tests.support.owners import ADMINISTRATOR, AS_ADMINISTRATOR, AS_OPERATOR, AS_VIEWER, FakeAccess
from tests.support.queues import MemoryQueues

if TYPE_CHECKING:
    from functions.platform.messages import Message
    from functions.platform.triggers import Route
    from tests.unit.platform.example_schemas import Greeting, Order, TitleId

NOW = datetime(2026, 11, 27, 4, tzinfo=UTC)

WHOLE_SERVICE = {"start_rebuild", "republish_catalogue", "set_encode_limit"}
"""The routes that change something which has no id."""

READING = {"find_person", "try_service"}
"""The routes that change nothing, although their method is not GET."""


class FailingQueues(MemoryQueues):
    """Queues that accept the first `accepted` messages."""

    accepted = 0

    def send(self, message: Message, *, delay_s: int = 0) -> None:
        if len(self.sent) >= self.accepted:
            raise StoreUnavailable("The queue does not accept messages; try again in a moment.")
        super().send(message, delay_s=delay_s)


class Root:
    """A composition root with queues in memory."""

    def __init__(self) -> None:
        self.queues = MemoryQueues()
        self.resources: Any = SimpleNamespace(interactive_queues=lambda: self.queues, now=lambda: NOW)

    def access(self) -> FakeAccess:
        return FakeAccess()


root = Root()
app = SliceApp(root, "tests.unit.platform.example_schemas")
begun: list[str] = []


@app.delete("films/{id}", caller=OWNER)
def remove(id: TitleId) -> None:
    """Remove a film, or fail as its name says."""
    begun.append(id)
    assert [message.outcome for message in recorded()] == [""], "it is recorded before it begins"
    if id == "conflict":
        raise Conflict("This film is open.")
    if id == "defect":
        raise RuntimeError("secret-token in mysql://root:pw@db")


@app.post("films", caller=OWNER, status=201, subject="text")
def add(body: Order) -> Answer[Greeting]:
    """Add a film, whose id is in the answer."""
    from tests.unit.platform.example_schemas import Greeting

    begun.append("added")
    return Answer(Greeting("film-7"), 201)


@app.get("films/{id}", caller=OWNER)
def look(id: TitleId) -> None:
    """Look at a film."""


@app.post("films/search", caller=OWNER, changes=False)
def search() -> None:
    """Search for a film."""


@app.delete("list/{id}", caller=VIEWER)
def unlist(id: TitleId) -> None:
    """Change something as a viewer."""


@pytest.fixture(autouse=True)
def clean() -> None:
    begun.clear()
    root.queues = MemoryQueues()


def recorded() -> list[RecordAction]:
    """Return the recorded messages, in order."""
    return [message for message in root.queues.messages if isinstance(message, RecordAction)]


def call(function: Any, headers: dict[str, str], *, path: str = "film-1", body: bytes = b"") -> int:
    """Send a request and return the status of its answer."""
    given = {"Content-Type": "application/json", **headers}
    request = func.HttpRequest("POST", "/api/x", headers=given, route_params={"id": path}, body=body)
    status: int = function._function.get_user_function()(request).status_code
    return status


def test_a_change_is_recorded_before_it_begins_and_after_it_has_ended() -> None:
    assert call(remove, AS_ADMINISTRATOR) == 204
    before, after = recorded()
    assert (before.at, before.actor, before.action, before.subject, before.outcome) == (
        *(NOW, ADMINISTRATOR.user_id, "remove", "film-1", ""),
    )
    assert (after.entry_id, after.outcome) == (before.entry_id, "done")


def test_a_script_is_recorded_as_the_operator() -> None:
    call(remove, AS_OPERATOR)
    assert {message.actor for message in recorded()} == {"operator"}


@pytest.mark.parametrize(("path", "status", "outcome"), [("conflict", 409, "conflict"), ("defect", 500, "internal")])
def test_a_failure_is_recorded_by_its_code_without_its_text(path: str, status: int, outcome: str) -> None:
    assert call(remove, AS_OPERATOR, path=path) == status
    assert [message.outcome for message in recorded()] == ["", outcome]
    assert "secret-token" not in repr(recorded())


def test_what_is_created_is_named_by_the_answer() -> None:
    assert call(add, AS_OPERATOR, body=b'{"amount": 2, "note": "secret"}') == 201
    assert [message.subject for message in recorded()] == ["", "film-7"]
    assert "secret" not in repr(recorded())


def test_a_request_that_is_refused_before_it_begins_is_no_action() -> None:
    assert call(remove, AS_VIEWER) == 403
    assert call(remove, {}) == 401
    assert call(add, AS_OPERATOR, body=b'{"amount": "two"}') == 422
    assert recorded() == [] == begun


def test_reading_and_what_viewers_change_is_not_recorded() -> None:
    for function, headers in ((look, AS_OPERATOR), (search, AS_OPERATOR), (unlist, AS_VIEWER)):
        assert call(function, headers) == 204
    assert recorded() == []


def test_nothing_is_changed_that_cannot_be_recorded() -> None:
    root.queues = FailingQueues()
    assert call(remove, AS_OPERATOR) == 503
    assert begun == []


def test_what_was_done_stays_done_if_only_its_outcome_cannot_be_recorded(caplog: pytest.LogCaptureFixture) -> None:
    queues = root.queues = FailingQueues()
    queues.accepted = 1
    assert call(remove, AS_OPERATOR) == 204
    assert "The outcome of remove by operator was not recorded: done" in caplog.text


ROUTES: list[Route] = [route for each in SLICES for route in each.routes]


def test_every_owners_route_that_changes_something_is_recorded_with_what_it_changes() -> None:
    of_owners = [route for route in ROUTES if route.caller == OWNER]
    assert {route.name for route in of_owners if not route.recorded and route.method != "GET"} == READING
    assert not [route.name for route in ROUTES if route.recorded and route.caller != OWNER]
    unnamed = {route.name for route in of_owners if route.recorded and "{id}" not in route.path and not route.subject}
    assert unnamed == WHOLE_SERVICE


def test_what_names_the_subject_is_a_field_of_the_answer() -> None:
    for route in (route for route in ROUTES if route.subject):
        answer = route.types()["return"]
        fields = getattr(answer, "__args__", (answer,))[0].__struct_fields__
        assert route.subject in fields, route.name
