"""Call HTTP functions as the host does, and validate their answers against the OpenAPI document."""

from __future__ import annotations

import asyncio
import inspect
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

import azure.functions as func
from jsonschema import Draft202012Validator

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

JSON, BYTES = "application/json", "application/octet-stream"
_DOCUMENT = json.loads((Path(__file__).parents[2] / "docs" / "api" / "openapi.json").read_text(encoding="utf-8"))


def call(
    function: Callable[..., Any],
    address: str,
    *,
    body: object = None,
    route: Mapping[str, str] | None = None,
    headers: Mapping[str, str] | None = None,
) -> tuple[int, Any]:
    """Call the HTTP function of a decorated handler; return status and body, validated against the document."""
    response, parsed = respond(function, address, body=body, route=route, headers=headers)
    return response.status_code, parsed


def respond(
    function: Callable[..., Any],
    address: str,
    *,
    body: object = None,
    route: Mapping[str, str] | None = None,
    headers: Mapping[str, str] | None = None,
) -> tuple[func.HttpResponse, Any]:
    """Call the HTTP function of a decorated handler; return the response, and its body as `call` does."""
    built: Any = function
    sent = body if isinstance(body, bytes) else json.dumps({} if body is None else body).encode()
    user_function = built._function.get_user_function()
    request = func.HttpRequest(
        method=str(built._function.get_trigger().methods[0].value),
        url=f"http://127.0.0.1:7071/api/{address}",
        headers={"Content-Type": JSON, **(headers or {})},
        params=dict(parse_qsl(urlsplit(address).query, keep_blank_values=True)),
        route_params=dict(route or {}),
        body=sent,
    )
    response = user_function(request)
    if inspect.iscoroutine(response):
        response = asyncio.run(response)
    name = built._function.get_function_name()
    parsed = read_answer(response)
    check_answer(name, response.status_code, parsed, kind=response.mimetype)
    return response, parsed


def read_answer(response: func.HttpResponse) -> Any:
    """Return the body of an answer: parsed JSON, text or bytes; None if it is empty."""
    body = response.get_body()
    if not body:
        return None
    if response.mimetype == BYTES:
        return body
    return json.loads(body) if response.mimetype == JSON else body.decode()


def check_answer(operation_id: str, status: int, body: object, *, kind: str = JSON) -> None:
    """Assert that the document allows this status and body for an operation; `kind` is the media type."""
    operation = next(
        op
        for item in _DOCUMENT["paths"].values()
        for op in item.values()
        if isinstance(op, dict) and op.get("operationId") == operation_id
    )
    answers = operation["responses"]
    assert str(status) in answers, f"{operation_id} answers {status}, which the document does not list"
    content = answers[str(status)].get("content")
    if content is None:
        assert body is None
        return
    if isinstance(body, bytes):
        assert content[kind] == {}, "bytes have no schema"
        return
    schema = {**content[kind]["schema"], "components": _DOCUMENT["components"]}
    Draft202012Validator(schema).validate(body)
