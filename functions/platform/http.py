"""HTTP: reading requests within limits, and answers in a uniform format, with errors as `{"error", "detail"}`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from ipaddress import IPv6Address, ip_address
from typing import TYPE_CHECKING, Any

import azure.functions as func

from functions.platform.errors import Malformed, NotflixError, NotFound, PayloadTooLarge, UnsupportedMediaType
from functions.platform.security_headers import API_HEADERS
from functions.platform.time import from_text

if TYPE_CHECKING:
    from collections.abc import Mapping

JSON = "application/json"
UNEXPECTED = "Something went wrong on our side; it has been logged. Try again."


@dataclass(frozen=True, slots=True)
class Answer[Body]:
    """A body with a status, which the handler chooses among the statuses that its route declares."""

    body: Body
    status: int


@dataclass(frozen=True, slots=True)
class Text:
    """A body that is not JSON, with the media type that the route declares."""

    text: str


@dataclass(frozen=True, slots=True)
class File:
    """A body of bytes, with the media type that the route declares; a browser saves it under `name`."""

    content: bytes
    name: str


@dataclass(frozen=True, slots=True)
class Client:
    """The origin of a request: the address seen by the trusted proxy, and the browser's User-Agent."""

    ip: str
    user_agent: str


def client_of(request: func.HttpRequest, front_hops: int) -> Client:
    """Return the client behind `front_hops` trusted proxies, each of which appends the address of its peer.

    Entries of X-Forwarded-For further left were sent by the client and are never trusted. An entry may include a port,
    as written by Azure's front end; an IPv6 address is then in brackets. An IPv4-mapped IPv6 address is converted to
    IPv4: IPv6 addresses are counted by network, and all mapped addresses would be in the same one.
    """
    hops = [hop.strip() for hop in request.headers.get("X-Forwarded-For", "").split(",") if hop.strip()]
    seen = hops[-front_hops] if 0 < front_hops <= len(hops) else ""
    if seen.startswith("["):
        seen = seen[1:].partition("]")[0]
    elif seen.count(":") == 1:
        seen = seen.partition(":")[0]
    try:
        address = ip_address(seen)
    except ValueError:
        ip = "unknown"
    else:
        ip = str((address.ipv4_mapped if isinstance(address, IPv6Address) else None) or address)
    return Client(ip, request.headers.get("User-Agent", "")[:400])


def bearer(request: func.HttpRequest) -> str:
    """Return the session token from `Authorization: Bearer …`, or an empty string."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def operator_key(request: func.HttpRequest) -> str:
    """Return the operator's key from `x-operator-key`, or an empty string."""
    return str(request.headers.get("x-operator-key", ""))


def raw_body(request: func.HttpRequest, *, largest_bytes: int) -> bytes:
    """Return the unparsed body. Raises PayloadTooLarge if it is longer than `largest_bytes`."""
    body: bytes = request.get_body() or b""
    if len(body) > largest_bytes:
        raise PayloadTooLarge(f"The body has {len(body):,} bytes; at most {largest_bytes:,} are accepted here.")
    return body


def read_body[T](request: func.HttpRequest, kind: type[T], *, largest_bytes: int, any_media_type: bool = False) -> T:
    """Return the JSON body as an instance of `kind`. Raises Malformed, which names the invalid field.

    A body must be declared as JSON, because a page of another origin cannot do so without CORS (Fetch standard, simple
    requests). `any_media_type` is for `navigator.sendBeacon`, whose requests are authenticated by their body.
    """
    import msgspec

    from functions.platform.decoding import decode_json
    from functions.platform.validation import sentence_of

    body = raw_body(request, largest_bytes=largest_bytes)
    media_type = request.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    if body and not any_media_type and media_type != JSON:
        raise UnsupportedMediaType("Send the body as JSON, with the header Content-Type: application/json.")
    try:
        return decode_json(body or b"{}", kind)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise Malformed(sentence_of(error)) from None


def read_query[T](request: func.HttpRequest, kind: type[T]) -> T:
    """Return the query as an instance of `kind`. Raises Malformed.

    Fields may be strings, numbers, booleans or times. An empty text selects a string's default, and is refused
    otherwise.
    """
    import msgspec

    from functions.platform.decoding import convert
    from functions.platform.validation import sentence_of

    given = {name: text for name, text in request.params.items() if text}
    try:
        query = convert(given, kind, strict=False)
    except msgspec.MsgspecError as error:
        raise Malformed(sentence_of(error)) from None
    for name, text in request.params.items():
        value = getattr(query, name, "")
        if not text and not isinstance(value, str):
            raise Malformed(f"{name} is empty; leave it out or give it a value.")
        if isinstance(value, datetime) and text:
            from_text(text)  # msgspec also reads a number as a time, in seconds since 1970
    return query


def read_path(text: str, kind: Any) -> Any:
    """Return a segment of the path converted to `kind`. Raises NotFound if the conversion fails."""
    import msgspec

    from functions.platform.decoding import convert

    try:
        return convert(text, kind, strict=False)
    except msgspec.MsgspecError:
        raise NotFound(f"There is nothing with the id {text[:60]!r}.") from None


def answer(body: object, *, status: int = 200, headers: Mapping[str, str] | None = None) -> func.HttpResponse:
    """Return a response that must not be cached, with `body` as JSON; times are in the API's format."""
    from functions.platform.json_text import to_json

    return func.HttpResponse(
        to_json(body), status_code=status, mimetype=JSON, headers={**API_HEADERS, **(headers or {})}
    )


def text_answer(text: str, *, media_type: str, status: int = 200) -> func.HttpResponse:
    """Return a response that must not be cached, with a string as its body."""
    return func.HttpResponse(text, status_code=status, mimetype=media_type, headers=API_HEADERS)


def file_answer(file: File, *, media_type: str) -> func.HttpResponse:
    """Return a response that must not be cached, with a file as its body."""
    headers = {**API_HEADERS, "Content-Disposition": f'attachment; filename="{file.name}"'}
    return func.HttpResponse(file.content, status_code=200, mimetype=media_type, headers=headers)


def no_content(status: int = 204) -> func.HttpResponse:
    """Return a response without a body."""
    return func.HttpResponse(status_code=status, headers=API_HEADERS)


def error_answer(error: NotflixError) -> func.HttpResponse:
    """Return the response for an error."""
    body = {"error": error.code, "detail": error.detail}
    return answer(body, status=error.status, headers=_exposed(error.headers))


def unexpected_answer() -> func.HttpResponse:
    """Return the response for a defect: status 500 without any details."""
    return answer({"error": "internal", "detail": UNEXPECTED}, status=500)


def _exposed(headers: Mapping[str, str]) -> dict[str, str]:
    """Return the headers, and a header that permits pages of other origins to read them (Fetch standard, CORS).

    The CORS settings of a function app allow origins but expose no headers.
    """
    return {**headers, "Access-Control-Expose-Headers": ", ".join(headers)} if headers else {}
