"""The pages in the site's container. The published file is the only copy: what visitors read is what the owner edits.

Each write and removal names the version that it replaces (an ETag), so no change is lost when two owners edit the same
page.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from azure.core import MatchConditions
from azure.core.exceptions import ResourceExistsError, ResourceModifiedError, ResourceNotFoundError
from azure.storage.blob import ContentSettings

from functions.pages.documents import PageIndex, PublishedPage
from functions.pages.markup import render
from functions.pages.model import OwnerText, PageName
from functions.platform.blob_errors import blobs_answering
from functions.platform.decoding import decode_json
from functions.platform.errors import StoreUnavailable
from functions.platform.json_text import to_json

if TYPE_CHECKING:
    from datetime import datetime

    from azure.storage.blob import ContainerClient

FOLDER = "pages/"
INDEX = f"{FOLDER}index.json"
ATTEMPTS = 5
"""The maximum number of attempts to write the index; an attempt fails only if another page is published meanwhile."""


class BlobPages:
    """The pages in a blob container (`$web`)."""

    def __init__(self, container: ContainerClient) -> None:
        self._container = container

    def find(self, name: PageName) -> OwnerText | None:
        try:
            with blobs_answering():
                found = self._container.download_blob(_path(name))
                page = decode_json(found.readall(), PublishedPage)
        except ResourceNotFoundError:
            return None
        return OwnerText(name, page.markdown, page.updated_at, found.properties.etag)

    def write(self, name: PageName, markdown: str, *, at: datetime, over: str | None) -> OwnerText | None:
        page = PublishedPage(at, markdown, render(markdown))
        etag = self._write(_path(name), to_json(page).encode(), over)
        return OwnerText(name, markdown, at, etag) if etag else None

    def remove(self, name: PageName, *, over: str | None) -> bool:
        path = _path(name)
        if over is not None:
            try:
                with blobs_answering():
                    self._container.delete_blob(path, etag=over, match_condition=MatchConditions.IfNotModified)
            except (ResourceNotFoundError, ResourceModifiedError):  # either may be the answer for a file that is gone
                return self._version(path) is None
            return True
        return self._version(path) is None

    def write_index(self) -> None:
        for _ in range(ATTEMPTS):
            version = self._version(INDEX)  # read before the list, so that an outdated list is never written
            with blobs_answering():
                found = {blob.name for blob in self._container.list_blobs(name_starts_with=FOLDER)}
            published = PageIndex(tuple(name.value for name in PageName if _path(name) in found))
            if self._write(INDEX, to_json(published).encode(), version):
                return
        raise StoreUnavailable("Other pages are being published at this moment; try again in a few seconds.")

    def _version(self, path: str) -> str | None:
        try:
            with blobs_answering():
                return self._container.get_blob_client(path).get_blob_properties().etag
        except ResourceNotFoundError:
            return None

    def _write(self, path: str, data: bytes, over: str | None) -> str:
        """Replace the version `over` of a file; return the new version, or an empty string if the version differs."""
        condition = (
            {"etag": over, "match_condition": MatchConditions.IfNotModified, "overwrite": True}
            if over
            else {"overwrite": False}
        )
        settings = ContentSettings(content_type="application/json", cache_control="no-cache")
        try:
            with blobs_answering():
                written = self._container.get_blob_client(path).upload_blob(
                    data, content_settings=settings, **condition
                )
        except (ResourceExistsError, ResourceModifiedError):
            return ""
        except ResourceNotFoundError:
            if over is None:
                raise
            return ""  # the file was deleted
        return str(written["etag"])


def _path(name: PageName) -> str:
    return f"{FOLDER}{name}.json"
