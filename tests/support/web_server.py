"""A server on loopback with one answer per path, or with a sequence of answers."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

Answer = int | tuple[int, str]


@contextmanager
def serving(answers: Mapping[str, Answer] | Sequence[Answer]) -> Iterator[str]:
    """Yield the address of a server that answers by path, or with a sequence of answers whose last one is repeated."""
    by_path = answers if isinstance(answers, Mapping) else {}
    left = [] if isinstance(answers, Mapping) else list(answers)

    def next_answer(path: str) -> Answer:
        if not left:
            return by_path[path]
        return left.pop(0) if len(left) > 1 else left[0]

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            answer = next_answer(urlsplit(self.path).path)
            status, body = (answer, "") if isinstance(answer, int) else answer
            self.send_response(status)
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, format: str, *args: object) -> None:
            assert format and args

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
