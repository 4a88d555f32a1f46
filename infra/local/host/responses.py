"""Converts the result of a function to the status, headers and body of a response."""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import format_datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from infra.local.host.protos import InvocationResponse, Nullable, RpcHttp, RpcHttpCookie, TypedData
    from infra.local.host.worker import Function

type Answer = tuple[int, list[tuple[str, str]], bytes]

EMPTY_STATUSES = frozenset({204, 304})
OURS = frozenset(
    {"content-length", "transfer-encoding", "connection"}
)  # the server sets it, and a second Content-Length would make the response invalid
SAME_SITE = {1: "Lax", 2: "Strict", 3: "None"}


def answer_of(function: Function, response: InvocationResponse) -> Answer:
    """Return the HTTP response in the function's result or in its HTTP output parameter."""
    data = response.return_value
    if data is None or data.value is None:
        http = {name for name, binding in function.outputs.items() if binding["type"].lower() == "http"}
        data = next((output.data for output in response.output_data if output.name in http), None)
    if data is None or data.value is None:
        return 204, [], b""
    if data.WhichOneof("data") == "http":
        return _http(data.value)
    return 200, [("content-type", "text/plain; charset=utf-8")], _bytes(data)


def _http(http: RpcHttp) -> Answer:
    status = int(http.status_code)
    headers = [(name.lower(), value) for name, value in http.headers.items() if name.lower() not in OURS]
    headers += [("set-cookie", _cookie(cookie)) for cookie in http.cookies or ()]
    return status, headers, b"" if status in EMPTY_STATUSES or http.body is None else _bytes(http.body)


def _bytes(data: TypedData) -> bytes:
    value = data.value
    return value if isinstance(value, bytes) else str(value).encode()


def _cookie(cookie: RpcHttpCookie) -> str:
    def said(field: Nullable | None) -> str | float | bool | None:
        return field.value if field is not None else None

    parts = [f"{cookie.name}={cookie.value}"]
    if domain := said(cookie.domain):
        parts.append(f"Domain={domain}")
    if path := said(cookie.path):
        parts.append(f"Path={path}")
    if (max_age := said(cookie.max_age)) is not None:
        parts.append(f"Max-Age={int(max_age)}")
    if cookie.expires is not None:
        moment = datetime.fromtimestamp(cookie.expires.value.seconds, UTC)
        parts.append(f"Expires={format_datetime(moment, usegmt=True)}")
    if said(cookie.secure):
        parts.append("Secure")
    if said(cookie.http_only):
        parts.append("HttpOnly")
    if cookie.same_site in SAME_SITE:
        parts.append(f"SameSite={SAME_SITE[cookie.same_site]}")
    return "; ".join(parts)
