"""Uploads the built site to the `$web` container, with the content type and caching header that each file needs.

Azure's static website hosting and the local site server both serve the blobs there with these headers. Only changed
files are uploaded; the catalogue and the artwork, which the functions write to the same container, are left alone.
"""

from __future__ import annotations

import hashlib
import mimetypes
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from azure.storage.blob import ContainerClient

PAGE_CACHING = "no-cache"
ASSET_CACHING = "public, max-age=31536000, immutable"  # every address of an asset contains the hash of its content
_TYPES = {
    ".js": "text/javascript",
    ".woff2": "font/woff2",
    ".svg": "image/svg+xml",
    ".webmanifest": "application/manifest+json",
}


def content_type_of(name: str) -> str:
    """Return the media type with which a file of the site is served."""
    suffix = name[name.rfind(".") :].lower()
    kind = _TYPES.get(suffix) or mimetypes.guess_type(name)[0] or "application/octet-stream"
    return f"{kind}; charset=utf-8" if kind.startswith("text/") else kind


def publish(site: Path, container: ContainerClient) -> int:
    """Upload the changed files of the built `site`, assets before pages; return the number of uploaded files."""
    from azure.storage.blob import ContentSettings

    there = {blob.name: bytes(blob.content_settings.content_md5 or b"") for blob in container.list_blobs()}
    files = sorted(
        (path for path in site.rglob("*") if path.is_file()), key=lambda path: (path.suffix == ".html", path)
    )
    sent = 0
    for path in files:
        name = path.relative_to(site).as_posix()
        content = path.read_bytes()
        digest = hashlib.md5(content, usedforsecurity=False).digest()
        if there.get(name) == digest:
            continue
        settings = ContentSettings(
            content_type=content_type_of(name),
            cache_control=PAGE_CACHING if path.suffix == ".html" else ASSET_CACHING,
            content_md5=bytearray(digest),
        )
        container.upload_blob(name, content, overwrite=True, content_settings=settings)
        sent += 1
    return sent
