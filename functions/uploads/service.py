"""Uploads: a ticket to bring a film in, and what its arrival sets going."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import timedelta
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from functions.catalogue.model import Status
from functions.platform.errors import Malformed
from functions.platform.identifiers import UploadKind, job_id_for, read_name, title_id_for

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from functions.catalogue.service import Catalogue
    from functions.encoding.service import EncodeService
    from functions.uploads.storage import UploadStore

log = logging.getLogger(__name__)

TICKET_LASTS = timedelta(hours=12)
LONGEST_NAME = 512
DESCRIBING = (UploadKind.METADATA, UploadKind.POSTER, UploadKind.BACKDROP)


@dataclass(frozen=True, slots=True)
class Ticket:
    """Leave to write one blob of `uploads` until `expires_at`; `replaces` says that one of that name is there."""

    upload_url: str
    blob: str
    title_id: str
    expires_at: datetime
    replaces: bool


@dataclass(frozen=True, slots=True)
class Arrival:
    """What an uploaded blob asks for: a title to describe, and, where it is a film, a job to plan."""

    title_id: str
    stem: str
    describe: bool
    job_id: str | None


class Uploads:
    """Takes films and their sidecars in."""

    def __init__(
        self, store: UploadStore, catalogue: Catalogue, encodes: EncodeService, now: Callable[[], datetime]
    ) -> None:
        self._store = store
        self._catalogue = catalogue
        self._encodes = encodes
        self._now = now

    def ticket(self, name: str) -> Ticket:
        """Return a ticket for a file of that name; raise Malformed for one that no blob can bear."""
        path = PurePosixPath(name)
        if not name or len(name) > LONGEST_NAME or ".." in path.parts or path.is_absolute() or not name.isprintable():
            raise Malformed(f"{name[:80]!r} is not a file's name; give one like film.mkv.")
        until = self._now() + TICKET_LASTS
        return Ticket(
            upload_url=self._store.write_address(name, until=until),
            blob=name,
            title_id=title_id_for(name),
            expires_at=until,
            replaces=self._store.look(name) is not None,
        )

    def arrived(self, blob: str) -> Arrival | None:
        """Open title and job for a film that has arrived, or note a sidecar; the same version twice changes nothing.

        Returns None for a blob that is gone by now, and for subtitles, which are read when their film is planned.
        """
        stored = self._store.look(blob)
        upload = read_name(blob)
        if stored is None:
            log.info("%s is no longer in uploads", blob)
            return None
        title_id = title_id_for(blob)
        if upload.kind in DESCRIBING:
            return Arrival(title_id, upload.stem, describe=True, job_id=None)
        if upload.kind is UploadKind.SUBTITLES:
            return None
        if self._encodes.is_over(job_id_for(blob, stored.etag)):
            return Arrival(title_id, upload.stem, describe=True, job_id=None)
        self._catalogue.open_title(title_id, stem=upload.stem, status=Status.ENCODING)
        job_id = self._encodes.open_job(
            blob, etag=stored.etag, size=stored.size, title_id=title_id, uploaded_at=stored.uploaded_at
        )
        return Arrival(title_id, upload.stem, describe=True, job_id=job_id)
