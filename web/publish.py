"""Uploads the built site to the `$web` container, with the content type and caching header that each file needs.

Azure's static website hosting and the local site server both serve the blobs there with these headers. Only changed
files are uploaded; the catalogue, the artwork and the owner's pages, which the functions write to the same container,
are left alone. The home pages and the list of the owner's pages are uploaded only to a site that has none, because the
functions write them.

The name of an asset contains its hash (web/hashed_names.py), so the assets of a release are stored beside those of
earlier ones. Earlier ones are still needed: by pages that are open, by pages that the functions have not rewritten yet,
and after a return to the release before. They are deleted when no release has contained them for GRACE.

Compressed files are stored with the type of the file that they were made from, and with its MD5 in their metadata. They
have no content encoding, because clients of the store would decompress them.
"""

from __future__ import annotations

import gzip
import hashlib
import mimetypes
import re
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from web.languages import LANGUAGES, folder_of
from web.offline import SERVICE_WORKER

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable
    from pathlib import Path

    from azure.storage.blob import BlobProperties, ContainerClient

PAGE_CACHING = "no-cache"
ASSET_CACHING = "public, max-age=31536000, immutable"  # the name of an asset contains the hash of its content
GRACE = timedelta(days=30)
"""How long assets are kept after the last release that contained them."""
SOURCE_DIGEST = "source_md5"
"""The metadata of a compressed file: the MD5 of the file that it was made from, in hex digits."""
UNUSED_SINCE = "unused_since"
"""The metadata of an asset that the current release does not contain: when this was first so, in ISO 8601."""

WRITTEN_BY_FUNCTIONS = frozenset({*(f"{folder_of(code)}index.html" for code in LANGUAGES), "pages/index.json"})
"""Files that are uploaded only once, because the functions replace them afterwards."""
TEMPLATES = "templates/"  # only the functions read them
_COMPRESSED = frozenset({".br", ".gz"})
_ASSET = re.compile(r"(?:css|img|js|texts|vendor)/|(?:[a-z]{2}/)?manifest\.")
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


def is_compressible(name: str) -> bool:
    """Return whether compression makes a file of this name smaller: text, scripts and drawings."""
    kind = content_type_of(name)
    return kind.startswith("text/") or kind in ("image/svg+xml", "application/json", "application/manifest+json")


def publish(site: Path, container: ContainerClient, *, now: datetime, compressed: bool = False) -> int:
    """Upload the changed files of the built `site` as the release of `now`; return the number of uploaded files.

    Assets come before the pages that need them, and the service worker, which stores pages and assets, after both. In
    the end, assets that have been unused for GRACE are deleted.

    With `compressed`, text is stored compressed by gzip, for a server that does not compress responses itself. Static
    website hosting sends a file as it is stored, whatever a client accepts; every browser and crawler accepts gzip.
    """
    from azure.storage.blob import ContentSettings

    there = {blob.name: blob for blob in container.list_blobs(include=["metadata"])}
    released: set[str] = set()
    files = sorted((path for path in site.rglob("*") if path.is_file()), key=_order)
    sent = 0
    for path in files:
        name = path.relative_to(site).as_posix()
        content = path.read_bytes()
        is_packed = path.suffix in _COMPRESSED
        if is_packed and compressed:
            continue
        source = path.with_suffix("") if is_packed else path
        encoding = None
        if compressed and is_compressible(name) and not name.startswith(TEMPLATES):
            packed = gzip.compress(content, 9, mtime=0)  # equal content gives equal bytes
            content, encoding = (packed, "gzip") if len(packed) < len(content) else (content, None)
        digest = _md5(content)
        written = source.relative_to(site).as_posix()
        released.add(name)
        if written in WRITTEN_BY_FUNCTIONS and written in there:
            continue
        if (known := there.get(name)) and bytes(known.content_settings.content_md5 or b"") == digest:
            _note_use(container, known)
            continue
        settings = ContentSettings(
            content_type=content_type_of(source.name),
            content_encoding=encoding,
            cache_control=PAGE_CACHING if _is_revalidated(source.name) else ASSET_CACHING,
            content_md5=bytearray(digest),
        )
        metadata = {SOURCE_DIGEST: _md5(source.read_bytes()).hex()} if is_packed else None
        container.upload_blob(name, content, overwrite=True, content_settings=settings, metadata=metadata)
        sent += 1
    _sweep(container, (blob for blob in there.values() if _is_asset(blob)), released, now)
    return sent


def _is_asset(blob: BlobProperties) -> bool:
    """Return whether a file is an asset that was published with this or an earlier release."""
    return bool(_ASSET.match(blob.name)) and blob.content_settings.cache_control == ASSET_CACHING


def _note_use(container: ContainerClient, blob: BlobProperties) -> None:
    """Note that the current release contains a file, if an earlier one did not."""
    if UNUSED_SINCE in (metadata := dict(blob.metadata or {})):
        del metadata[UNUSED_SINCE]
        container.get_blob_client(blob.name).set_blob_metadata(metadata)


def _sweep(
    container: ContainerClient, assets: Iterable[BlobProperties], released: Collection[str], now: datetime
) -> None:
    """Note which assets are unused from now on, and delete those that have been unused for GRACE."""
    for asset in assets:
        if asset.name in released:
            continue
        metadata = dict(asset.metadata or {})
        if UNUSED_SINCE not in metadata:
            noted = {**metadata, UNUSED_SINCE: now.isoformat()}
            container.get_blob_client(asset.name).set_blob_metadata(noted)
        elif now - datetime.fromisoformat(metadata[UNUSED_SINCE]) >= GRACE:
            container.delete_blob(asset.name)


def _is_revalidated(name: str) -> bool:
    """Return whether browsers must ask for a file each time, because its address does not contain its hash."""
    return name.endswith((".html", ".json")) or name == SERVICE_WORKER


def _order(path: Path) -> tuple[bool, bool, bool, Path]:
    """Sort assets before pages and pages before the service worker, and compressed files before their sources."""
    return path.name.startswith(SERVICE_WORKER), ".html" in path.suffixes, path.suffix not in _COMPRESSED, path


def _md5(content: bytes) -> bytes:
    return hashlib.md5(content, usedforsecurity=False).digest()
