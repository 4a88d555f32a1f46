"""A web server on loopback with configurable answers, to test the robustness of clients."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self


@dataclass
class Answer:
    """An answer of the server; with `hangs`, it is never sent; with `trickles`, it never ends."""

    body: bytes = b""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    hangs: bool = False
    trickles: bool = False


class WebServer:
    """Answers every GET request with `answer` and records the requested paths."""

    def __init__(self, answer: Answer | None = None) -> None:
        self.answer = answer or Answer()
        self.asked: list[str] = []
        self._end = threading.Event()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:  # name required by http.server
                outer.asked.append(self.path)
                given = outer.answer
                if given.hangs:
                    outer._end.wait()
                    return
                self.send_response(given.status)
                for name, value in given.headers.items():
                    self.send_header(name, value)
                self.end_headers()
                if not given.trickles:
                    self.wfile.write(given.body)
                    return
                while not outer._end.wait(0.05):
                    try:
                        self.wfile.write(b" ")
                    except OSError:
                        return  # the client closed the connection, as it should

            def log_message(self, format: str, *arguments: object) -> None:
                """Log nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = False  # so that closing waits for every answer
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)

    @property
    def url(self) -> str:
        """Return the URL of the server's root."""
        return f"http://127.0.0.1:{self._server.server_port}/"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
