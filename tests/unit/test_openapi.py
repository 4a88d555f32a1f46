"""The OpenAPI document and the functions agree."""

from __future__ import annotations

import json
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

import azure.functions as func
import pytest
from jsonschema import Draft202012Validator

import function_app
from functions import bootstrap
from functions.platform.lazy import lazy
from infra.checks import openapi
from tests.support.api import call
from tests.support.owners import AS_OPERATOR, AS_VIEWER, FakeAccess, NobodyIsLoggedIn
from tests.support.wiring import ROOTS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

DOCUMENT: dict[str, Any] = json.loads(
    (Path(__file__).parents[2] / "docs" / "api" / "openapi.json").read_text(encoding="utf-8")
)
METHODS = ("get", "put", "post", "patch", "delete")


def documented() -> dict[tuple[str, str], dict[str, Any]]:
    return {
        (method, path): operation
        for path, item in DOCUMENT["paths"].items()
        for method, operation in item.items()
        if method in METHODS
    }


def registered() -> dict[tuple[str, str], tuple[str, str]]:
    """Return the name and authorization level of every HTTP function, by method and path."""
    found = {}
    # uses the builders, because an app's get_functions() can be called only once per process
    for function in (builder._function for builder in function_app.app._function_builders):
        trigger = function.get_trigger()
        if isinstance(trigger, func.decorators.http.HttpTrigger):
            for method in trigger.methods or ():
                level = str(getattr(trigger.auth_level, "value", trigger.auth_level)).lower()
                found[str(getattr(method, "value", method)).lower(), f"/{trigger.route}"] = (
                    str(function.get_function_name()),
                    level,
                )
    return found


def test_the_document_is_the_one_that_the_declarations_result_in() -> None:
    assert openapi.DOCUMENT.read_text(encoding="utf-8") == openapi.text(), "run `python -m infra.checks.openapi`"


def test_every_function_is_documented_and_nothing_else() -> None:
    assert set(documented()) == set(registered())


def test_operations_are_named_as_their_functions() -> None:
    assert {key: op["operationId"] for key, op in documented().items()} == {
        key: name for key, (name, _) in registered().items()
    }


def test_the_host_lets_everyone_through_to_where_the_functions_themselves_ask() -> None:
    assert {level for _, level in registered().values()} == {"anonymous"}


def asking_for(*schemes: str, optional: bool = False) -> list[str]:
    """Return the operations that require exactly these kinds of credentials, or that also work without them."""
    return sorted(
        op["operationId"]
        for op in documented().values()
        if {scheme for way in op.get("security", []) for scheme in way} == set(schemes)
        and ({} in op.get("security", [])) == optional
    )


def ask(operation_id: str, headers: Mapping[str, str]) -> tuple[int, Any]:
    """Call an operation that cannot reach any store; the response is checked against the document."""
    key = next(key for key, op in documented().items() if op["operationId"] == operation_id)
    function = next(
        builder for builder in function_app.app._function_builders if registered()[key][0] == name_of(builder)
    )
    parameters = {given["name"]: "x" for given in documented()[key].get("parameters", []) if given["in"] == "path"}
    return call(function, key[1].strip("/"), route=parameters, headers=headers)


def name_of(builder: Any) -> str:
    return str(builder._function.get_function_name())


class Unusable:
    """A service that may be created but fails when it is used."""

    def __getattr__(self, name: str) -> Callable[..., None]:
        def use(*given: object, **named: object) -> None:
            raise AssertionError(f"{name} was used before it was known who asks")

        return use


@pytest.fixture
def nothing_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make all services unusable, so that a function that uses one before authentication fails with 500."""
    for root in ROOTS:
        for name, made in vars(root).items():
            if isinstance(made, lazy):
                monkeypatch.setattr(root, name, Unusable)
    monkeypatch.setattr(bootstrap, "accounts", NobodyIsLoggedIn)
    monkeypatch.setattr(bootstrap, "access", FakeAccess)


@pytest.mark.parametrize("operation", asking_for("operatorKey", "session"))
def test_what_is_the_owners_is_refused_to_anyone_else(operation: str, nothing_runs: None) -> None:
    for headers in ({}, {"x-operator-key": "mistyped"}, {"Authorization": "Bearer ended"}):
        status, body = ask(operation, headers)
        assert (status, body["error"]) == (401, "unauthenticated"), headers
    status, body = ask(operation, AS_VIEWER)
    assert (status, body["error"]) == (403, "forbidden")


@pytest.mark.parametrize("operation", asking_for("session"))
def test_what_is_a_viewers_is_refused_to_strangers(operation: str, nothing_runs: None) -> None:
    for headers in ({}, {"Authorization": "Bearer ended"}, AS_OPERATOR):
        status, body = ask(operation, headers)
        assert (status, body["error"]) == (401, "unauthenticated"), headers


@pytest.mark.parametrize("operation", asking_for("session", optional=True))
def test_where_a_session_is_optional_one_that_has_ended_is_refused(operation: str, nothing_runs: None) -> None:
    status, body = ask(operation, {"Authorization": "Bearer ended"})
    assert (status, body["error"]) == (401, "unauthenticated")


def test_no_operation_asks_for_any_other_proof() -> None:
    required = (asking_for(), asking_for("session"), asking_for("operatorKey", "session"))
    known = {*chain(*required), *asking_for("session", optional=True)}
    assert {op["operationId"] for op in documented().values()} == known


@pytest.mark.parametrize("name", sorted(DOCUMENT["components"]["schemas"]))
def test_every_schema_is_one(name: str) -> None:
    Draft202012Validator.check_schema(DOCUMENT["components"]["schemas"][name])


def test_every_reference_leads_somewhere_and_every_schema_is_used() -> None:
    text = json.dumps(DOCUMENT)
    named = {piece.split('"')[0] for piece in text.split('"#/components/schemas/')[1:]}
    assert named == set(DOCUMENT["components"]["schemas"])


def test_path_parameters_are_declared() -> None:
    for (_, path), operation in documented().items():
        in_path = {part[1:-1] for part in path.split("/") if part.startswith("{")}
        assert in_path == {given["name"] for given in operation.get("parameters", []) if given["in"] == "path"}, path
