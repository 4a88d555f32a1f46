"""The OpenAPI document contains the declarations of each route."""

from __future__ import annotations

from typing import Any

import pytest
from jsonschema import Draft202012Validator

from functions.platform.openapi import document
from tests.unit.platform.test_triggers import app


@pytest.fixture(scope="module")
def described() -> dict[str, Any]:
    return document(app.routes, version="9.9.9")


def test_an_operation_has_its_caller_parameters_bodies_and_statuses(described: dict[str, Any]) -> None:
    operation = described["paths"]["/orders/{id}"]["post"]
    assert operation["operationId"] == "order" and operation["summary"] == "Order something"
    assert operation["security"] == [{"session": []}]
    assert [given["name"] for given in operation["parameters"]] == ["id"]
    assert operation["requestBody"]["required"] is True
    assert set(operation["responses"]) == {"201", "401", "404", "409", "413", "415", "422", "503"}


def test_a_session_that_need_not_be_given_is_described(described: dict[str, Any]) -> None:
    operation = described["paths"]["/greeting"]["get"]
    assert operation["security"] == [{}, {"session": []}]
    assert set(operation["responses"]) == {"200", "401", "503"}
    assert "security" not in described["paths"]["/listing"]["get"]


def test_what_an_owner_may_do_needs_the_key_or_a_session(described: dict[str, Any]) -> None:
    operation = described["paths"]["/orders/{id}"]["delete"]
    assert operation["security"] == [{"operatorKey": []}, {"session": []}]
    assert {"204", "401", "403"} <= set(operation["responses"])


def test_a_query_is_described_with_its_limits_and_defaults(described: dict[str, Any]) -> None:
    limit, reverse, since = described["paths"]["/listing"]["get"]["parameters"]
    assert limit["schema"] == {"type": "integer", "minimum": 1, "maximum": 100, "default": 24}
    assert reverse["schema"] == {"type": "boolean", "default": False}
    assert since["name"] == "since" and not since.get("required", False)


def test_every_schema_is_valid_and_used(described: dict[str, Any]) -> None:
    assert {"Order", "Receipt", "Greeting", "Error"} == set(described["components"]["schemas"])
    for schema in described["components"]["schemas"].values():
        Draft202012Validator.check_schema(schema)
