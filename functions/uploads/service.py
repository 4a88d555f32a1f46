"""Uploads: tickets to upload a film, and the work that the arrival of a film starts."""

from __future__ import annotations

import heapq
import logging
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING

from functions.catalogue.model import Status
from functions.platform.errors import Malformed, NotflixError
from functions.platform.identifiers import UploadKind, job_id_for, read_name, title_id_for
from functions.platform.messages import FetchMetadata, PlanEncode
from functions.uploads.ports import Watermark

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import datetime

    from functions.catalogue.service import Catalogue
    from functions.encoding.service import EncodeService
    from functions.platform.messages import Message
    from functions.uploads.ports import ArrivalStore, StoredUpload, UploadStore

log = logging.getLogger(__name__)

TICKET_LASTS = timedelta(hours=12)
LONGEST_NAME = 512
EVENT_PATIENCE = timedelta(minutes=1)
"""The age from which the timer starts an upload; until then, the upload's event may still arrive."""
MOST_IN_A_PASS = 500
"""The maximum number of uploads that one pass of the timer compares, oldest first; the next pass continues."""
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
    version: str
    uploaded_at: datetime

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
        arrivals: ArrivalStore,
        catalogue: Catalogue,
        encodes: EncodeService,
        enqueue: Callable[[Iterable[Message]], None],
        now: Callable[[], datetime],
        *,
        largest_gb: int,
    ) -> None:
        self._store = store
        self._arrivals = arrivals
        self._enqueue = enqueue
        self._catalogue = catalogue
        self._encodes = encodes
        self._now = now
        self._largest_gb = largest_gb

    def issue_ticket(self, name: str, *, size: int) -> Ticket:
        """Return a ticket for a file. Raises Malformed if the file is too large or its name is no valid blob name."""
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

    def start_upload(self, blob: str) -> None:
        """Record the arrival of a blob, send the messages that start its work, and mark it as started. Idempotent."""
        arrival = self.record_arrival(blob)
        if arrival:
            self._enqueue(arrival.messages)
            self._arrivals.mark_started(arrival.version, uploaded_at=arrival.uploaded_at)

    def start_missed_uploads(self) -> int:
        """Start the uploads whose event was lost, oldest first; return their number.

        A pass lists the container once (one call for every 5,000 blobs) and reads the watermark, up to which every
        upload has been started. Only later uploads are compared, with one query for their marks, so an upload before
        the watermark costs nothing but its entry in the listing. An upload that is less than a minute old is skipped,
        because its event may still arrive.

        If a store is unavailable, the pass ends, and the next pass continues at the same upload. Any other error is
        logged and the pass continues, but the watermark stays before the failed upload.
        """
        reached = self._arrivals.watermark()
        until = self._now() - EVENT_PATIENCE
        waiting = (
            (place, stored)
            for blob, stored in self._store.list_uploads()
            if (place := Watermark(stored.uploaded_at, blob)).uploaded_at <= until and (not reached or place > reached)
        )
        batch = heapq.nsmallest(MOST_IN_A_PASS, waiting, key=lambda entry: entry[0])
        started = self._arrivals.started([job_id_for(at.blob, stored.etag) for at, stored in batch]) if batch else set()
        found, held, before = 0, False, reached
        try:
            for at, stored in batch:
                if not self._is_settled(at.blob, stored, started):
                    try:
                        self.start_upload(at.blob)
                        found += 1
                        log.warning("the event of %s was lost; it has been started now", at.blob)
                    except Exception as error:
                        if isinstance(error, NotflixError) and error.retryable:
                            raise
                        log.exception("%s could not be started", at.blob)
                        held = True
                reached = reached if held else at
        finally:
            if reached and reached != before:
                self._arrivals.move_watermark(reached)
        return found

    def _is_settled(self, blob: str, stored: StoredUpload, started: set[str]) -> bool:
        """Return whether a version of a blob need not be started.

        This is the case if the version is marked, if its job has ended, or if the blob is a subtitle.
        """
        kind, version = read_name(blob).kind, job_id_for(blob, stored.etag)
        if version in started or kind is UploadKind.SUBTITLES:
            return True
        return kind is UploadKind.FILM and self._encodes.is_over(version)

    def record_arrival(self, blob: str) -> Arrival | None:
        """Open the title and job of an uploaded film; return the work that a film or sidecar starts. Idempotent.

        Return None if the blob no longer exists, and for subtitles, which are read when their film is planned.
        """
        stored = self._store.find_upload(blob)
        upload = read_name(blob)
        if stored is None:
            log.info("%s is no longer in uploads", blob)
            return None
        if upload.kind is UploadKind.SUBTITLES:
            return None
        version = job_id_for(blob, stored.etag)
        arrival = Arrival(title_id_for(blob), upload.stem, None, version, stored.uploaded_at)
        if upload.kind in DESCRIBING or self._encodes.is_over(version):
            return arrival
        if self._encodes.has_later_upload(arrival.title_id, than=stored.uploaded_at):
            self._open_job(blob, stored, arrival.title_id)  # opened as failed: a later upload has taken its place
            return arrival
        self._catalogue.open_title(arrival.title_id, stem=upload.stem, status=Status.ENCODING)
        return replace(arrival, job_id=self._open_job(blob, stored, arrival.title_id))

    def _open_job(self, blob: str, stored: StoredUpload, title_id: str) -> str:
        return self._encodes.open_job(
            blob, etag=stored.etag, size=stored.size, title_id=title_id, uploaded_at=stored.uploaded_at
        )


def _is_blob_name(name: str) -> bool:
    """Return whether Azure accepts a blob name and a URL can refer to it (Microsoft: Naming containers and blobs)."""
    parts = name.split("/")
    return (
        0 < len(name) <= LONGEST_NAME
        and name.isprintable()
        and "\\" not in name
        and all(part and not part.endswith(".") for part in parts)
    )
