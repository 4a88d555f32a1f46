"""Uploads: tickets to upload a film, and the work that the arrival of a film starts."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from functions.catalogue.model import Status
from functions.platform.errors import Malformed
from functions.platform.identifiers import UploadKind, job_id_for, read_name, title_id_for
from functions.platform.messages import FetchMetadata, PlanEncode

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from functions.catalogue.service import Catalogue
    from functions.encoding.service import EncodeService
    from functions.platform.messages import Message
    from functions.uploads.ports import UploadStore

log = logging.getLogger(__name__)

TICKET_LASTS = timedelta(hours=12)
LONGEST_NAME = 512
DESCRIBING = (UploadKind.METADATA, UploadKind.POSTER, UploadKind.BACKDROP)


@dataclass(frozen=True, slots=True)
class Ticket:
    """Permission to write one blob in `uploads` until `expires_at`; `replaces` is true if the blob already exists."""

    upload_url: str
    blob: str
    title_id: str
    expires_at: datetime
    replaces: bool


@dataclass(frozen=True, slots=True)
class Arrival:
    """The work that an uploaded blob starts: describing a title and, if the blob is a film, planning a job."""

    title_id: str
    stem: str
    job_id: str | None

    @property
    def messages(self) -> tuple[Message, ...]:
        """Return the messages that start the work."""
        describe = FetchMetadata(self.title_id, self.stem)
        return (describe, PlanEncode(self.job_id)) if self.job_id else (describe,)


class Uploads:
    """Accepts films and their sidecars."""

    def __init__(
        self,
        store: UploadStore,
        catalogue: Catalogue,
        encodes: EncodeService,
        now: Callable[[], datetime],
        *,
        largest_gb: int,
    ) -> None:
        self._store = store
        self._catalogue = catalogue
        self._encodes = encodes
        self._now = now
        self._largest_gb = largest_gb

    def issue_ticket(self, name: str, *, size: int) -> Ticket:
        """Return a ticket for a file; raise Malformed if the file is too large or its name is not a valid blob name."""
        if not _is_blob_name(name):
            raise Malformed(f"{name[:80]!r} is not the name of a file; use a name like film.mkv.")
        if size > self._largest_gb << 30:
            raise Malformed(f"{name} has {size / (1 << 30):.1f} GB; MAX_UPLOAD_GB allows {self._largest_gb} GB.")
        until = self._now() + TICKET_LASTS
        return Ticket(
            upload_url=self._store.write_address(name, until=until),
            blob=name,
            title_id=title_id_for(name),
            expires_at=until,
            replaces=self._store.find_upload(name) is not None,
        )

    def record_arrival(self, blob: str) -> Arrival | None:
        """Open the title and job of an uploaded film, or record a sidecar; a repeated call changes nothing.

        Return None if the blob no longer exists, and for subtitles, which are read when their film is planned.
        """
        stored = self._store.find_upload(blob)
        upload = read_name(blob)
        if stored is None:
            log.info("%s is no longer in uploads", blob)
            return None
        title_id = title_id_for(blob)
        if upload.kind in DESCRIBING:
            return Arrival(title_id, upload.stem, job_id=None)
        if upload.kind is UploadKind.SUBTITLES:
            return None
        if self._encodes.is_over(job_id_for(blob, stored.etag)):
            return Arrival(title_id, upload.stem, job_id=None)
        self._catalogue.open_title(title_id, stem=upload.stem, status=Status.ENCODING)
        job_id = self._encodes.open_job(
            blob, etag=stored.etag, size=stored.size, title_id=title_id, uploaded_at=stored.uploaded_at
        )
        return Arrival(title_id, upload.stem, job_id=job_id)


def _is_blob_name(name: str) -> bool:
    """Return whether Azure accepts a blob name and a URL can refer to it (Microsoft: Naming containers and blobs)."""
    parts = name.split("/")
    return (
        0 < len(name) <= LONGEST_NAME
        and name.isprintable()
        and "\\" not in name
        and all(part and not part.endswith(".") for part in parts)
    )
