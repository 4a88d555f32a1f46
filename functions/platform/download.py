"""Reading the body of an external response within a size limit and a deadline."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from urllib3 import BaseHTTPResponse

_PIECE = 64 * 1024


class TooLarge(Exception):
    """The body is longer than the limit."""


class TooSlow(Exception):
    """The body was not complete by the deadline."""


def read_bounded(response: BaseHTTPResponse, *, limit: int, deadline: float) -> bytes:
    """Return the decoded body; `deadline` is in `time.monotonic()`. Raises TooLarge, TooSlow, or urllib3's own errors.

    Bytes are read as they arrive, so a server that sends single bytes cannot delay the call past the deadline.
    """
    body = bytearray()
    while piece := response.read1(_PIECE, decode_content=True):
        body += piece
        if len(body) > limit:
            raise TooLarge
        if time.monotonic() > deadline:
            raise TooSlow
    return bytes(body)
