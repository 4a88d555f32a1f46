"""A link to the storage emulator that answers some requests itself, as a busy Azure Storage does.

Codes and messages are those of "Common REST API error codes" and "Blob service error codes" (Azure Storage REST API).
The form of the body, with its byte order mark, was seen in answers of real accounts.
"""

from __future__ import annotations

import email.utils
import socket
import uuid
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum
from http.client import responses
from typing import IO, TYPE_CHECKING

from tests.support.links import LOOPBACK, Connection, Link

if TYPE_CHECKING:
    import random
    from collections.abc import Iterator

VERSION = "2024-11-04"
EXECUTED_WITHIN_S = 30


class StorageRefusal(Enum):
    """An answer of Azure Storage: its status, code and message."""

    BUSY = (503, "ServerBusy", "Operations per second is over the account limit.")
    """A partition or the account is over its limit."""
    THROTTLED = (429, "TooManyRequests", "The request is being throttled.")
    """What the resource provider and gateways in front of storage answer, with `Retry-After`."""
    TIMED_OUT = (500, "OperationTimedOut", "Operation could not be completed within the specified time.")
    """The operation may have been carried out; here, it has been."""
    CHANGED = (412, "ConditionNotMet", "The condition specified using HTTP conditional header(s) is not met.")
    """Another client has changed the blob since the ETag of this request was read."""

    @property
    def status(self) -> int:
        """Return the HTTP status."""
        return self.value[0]

    def fits(self, request: StorageRequest) -> bool:
        """Return whether storage could give this answer to this request."""
        return self is not StorageRefusal.CHANGED or "if-match" in request.headers

    def answer(self, request: StorageRequest) -> bytes:
        """Return the bytes of the answer."""
        status, code, message = self.value
        request_id, now = uuid.uuid4(), datetime.now(UTC)
        time = f"{now:%Y-%m-%dT%H:%M:%S.%f}0Z"
        text = (
            f'\ufeff<?xml version="1.0" encoding="utf-8"?><Error><Code>{code}</Code>'
            f"<Message>{message}\nRequestId:{request_id}\nTime:{time}</Message></Error>"
        ).encode()
        reason = message if self is StorageRefusal.BUSY else responses[status]
        lines = [
            f"HTTP/1.1 {status} {reason}",
            f"Content-Length: {len(text)}",
            "Content-Type: application/xml",
            "Server: Windows-Azure-Blob/1.0 Microsoft-HTTPAPI/2.0",
            f"x-ms-error-code: {code}",
            f"x-ms-request-id: {request_id}",
            f"x-ms-version: {VERSION}",
            f"Date: {email.utils.format_datetime(now, usegmt=True)}",
            *(["Retry-After: 1"] if self is StorageRefusal.THROTTLED else []),
        ]
        head = "\r\n".join(lines).encode() + b"\r\n\r\n"
        return head if request.method == "HEAD" else head + text


@dataclass(frozen=True, slots=True)
class StorageRequest:
    """A request to storage."""

    head: bytes
    body: bytes
    method: str
    headers: dict[str, str]

    @classmethod
    def read(cls, source: IO[bytes]) -> StorageRequest | None:
        """Return the next request of a connection, or None at its end; raise ValueError if it cannot be read."""
        lines = []
        while (line := source.readline()) not in (b"\r\n", b""):
            lines.append(line)
        if not lines:
            return None
        fields = (each.decode("latin-1").partition(":") for each in lines[1:])
        headers = {name.strip().lower(): value.strip() for name, _, value in fields}
        if "transfer-encoding" in headers:
            raise ValueError(f"this link reads no chunked bodies: {lines[0]!r}")
        body = source.read(int(headers.get("content-length", "0")))
        return cls(b"".join(lines) + b"\r\n", body, lines[0].split()[0].decode(), headers)

    @property
    def for_one_connection(self) -> bytes:
        """Return the request for a connection that ends with its answer."""
        lines = [line for line in self.head.splitlines(keepends=True) if not line.lower().startswith(b"connection:")]
        return b"".join([*lines[:-1], b"Connection: close\r\n", lines[-1], self.body])


@dataclass(frozen=True, slots=True)
class Refusing:
    """A share of all requests is refused."""

    refusal: StorageRefusal
    share: float
    chance: random.Random

    def picks(self, request: StorageRequest) -> bool:
        """Return whether this request is refused."""
        return self.refusal.fits(request) and self.chance.random() < self.share


class StorageLink(Link):
    """A link to the blob or the queue service."""

    def __init__(self, target: int) -> None:
        super().__init__(target)
        self._port = target
        self._refusing: Refusing | None = None
        self.refused = 0

    @contextmanager
    def that_refuses(self, refusing: Refusing) -> Iterator[None]:
        """Refuse requests inside the context."""
        self._refusing = refusing
        try:
            yield
        finally:
            self._refusing = None

    def forward(self, source: socket.socket, sink: socket.socket, connection: Connection, *, is_answer: bool) -> None:
        if is_answer:
            super().forward(source, sink, connection, is_answer=True)
            return
        with source.makefile("rb") as stream:
            while request := StorageRequest.read(stream):
                refusing = self._refusing
                if refusing is None or not refusing.picks(request):
                    self.pass_on(request.head + request.body, sink, connection, is_answer=False)
                    continue
                if refusing.refusal is StorageRefusal.TIMED_OUT:
                    self._execute(request)
                self.refused += 1
                source.sendall(refusing.refusal.answer(request))

    def _execute(self, request: StorageRequest) -> None:
        """Pass a request on to storage, and discard the answer."""
        with suppress(OSError), socket.create_connection((LOOPBACK, self._port), EXECUTED_WITHIN_S) as server:
            server.sendall(request.for_one_connection)
            while server.recv(65_536):
                continue
