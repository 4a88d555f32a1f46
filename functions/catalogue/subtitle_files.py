"""The subtitle files of titles, as the encoder has stored them in each title's container."""

from __future__ import annotations

from typing import TYPE_CHECKING

from azure.core.exceptions import ResourceNotFoundError

from functions.platform.blob_errors import blobs_answering
from functions.platform.identifiers import container_for

if TYPE_CHECKING:
    from azure.storage.blob import BlobServiceClient

MOST_BYTES = 2 << 20
"""How much of a track is read; the subtitles of a long film are about 200 kB."""


class BlobSubtitles:
    """Subtitle files in blob storage."""

    def __init__(self, blobs: BlobServiceClient) -> None:
        self._blobs = blobs

    def read_subtitles(self, title_id: str, job_id: str, track: str) -> str | None:
        blob = self._blobs.get_blob_client(container_for(title_id), f"{job_id}/{track}.vtt")
        try:
            with blobs_answering():
                data: bytes = blob.download_blob(offset=0, length=MOST_BYTES).readall()
        except ResourceNotFoundError:
            return None
        return data.decode("utf-8", "ignore")
