"""Serves the `$web` container as Azure's static website hosting does, on one machine.

The container is the whole site: pages and assets are stored by `web.publish`, catalogue and artwork by the functions.
The server has only a small cache, which it revalidates by ETag at every request, so a change is visible immediately.
The Content-Security-Policy of each page is also sent as a header.

    AzureWebJobsStorage=… python -m infra.local.site --port 7070
"""

from __future__ import annotations

import argparse
import html
import os
import re
from collections import OrderedDict
from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING

import uvicorn
from azure.core import MatchConditions
from azure.core.exceptions import AzureError, HttpResponseError, ResourceNotFoundError
from azure.storage.blob import ContainerClient
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from azure.storage.blob import BlobProperties
    from starlette.requests import Request

STORAGE_SETTING = "AzureWebJobsStorage"
CONTAINER = "$web"
INDEX, NOT_FOUND = "index.html", "404.html"
LARGEST_CACHED = 1024 * 1024  # also the chunk size when a larger blob is streamed
MOST_CACHED = 256
SECURITY = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "strict-origin-when-cross-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}
_POLICY = re.compile(rb"""<meta http-equiv="Content-Security-Policy" content="([^"]*)">""")


@dataclass(frozen=True, slots=True)
class Page:
    """A blob to send: its headers, and either its content or the chunks in which to send it."""

    etag: str
    headers: Mapping[str, str]
    content: bytes = b""
    pieces: Iterator[bytes] | None = None


def blob_name_for(path: str) -> str | None:
    """Return the blob name for the decoded path of a URL, or None if the path is not valid or leaves the site."""
    name = path.lstrip("/")
    if not name or name.endswith("/"):
        name += INDEX
    if "\\" in name or "\0" in name or any(part in ("", ".", "..") for part in name.split("/")):
        return None
    return name


def policy_header(content: bytes) -> str:
    """Return the policy header: the page's own policy plus `frame-ancestors`, which has no effect in a `<meta>`."""
    found = _POLICY.search(content, 0, 8192)
    own = f"{html.unescape(found[1].decode())}; " if found else ""
    return f"{own}frame-ancestors 'none'"


class Website:
    """The blobs of a container; thread-safe."""

    def __init__(self, container: ContainerClient) -> None:
        self._container = container
        self._cache: OrderedDict[str, Page] = OrderedDict()
        self._lock = Lock()

    def page(self, name: str) -> Page | None:
        """Return the current version of a blob, or None; raise AzureError if the store does not answer."""
        with self._lock:
            known = self._cache.get(name)
        try:
            if known is None:
                download = self._container.download_blob(name)
            else:
                download = self._container.download_blob(
                    name, etag=known.etag, match_condition=MatchConditions.IfModified
                )
        except ResourceNotFoundError:
            return None
        except HttpResponseError as error:
            if error.status_code != 304:  # "not modified"; the SDK has several exception types for it
                raise
            return known
        properties: BlobProperties = download.properties
        if properties.size > LARGEST_CACHED:
            return Page(properties.etag, _headers(properties, b""), pieces=download.chunks())
        content = download.readall()
        page = Page(properties.etag, _headers(properties, content), content)
        with self._lock:
            self._cache[name] = page
            self._cache.move_to_end(name)
            if len(self._cache) > MOST_CACHED:
                self._cache.popitem(last=False)
        return page

    def answer(self, path: str, if_none_match: str) -> Response:
        """Return the response to a request for `path`."""
        name = blob_name_for(path)
        try:
            page = self.page(name) if name else None
            missing = self.page(NOT_FOUND) if page is None else None
        except AzureError:
            return PlainTextResponse(
                "The storage account does not answer. `./notflix status` shows which services run.\n", 503, SECURITY
            )
        if page is None:
            if missing is None:
                return PlainTextResponse("This page does not exist.\n", 404, SECURITY)
            return Response(missing.content, 404, dict(missing.headers))
        if _matches(if_none_match, page.etag):
            return Response(status_code=304, headers=dict(page.headers))
        if page.pieces is not None:
            return StreamingResponse(page.pieces, headers=dict(page.headers))
        return Response(page.content, headers=dict(page.headers))


def _headers(properties: BlobProperties, content: bytes) -> dict[str, str]:
    settings = properties.content_settings
    kind = settings.content_type or "application/octet-stream"
    headers = {**SECURITY, "Content-Type": kind, "ETag": properties.etag}
    if properties.last_modified is not None:
        headers["Last-Modified"] = properties.last_modified.strftime("%a, %d %b %Y %H:%M:%S GMT")
    if properties.size > LARGEST_CACHED:
        headers["Content-Length"] = str(properties.size)
    if settings.cache_control:
        headers["Cache-Control"] = settings.cache_control
    if settings.content_encoding:
        headers["Content-Encoding"] = settings.content_encoding
    if kind.startswith("text/html"):
        headers["Content-Security-Policy"] = policy_header(content)
    return headers


def _matches(if_none_match: str, etag: str) -> bool:
    """Return whether an ETag matches by weak comparison (RFC 9110, section 13.1.2)."""
    asked = [tag.strip().removeprefix("W/") for tag in if_none_match.split(",")]
    return etag.removeprefix("W/") in asked or "*" in asked


def create_site(container: ContainerClient) -> Starlette:
    """Return the ASGI application that serves `container`."""
    website = Website(container)

    async def serve(request: Request) -> Response:
        # The client of the store is synchronous, so it runs in a thread.
        return await run_in_threadpool(
            website.answer, request.path_params["path"], request.headers.get("if-none-match", "")
        )

    return Starlette(routes=[Route("/{path:path}", serve, methods=["GET", "HEAD"])])


def main() -> None:
    """Serve until a signal arrives."""
    parser = argparse.ArgumentParser(prog="python -m infra.local.site", description="Serve the $web container.")
    parser.add_argument("--port", type=int, required=True)
    port = parser.parse_args().port
    container = ContainerClient.from_connection_string(
        os.environ[STORAGE_SETTING],
        CONTAINER,
        max_single_get_size=LARGEST_CACHED,
        max_chunk_get_size=LARGEST_CACHED,
        retry_total=2,
    )
    uvicorn.run(create_site(container), host="127.0.0.1", port=port, log_level="warning", access_log=False)


if __name__ == "__main__":
    main()
