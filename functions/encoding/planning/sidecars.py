"""The subtitle files beside a film, in the versions that are in storage now."""

from __future__ import annotations

from typing import TYPE_CHECKING

from functions.platform.identifiers import UploadKind, companion, read_name

if TYPE_CHECKING:
    from functions.encoding.model import EncodeJob
    from functions.encoding.ports import MediaStore
    from functions.platform.identifiers import Upload


def sidecar_versions(media: MediaStore, job: EncodeJob) -> dict[Upload, str]:
    """Return the subtitle files that belong to the film of a job, with their ETags, sorted by name."""
    stem = read_name(job.upload.blob).stem
    versions = media.list_versions(job.upload.container, f"{stem}.")
    beside = ((companion(blob, film=stem), etag) for blob, etag in versions.items())
    return {upload: etag for upload, etag in beside if upload and upload.kind is UploadKind.SUBTITLES}
