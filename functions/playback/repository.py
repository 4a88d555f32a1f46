"""Playlists in blob storage."""

from __future__ import annotations

from typing import TYPE_CHECKING

from azure.core.exceptions import AzureError, ResourceNotFoundError

from functions.platform.errors import StoreUnavailable

if TYPE_CHECKING:
    from azure.storage.blob import BlobServiceClient


class BlobPlaylists:
    """Playlists in the containers of titles."""

    def __init__(self, service: BlobServiceClient) -> None:
        self._service = service

    def read_playlist(self, container: str, blob: str) -> str | None:
        try:
            return self._service.get_blob_client(container, blob).download_blob().readall().decode()
        except ResourceNotFoundError:
            return None
        except AzureError:  # the error's text contains the blob's address, which must not reach the caller
            raise StoreUnavailable("The film's storage does not answer; try again in a minute.") from None
