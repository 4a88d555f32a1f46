"""HTTP connections of the host: httptools parses them, and the size of the head of a request is limited."""

from __future__ import annotations

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

LARGEST_HEAD_BYTES = 40 * 1024
"""The limit for the request line and all headers while more of them is to come.

Azure's host allows 8 KiB for the request line and 32 KiB for the headers (Kestrel's `MaxRequestLineSize` and
`MaxRequestHeadersTotalSize`).
"""

_TOO_LARGE = b"HTTP/1.1 431 Request Header Fields Too Large\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"


class Connection(HttpToolsProtocol):
    """A connection that is closed if a head exceeds the limit, because httptools would keep a head of any size."""

    _is_in_head = False
    _head_bytes = 0

    def data_received(self, data: bytes) -> None:
        """Handle bytes from the client."""
        super().data_received(data)
        self._head_bytes = self._head_bytes + len(data) if self._is_in_head else 0
        if self._head_bytes > LARGEST_HEAD_BYTES and not self.transport.is_closing():
            self.transport.write(_TOO_LARGE)
            self.transport.close()

    def on_message_begin(self) -> None:
        """Begin a request."""
        self._is_in_head = True
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """Start handling a request, whose head has arrived."""
        self._is_in_head = False
        super().on_headers_complete()
