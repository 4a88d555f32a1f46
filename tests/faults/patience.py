"""Requests to a product that may be failing: they are repeated until the product acknowledges them."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import requests

if TYPE_CHECKING:
    from collections.abc import Callable

ANSWERED_WITHIN_S = 300
PAUSE_S = 0.2
TIMEOUT_S = 15


def until[T](look: Callable[[], T | None], *, within_s: float = ANSWERED_WITHIN_S, what: str) -> T:
    """Call `look` until it returns a truthy value; return that value, or fail after `within_s` seconds."""
    deadline = time.monotonic() + within_s
    while not (seen := look()):
        assert time.monotonic() < deadline, f"not within {within_s:.0f} s: {what}"
        time.sleep(PAUSE_S)
    return seen


def acknowledged(call: Callable[[], requests.Response], *, what: str) -> requests.Response:
    """Repeat a request until it is answered with anything but 429 and 5xx, as a client does; return the answer."""
    deadline = time.monotonic() + ANSWERED_WITHIN_S
    while True:
        try:
            answer = call()
            if answer.status_code != 429 and answer.status_code < 500:
                return answer
            last = f"{answer.status_code} {answer.text[:300]}"
        except requests.RequestException as error:
            last = str(error)
        assert time.monotonic() < deadline, f"{what} was not acknowledged within {ANSWERED_WITHIN_S} s; last: {last}"
        time.sleep(PAUSE_S)
