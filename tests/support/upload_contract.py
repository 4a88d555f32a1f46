"""The behaviour that every store of uploads has; run for the fake and for blob storage."""

from __future__ import annotations

import uuid
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Protocol

from functions.platform.identifiers import job_id_for

if TYPE_CHECKING:
    from functions.uploads.ports import UploadStore


class Uploading(Protocol):
    """Uploads as a blob tool does."""

    def __call__(self, blob: str, content: bytes) -> None:
        """Write or overwrite an upload."""


class UploadContract:
    """Tests of a store, which may contain other uploads; a subclass provides `uploads` and `upload`."""

    def name(self) -> str:
        return f"{uuid.uuid4().hex} film.mkv"

    def test_an_upload_has_its_size_its_time_and_an_etag_of_its_version(
        self, uploads: UploadStore, upload: Uploading
    ) -> None:
        name = self.name()
        assert uploads.find_upload(name) is None
        upload(name, b"film")
        first = uploads.find_upload(name)
        upload(name, b"film again")
        second = uploads.find_upload(name)
        assert first and second and (first.size, second.size) == (4, 10)
        assert first.etag != second.etag and first.uploaded_at <= second.uploaded_at
        assert second.uploaded_at.utcoffset() == timedelta(0) and second.uploaded_at.microsecond == 0

    def test_uploads_are_listed_in_the_order_of_their_names_as_they_are_found(
        self, uploads: UploadStore, upload: Uploading
    ) -> None:
        stem = uuid.uuid4().hex
        names = [f"{stem}/{each}" for each in ("b.mkv", "a.mkv", "Z.mkv", "a.en.srt", "ä.mkv")]
        for name in names:
            upload(name, name.encode())
        listed = [(name, stored) for name, stored in uploads.list_uploads() if name.startswith(stem)]
        assert [name for name, _ in listed] == sorted(names)
        for name, stored in listed:  # Azure quotes an ETag in a header, but not in a list
            found = uploads.find_upload(name)
            assert found == replace(stored, etag=f'"{stored.etag}"')
            assert found and job_id_for(name, found.etag) == job_id_for(name, stored.etag)

    def test_an_address_to_write_names_its_blob(self, uploads: UploadStore) -> None:
        address = uploads.write_address("a-film.mkv", until=datetime(2026, 11, 28, tzinfo=UTC))
        assert address.startswith("http") and "/uploads/a-film.mkv?" in address and "2026-11-28" in address
