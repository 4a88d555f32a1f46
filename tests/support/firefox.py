"""Firefox as its maker or Debian ships it, driven by WebDriver BiDi, which it speaks itself: without geckodriver.

https://w3c.github.io/webdriver-bidi/
"""

from __future__ import annotations

import json
import shutil
import subprocess
import tempfile
from contextlib import closing, contextmanager
from itertools import count
from typing import TYPE_CHECKING, Any

from websocket import WebSocket, create_connection

from tests.support.other_browsers import KEEP_FAULTS, OtherPage, RefusedError
from tests.support.ports import free_port
from tests.support.waiting import PATIENCE_S, eventually

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

PROGRAM = shutil.which("firefox-esr") or shutil.which("firefox")
MISSING = "" if PROGRAM else "Firefox is not installed; Debian's package is firefox-esr."


class Firefox:
    """A Firefox that runs, and the connection to it."""

    def __init__(self, connection: WebSocket) -> None:
        self._connection = connection
        self._ids = count(1)
        self._ask("session.new", capabilities={})
        self._ask("script.addPreloadScript", functionDeclaration=KEEP_FAULTS)
        self._window = self._ask("browsingContext.getTree")["contexts"][0]["context"]

    def load(self, address: str) -> None:
        """See Engine."""
        self._ask("browsingContext.navigate", context=self._window, url=address, wait="complete")

    def evaluate(self, expression: str) -> Any:
        """See Engine."""
        text = f"JSON.stringify(({expression}) ?? null)"
        answer = self._ask("script.evaluate", expression=text, target={"context": self._window}, awaitPromise=False)
        if answer["type"] == "exception":
            raise RefusedError(answer["exceptionDetails"]["text"])
        return json.loads(answer["result"]["value"])

    def perform(self, source: Mapping[str, Any]) -> None:
        """See Engine."""
        self._ask("input.performActions", context=self._window, actions=[source])

    def resize(self, width: int, height: int) -> None:
        """See Engine."""
        self._ask("browsingContext.setViewport", context=self._window, viewport={"width": width, "height": height})

    def _ask(self, method: str, **params: Any) -> dict[str, Any]:
        number = next(self._ids)
        self._connection.send(json.dumps({"id": number, "method": method, "params": params}))
        answer: dict[str, Any] = {}
        while answer.get("id") != number:
            answer = json.loads(self._connection.recv())
        if answer["type"] == "error":
            raise RefusedError(f"{method}: {answer['error']}: {answer['message']}")
        result: dict[str, Any] = answer["result"]
        return result


@contextmanager
def firefox() -> Iterator[OtherPage]:
    """Start a Firefox without a window on the screen and with an empty profile; end it afterwards."""
    assert PROGRAM
    port = free_port()
    with tempfile.TemporaryDirectory(prefix="notflix-firefox-", ignore_cleanup_errors=True) as profile:
        process = subprocess.Popen(
            [PROGRAM, "--headless", "--profile", profile, "--remote-debugging-port", str(port)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            with closing(eventually(lambda: _connected(port))) as connection:
                yield OtherPage(Firefox(connection))
        finally:
            process.terminate()
            process.wait(PATIENCE_S)


def _connected(port: int) -> WebSocket | None:
    """Return a connection to Firefox, or None while it does not listen yet."""
    try:
        return create_connection(f"ws://127.0.0.1:{port}/session", timeout=PATIENCE_S, suppress_origin=True)
    except ConnectionRefusedError:
        return None
