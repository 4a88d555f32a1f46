"""The OpenAPI document and the functions say the same."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import azure.functions as func
import pytest
from jsonschema import Draft202012Validator

import function_app

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
    """Return name and authorization level of every HTTP function, by method and path."""
    found = {}
    # the builders rather than get_functions(), which an app answers only once in a process
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


def test_every_function_is_documented_and_nothing_else() -> None:
    assert set(documented()) == set(registered())


def test_operations_are_named_as_their_functions_and_say_whether_they_need_a_key() -> None:
    said = {
        key: (op["operationId"], "function" if op.get("security") else "anonymous") for key, op in documented().items()
    }
    assert said == registered()


@pytest.mark.parametrize("name", sorted(DOCUMENT["components"]["schemas"]))
def test_every_schema_is_one(name: str) -> None:
    Draft202012Validator.check_schema(DOCUMENT["components"]["schemas"][name])


def test_every_reference_leads_somewhere_and_every_schema_is_used() -> None:
    text = json.dumps(DOCUMENT)
    named = {piece.split('"')[0] for piece in text.split('"#/components/schemas/')[1:]}
    assert named == set(DOCUMENT["components"]["schemas"])


def test_path_parameters_are_declared() -> None:
    for path, item in DOCUMENT["paths"].items():
        in_path = {part[1:-1] for part in path.split("/") if part.startswith("{")}
        assert in_path == {given["name"] for given in item.get("parameters", []) if given["in"] == "path"}, path
