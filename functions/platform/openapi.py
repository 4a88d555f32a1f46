"""The OpenAPI document, generated from the declarations of all routes and the types of their handlers."""

from __future__ import annotations

import inspect
from types import UnionType
from typing import TYPE_CHECKING, Any, get_args, get_origin

import msgspec

from functions.platform import errors, http
from functions.platform.triggers import ANYONE, OWNER, SIGNED, VIEWER

if TYPE_CHECKING:
    from collections.abc import Iterable

    from functions.platform.triggers import Route

REFERENCE = "#/components/schemas/{name}"
SECURITY: dict[str, list[dict[str, list[str]]]] = {
    ANYONE: [],
    SIGNED: [],
    VIEWER: [{"session": []}],
    OWNER: [{"operatorKey": []}, {"session": []}],
}
_INJECTED = ("request", "session", "viewer", "owner", "body", "query", "return")


class Error(msgspec.Struct, frozen=True):
    """The body of every error."""

    error: str
    """The stable code of the error."""
    detail: str
    """A sentence for the person who sees the error: what happened, and what to do."""


def document(routes: Iterable[Route], *, version: str) -> dict[str, Any]:
    """Return the document for the routes, sorted by path and method."""
    ordered = sorted(routes, key=lambda route: (route.path, route.method))
    types = {route.name: {name: _plain(kind) for name, kind in route.types().items()} for route in ordered}
    schemas = _Schemas([kind for each in types.values() for kind in _schema_types(each)])
    paths: dict[str, dict[str, Any]] = {}
    for route in ordered:
        paths.setdefault(f"/{route.path}", {})[route.method.lower()] = _operation(route, types[route.name], schemas)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Notflix",
            "version": version,
            "description": "The HTTP functions of Notflix. Browsing needs none of them: the site reads static JSON.",
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "servers": [
            {"url": "http://127.0.0.1:7071/api", "description": "`./notflix up` on one machine"},
            {
                "url": "https://{app}.azurewebsites.net/api",
                "description": "Azure",
                "variables": {"app": {"default": "notflix"}},
            },
        ],
        "security": [],
        "paths": paths,
        "components": {
            "schemas": schemas.components,
            "securitySchemes": {
                "session": {"type": "http", "scheme": "bearer", "description": "The token of a session."},
                "operatorKey": {
                    "type": "apiKey",
                    "in": "header",
                    "name": "x-operator-key",
                    "description": "The operator's key, for scripts of the owner.",
                },
            },
        },
    }


def _schema_types(types: dict[str, Any]) -> list[Any]:
    """Return the types that need a schema; query types need none, because their fields are parameters."""
    query = [field.type for field in msgspec.structs.fields(types["query"])] if "query" in types else []
    return [kind for name, kind in types.items() if name != "query"] + query


class _Schemas:
    """The JSON Schemas of all types, and references to them."""

    def __init__(self, kinds: list[Any]) -> None:
        wanted = [kind for kind in kinds if _has_schema(kind)]
        _, self.components = msgspec.json.schema_components([*wanted, Error], ref_template=REFERENCE)

    def of(self, kind: Any) -> dict[str, Any]:
        (schema,), _ = msgspec.json.schema_components([kind], ref_template=REFERENCE)
        return schema


def _plain(kind: Any) -> Any:
    """Return the type of the body in an `Answer`; any other type is returned unchanged."""
    return get_args(kind)[0] if get_origin(kind) is http.Answer else kind


def _has_schema(kind: Any) -> bool:
    return kind not in (None, type(None), http.Text, http.File)


def _operation(route: Route, types: dict[str, Any], schemas: _Schemas) -> dict[str, Any]:
    summary, _, rest = inspect.cleandoc(route.handler.__doc__ or "").partition("\n\n")
    operation: dict[str, Any] = {"operationId": route.name, "summary": " ".join(summary.split()).rstrip(".")}
    if rest:
        operation["description"] = "\n\n".join(" ".join(part.split()) for part in rest.split("\n\n"))
    if SECURITY[route.caller]:
        operation["security"] = SECURITY[route.caller]
    elif _knows_viewer(route):
        operation["security"] = [{}, *SECURITY[VIEWER]]
    if parameters := _parameters(types, schemas):
        operation["parameters"] = parameters
    if "body" in types:
        body = types["body"]
        operation["requestBody"] = {
            "required": any(field.required for field in msgspec.structs.fields(body)),
            "content": {http.JSON: {"schema": schemas.of(body)}},
        }
    # a status that the handler chooses, such as 503 in health, has the handler's body
    operation["responses"] = dict(sorted({**_failures(route, types), **_successes(route, types, schemas)}.items()))
    return operation


def _knows_viewer(route: Route) -> bool:
    """Return whether the answer depends on the session, which need not be given if anyone may call."""
    return "viewer" in route.handler.__annotations__


def _parameters(types: dict[str, Any], schemas: _Schemas) -> list[dict[str, Any]]:
    path = [
        {"name": name, "in": "path", "required": True, "schema": schemas.of(kind)}
        for name, kind in types.items()
        if name not in _INJECTED
    ]
    if "query" not in types:
        return path
    query = []
    for field in msgspec.structs.fields(types["query"]):
        schema = schemas.of(field.type)
        if not field.required and field.default not in (msgspec.NODEFAULT, None, ""):
            schema["default"] = field.default
        description = schema.pop("description", "")
        given = {"name": field.encode_name, "in": "query", "required": field.required, "schema": schema}
        query.append({**given, "description": description} if description else given)
    return path + query


def _successes(route: Route, types: dict[str, Any], schemas: _Schemas) -> dict[str, Any]:
    kind = types.get("return")
    if kind in (None, type(None)):
        return {str(status): {"description": "Done."} for status in route.statuses}
    if route.media_type != http.JSON:
        is_file = kind is http.File
        content = {route.media_type: {} if is_file else {"schema": {"type": "string"}}}
        described = "The file." if is_file else "The text."
        return {str(status): {"description": described, "content": content} for status in route.statuses}
    kinds = get_args(kind) if isinstance(kind, UnionType) else (kind,)
    described = " Or: ".join(inspect.cleandoc(each.__doc__ or "").partition("\n\n")[0] for each in kinds)
    content = {http.JSON: {"schema": schemas.of(kind)}}
    return {
        str(status): {"description": " ".join(described.split()) or "The answer.", "content": content}
        for status in route.statuses
    }


def _failures(route: Route, types: dict[str, Any]) -> dict[str, Any]:
    raised: list[type[errors.NotflixError]] = [*route.raises, errors.StoreUnavailable]
    if route.caller in (VIEWER, OWNER, SIGNED) or _knows_viewer(route):
        raised.append(errors.Unauthenticated)
    if route.caller == OWNER:
        raised.append(errors.Forbidden)
    if "body" in types:
        raised += [errors.Malformed, errors.PayloadTooLarge]
        raised += [] if route.any_media_type else [errors.UnsupportedMediaType]
    if "query" in types:
        raised.append(errors.Malformed)
    if any(name not in _INJECTED for name in types):
        raised.append(errors.NotFound)
    by_status: dict[str, dict[str, str]] = {}
    for error in raised:
        line = " ".join((error.__doc__ or "").partition("\n\n")[0].split())
        by_status.setdefault(str(error.status), {})[error.code] = line
    content = {http.JSON: {"schema": {"$ref": REFERENCE.format(name="Error")}}}
    return {
        status: {"description": " ".join(f"`{code}`: {line}" for code, line in lines.items()), "content": content}
        for status, lines in sorted(by_status.items())
    }
