"""Output bindings: binding expressions, and the messages in an output value."""

from __future__ import annotations

import json
import uuid

import pytest

from infra.local.host.outputs import OutputError, binding_values, bodies, resolved
from infra.local.host.protos import TypedData


def test_an_expression_takes_the_triggers_values(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PLACE", "store")
    assert resolved("%PLACE%/{id}.json", {"id": "7"}) == "store/7.json"


def test_each_random_name_is_another() -> None:
    first, second = resolved("{rand-guid}/{rand-guid}", {}).split("/")
    assert uuid.UUID(first) != uuid.UUID(second)


def test_an_unknown_value_is_told() -> None:
    with pytest.raises(OutputError, match="no value 'id'"):
        resolved("{id}", {})


def test_a_json_message_offers_its_scalars() -> None:
    body = json.dumps({"id": 7, "name": "x", "more": {"a": 1}, "none": None})
    assert binding_values(body) == {"id": "7", "name": "x"}
    assert binding_values("no json") == binding_values("[1]") == {}


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (TypedData(string="text"), ["text"]),
        (TypedData(bytes=b"raw"), [b"raw"]),
        (TypedData(int=7), ["7"]),
        (TypedData(json='["a", {"b": 1}, {"id": "1", "body": "c"}]'), ["a", '{"b": 1}', "c"]),
        (TypedData(json='{"id": null, "body": "d"}'), ["d"]),
        (TypedData(json="[]"), []),
    ],
)
def test_a_list_gives_several_messages(data: TypedData, expected: list[str | bytes]) -> None:
    assert list(bodies(data)) == expected
