"""Serves the `$web` container as Azure's static website hosting does, on one machine.

The container is the whole site: pages and assets are stored by `web.publish`, catalogue and artwork by the functions.
The server has only a small cache, which it revalidates by ETag at every request, so a change is visible immediately.
Only a file whose address contains a hash (`site.<hash>.css`, `card.jpg?v=<hash>`) is not revalidated: it is looked up
once for each hash. All responses have the security headers that Front Door adds in Azure, and text is compressed as
there.

    AzureWebJobsStorage=… python -m infra.local.site --port 7070
"""

from __future__ import annotations

import argparse
import os
from collections import OrderedDict
from dataclasses import dataclass, field, replace
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

from infra.local.quiet_server import QuietServer
from infra.local.site_compression import STORED_SUFFIXES, accepted_codings, compressed, is_compressible
from infra.site_headers import SITE_HEADERS
from web.hashed_names import hash_in
from web.publish import SOURCE_DIGEST

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from azure.storage.blob import BlobProperties
    from starlette.requests import Request

STORAGE_SETTING = "AzureWebJobsStorage"
CONTAINER = "$web"
INDEX, NOT_FOUND = "index.html", "404.html"
LARGEST_CACHED = 1024 * 1024  # also the chunk size when a larger blob is streamed
MOST_CACHED = 256


@dataclass(frozen=True, slots=True)
class Page:
    """A blob to send: its headers, and either its content or the chunks in which to send it.

    `digest` is the MD5 of the content, or for a stored compressed file the MD5 of the file that it was made from.
    `codings` are the compressed forms that were requested so far, by the codings that were accepted.
    """

    etag: str
    headers: Mapping[str, str]
    content: bytes = b""
    pieces: Iterator[bytes] | None = None
    digest: str = ""
    codings: dict[str, Page] = field(default_factory=dict)


def blob_name_for(path: str) -> str | None:
    """Return the blob name for the decoded path of a URL, or None if the path is not valid or leaves the site."""
    name = path.lstrip("/")
    if not name or name.endswith("/"):
        name += INDEX
    if "\\" in name or "\0" in name or any(part in ("", ".", "..") for part in name.split("/")):
        return None
    return name


class Website:
    """The blobs of a container; thread-safe."""

    def __init__(self, container: ContainerClient) -> None:
        self._container = container
        self._cache: OrderedDict[str, Page] = OrderedDict()
        self._hashes: dict[str, str] = {}
        self._lock = Lock()

    def page(self, name: str, content_hash: str = "") -> Page | None:
        """Return the current version of a blob, or None; raise AzureError if the store does not answer.

        With the `content_hash` of an address, return the version that was current when this hash was requested first.
        """
        with self._lock:
            known = self._cache.get(name)
            if known and content_hash and self._hashes.get(name) == content_hash:
                return known
        page = self._current(name, known)
        with self._lock:
            if page and content_hash and name in self._cache:
                self._hashes[name] = content_hash
            else:
                self._hashes.pop(name, None)
        return page

    def _current(self, name: str, known: Page | None) -> Page | None:
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
            return Page(properties.etag, _headers(properties), pieces=download.chunks())
        content = download.readall()
        page = Page(properties.etag, _headers(properties), content, digest=_digest(properties))
        with self._lock:
            self._cache[name] = page
            self._cache.move_to_end(name)
            if len(self._cache) > MOST_CACHED:
                self._hashes.pop(self._cache.popitem(last=False)[0], None)
        return page

    def coded(self, name: str, page: Page, accept_encoding: str) -> Page:
        """Return a page in the best form that the browser accepts; raise AzureError if the store does not answer."""
        if page.pieces is not None or not is_compressible(page.headers["Content-Type"], len(page.content)):
            return page
        codings = accepted_codings(accept_encoding)
        if not codings:
            return replace(page, headers={**page.headers, "Vary": "Accept-Encoding"})
        accepted = ",".join(codings)
        if accepted not in page.codings:
            page.codings[accepted] = self._compressed(name, page, codings)
        return page.codings[accepted]

    def _compressed(self, name: str, page: Page, codings: Sequence[str]) -> Page:
        """Return the compressed file that was stored for this version of a page, or else compress the page."""
        for coding in codings:
            stored = self.page(name + STORED_SUFFIXES[coding])
            if stored and stored.pieces is None and stored.digest == page.digest:
                return _form_of(page, coding, stored.content)
        return _form_of(page, "gzip", compressed(page.content)) if "gzip" in codings else page

    def answer(self, path: str, if_none_match: str, *, accept_encoding: str = "", content_hash: str = "") -> Response:
        """Return the response to a request for `path`."""
        name = blob_name_for(path)
        try:
            page = self.page(name, hash_in(name) or content_hash) if name else None
            if name and page:
                page = self.coded(name, page, accept_encoding)
            missing = self.page(NOT_FOUND) if page is None else None
        except AzureError:
            return PlainTextResponse(
                "The storage account does not answer. `./notflix status` shows which services run.\n", 503, SITE_HEADERS
            )
        if page is None:
            if missing is None:
                return PlainTextResponse("This page does not exist.\n", 404, SITE_HEADERS)
            return Response(missing.content, 404, dict(missing.headers))
        if _matches(if_none_match, page.etag):
            return Response(status_code=304, headers=dict(page.headers))
        if page.pieces is not None:
            return StreamingResponse(page.pieces, headers=dict(page.headers))
        return Response(page.content, headers=dict(page.headers))


def _form_of(page: Page, coding: str, content: bytes) -> Page:
    """Return a compressed form of a page, with an ETag of its own."""
    etag = f'{page.etag.removesuffix(chr(34))}-{coding}"'
    headers = {**page.headers, "Content-Encoding": coding, "ETag": etag, "Vary": "Accept-Encoding"}
    return Page(etag, headers, content)


def _digest(properties: BlobProperties) -> str:
    """Return the MD5 by which a compressed file and the file that it was made from are recognised as the same."""
    metadata = properties.metadata or {}
    return str(metadata.get(SOURCE_DIGEST) or bytes(properties.content_settings.content_md5 or b"").hex())


def _headers(properties: BlobProperties) -> dict[str, str]:
    settings = properties.content_settings
    kind = settings.content_type or "application/octet-stream"
    headers = {**SITE_HEADERS, "Content-Type": kind, "ETag": properties.etag}
    if properties.last_modified is not None:
        headers["Last-Modified"] = properties.last_modified.strftime("%a, %d %b %Y %H:%M:%S GMT")
    if properties.size > LARGEST_CACHED:
        headers["Content-Length"] = str(properties.size)
    if settings.cache_control:
        headers["Cache-Control"] = settings.cache_control
    if settings.content_encoding:
        headers["Content-Encoding"] = settings.content_encoding
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
            website.answer,
            request.path_params["path"],
            request.headers.get("if-none-match", ""),
            accept_encoding=request.headers.get("accept-encoding", ""),
            content_hash=request.query_params.get("v", ""),
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
    site = create_site(container)
    QuietServer(uvicorn.Config(site, host="127.0.0.1", port=port, log_level="warning", access_log=False)).run()


if __name__ == "__main__":
    main()
