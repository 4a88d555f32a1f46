"""Uploads: tickets to upload a film, and the work that the arrival of a film starts."""

from __future__ import annotations

import heapq
import logging
import secrets
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

from functions.catalogue.model import Status
from functions.platform.errors import Conflict, Malformed, NotflixError, StoreUnavailable
from functions.platform.identifiers import UploadKind, job_id_for, read_name, title_id_for, title_id_of
from functions.uploads.commits import TICKET_DIGITS
from functions.uploads.model import Arrival, Ticket
from functions.uploads.ports import Watermark

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import datetime

    from functions.catalogue.model import Title
    from functions.catalogue.service import Catalogue
    from functions.encoding.service import EncodeService
    from functions.platform.identifiers import Upload
    from functions.platform.messages import Message
    from functions.uploads.ports import ArrivalStore, StoredUpload, UploadStore

log = logging.getLogger(__name__)

TICKET_LASTS = timedelta(hours=12)
LONGEST_NAME = 512
EVENT_PATIENCE = timedelta(minutes=1)
"""The timer starts an upload from this age; before that, the upload's event may still arrive."""
MOST_IN_A_PASS = 500
"""The maximum number of uploads that one pass of the timer compares, oldest first; the next pass continues."""
GIVEN_UP_AFTER = timedelta(days=1)
"""From this age, an upload that cannot be started is not tried again, because other uploads wait behind it."""
NEVER_STARTED = (
    "An unexpected error prevented this upload from being processed for a day; the log of reconcile_work has the "
    "details. Upload {name} again."
)
HELD = (
    "{holder} is already the film of this title, so {name} was not used. To replace it, upload {name} in the Studio "
    "and confirm; to keep both, rename one of them."
)
DESCRIBING = (UploadKind.METADATA, UploadKind.POSTER, UploadKind.BACKDROP)


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
        in_steps: bool = False,
    ) -> None:
        self._store = store
        self._arrivals = arrivals
        self._enqueue = enqueue
        self._catalogue = catalogue
        self._encodes = encodes
        self._now = now
        self._largest_gb = largest_gb
        self._in_steps = in_steps

    def issue_ticket(
        self, name: str, *, size: int, replace_film: bool = False, for_title: str | None = None, mark: str | None = None
    ) -> Ticket:
        """Return a ticket for a file. Raises Malformed if the file is too large or its name is not a valid blob name.

        With `replace_film`, the file may take the place of a film that differs from it only in the extension.
        `for_title` is the id of the announced title that the file belongs to, or empty if there is none; if `for_title`
        is None, the title is derived from the name. `mark` identifies the content of the file: the upload of another
        file is not continued. Raises NotFound, Conflict if the title is not an announced one.
        """
        if not _is_blob_name(name):
            raise Malformed(f"“{name[:80]}” is not the name of a file; use a name like film.mkv.")
        if size > self._largest_gb << 30:
            raise Malformed(
                f"{name} is {size / (1 << 30):.1f} GB; MAX_UPLOAD_GB allows {self._largest_gb} GB. "
                "Upload a smaller file, or raise the setting."
            )
        name, announced = self._named(name, for_title)
        until = self._now() + TICKET_LASTS
        title = self._catalogue.find_title(title_id_for(name)) if read_name(name).kind is UploadKind.FILM else None
        existing, stored = self._holder(title, name), self._store.find_upload(name)
        if existing and replace_film:
            self._catalogue.permit_film(title_id_for(name), name)
        return Ticket(
            upload_url=self._store.write_address(name, until=until),
            blob=name,
            title_id=title_id_for(name),
            expires_at=until,
            replaces=stored is not None and stored.is_whole,
            existing=existing,
            announced=announced,
            upload_id="" if existing else self._upload_id(name, stored, mark),
            version=stored.etag if stored else None,
        )

    def _upload_id(self, name: str, stored: StoredUpload | None, mark: str | None) -> str:
        """Return the id of an upload that may be committed in steps, or "".

        A file that replaces another one must not, because the other one is kept until the new one is whole. An upload
        whose job has ended, because its title was withdrawn meanwhile, starts from the beginning, and so does another
        file.
        """
        if not self._in_steps or read_name(name).kind is not UploadKind.FILM or (stored and stored.is_whole):
            return ""
        digits = stored.upload_id[:TICKET_DIGITS] if stored else ""
        is_same = stored is not None and (mark is None or stored.upload_id == f"{digits}-{mark}")
        continues = is_same and stored is not None and not self._encodes.is_over(_job_id(name, stored))
        return digits if continues else secrets.token_hex(TICKET_DIGITS // 2)

    def _named(self, name: str, for_title: str | None) -> tuple[str, tuple[Title, ...]]:
        """Return the name under which a file is stored, and the announced titles that it may belong to.

        A title's id follows from the stem of its files, so a file that belongs to an announced title is renamed to its
        stem. A trailer may belong to any title.
        """
        upload = read_name(name)
        stem = upload.trailed_stem or upload.stem
        if for_title:
            title = self._catalogue.get(for_title, drafts=True)
            if title.status is not Status.ANNOUNCED and not upload.trailed_stem:
                raise Conflict(f"{title.details.name} already has a film; upload {name} as a title of its own.")
            return f"{title.stem}{name.removeprefix(stem)}", ()
        own = self._catalogue.find_title(title_id_of(stem))
        if for_title is not None or (own is not None and own.status is not Status.WITHDRAWN):
            return name, ()
        alike, is_certain = self._catalogue.announced_like(stem)
        if is_certain:
            return f"{alike[0].stem}{name.removeprefix(stem)}", ()
        return name, tuple(alike) if upload.kind is UploadKind.FILM and not upload.trailed_stem else ()

    def start_upload(self, blob: str) -> None:
        """Record the arrival of a blob, send the messages that start its work, and mark it as started. Idempotent.

        The first seconds of a film that need not be encoded are published at once. Subtitles are read when their film
        is planned; if that was done before, a message makes an encoder add them.
        """
        if read_name(blob).kind is UploadKind.SUBTITLES:
            self._start_subtitles(blob)
            return
        arrival = self.record_arrival(blob)
        if arrival:
            self._enqueue(arrival.messages)
            self._arrivals.mark_started(arrival.version, uploaded_at=arrival.uploaded_at)
            if arrival.job_id:
                self._encodes.publish_front(arrival.job_id)

    def _start_subtitles(self, blob: str) -> None:
        stored = self._store.find_upload(blob)
        if stored:
            self._encodes.subtitles.note_arrival(blob)
            self._arrivals.mark_started(job_id_for(blob, stored.etag), uploaded_at=stored.uploaded_at)

    def cancel_upload(self, blob: str, *, upload_id: str) -> None:
        """Fail the job of an upload that is committed in steps, unless it is whole. Idempotent.

        Nothing happens if the blob is that of another upload, which may be running. The last commit is recorded first:
        its event may not have arrived yet, and must not open the job afterwards. If the file is uploaded again, the job
        continues.
        """
        stored = self._store.find_upload(blob)
        if stored and not stored.is_whole and stored.upload_id == upload_id:
            self.record_arrival(blob)
            self._encodes.cancel_upload(_job_id(blob, stored))
            self._arrivals.mark_started(job_id_for(blob, stored.etag), uploaded_at=stored.uploaded_at)

    def encode_again(self, title_id: str) -> str:
        """Start to encode the film of a title again from its upload; return the id of the new job.

        The upload becomes a new version with the same content, and is then started like one that has just arrived. So
        the present film plays until the new one is ready, and the timer starts the upload if this call is interrupted.
        If the present version has no job yet, because another request or an upload has only just made it, that version
        is started instead. Two requests in the same second would otherwise make two versions that storage does not tell
        apart by their times.

        Raises NotFound; Conflict if the title has no film, is being encoded, or its upload was deleted.
        """
        title = self._catalogue.get(title_id, drafts=True)
        name, blob = title.details.name, self._encodes.film_of(title_id)
        if title.playback is None or blob is None:
            raise Conflict(f"{name} has no film yet. Upload one.")
        stored = self._store.find_upload(blob)
        is_new = stored is not None and self._encodes.progress(_job_id(blob, stored)) is None
        if self._encodes.is_encoding(title_id):  # read last: the job of a version that is not new may still be open
            raise Conflict(f"{name} is being encoded already.")
        if stored is None:
            raise Conflict(f"{_file_name(blob)} is no longer in storage. Upload it again.")
        if not stored.is_whole:
            raise Conflict(f"The upload of {_file_name(blob)} is not complete. Upload the same file to continue it.")
        if not is_new:
            self._store.renew_version(blob, over=stored.etag)
            stored = self._store.find_upload(blob) or stored
        self.start_upload(blob)
        return _job_id(blob, stored)

    def start_missed_uploads(self) -> int:
        """Start the uploads whose event was lost, oldest first; return their number.

        A pass lists the container once (one call for every 5,000 blobs) and reads the watermark, up to which every
        upload has been started. Only later uploads are compared, with one query for their marks, so an upload before
        the watermark costs nothing but its entry in the listing. An upload that is less than a minute old is skipped,
        because its event may still arrive.

        If a store is unavailable, the pass ends, and the next pass continues at the same upload. Any other error is
        logged and the pass continues, but the watermark stays before the failed upload until the upload is
        GIVEN_UP_AFTER old. Then a failed job reports the upload, and later passes skip it.
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
                try:
                    if not self._is_settled(at.blob, stored, started):
                        self.start_upload(at.blob)
                        found += 1
                        log.warning("the event of %s was lost; it has been started now", at.blob)
                except Exception as error:
                    if _is_passing(error):
                        raise
                    log.exception("%s could not be started", at.blob)
                    held = held or not self._is_given_up(at, stored)
                reached = reached if held else at
        finally:
            if reached and reached != before:
                self._arrivals.move_watermark(reached)
        return found

    def _is_given_up(self, at: Watermark, stored: StoredUpload) -> bool:
        """Return whether to stop trying to start an upload; if it is a film, a failed job then reports it.

        Raises StoreUnavailable if a store is unavailable; any other error in opening the job is logged.
        """
        if self._now() - at.uploaded_at < GIVEN_UP_AFTER:
            return False
        log.error("%s could not be started for a day and is not tried again", at.blob)
        if read_name(at.blob).kind is UploadKind.FILM:
            reason = NEVER_STARTED.format(name=_file_name(at.blob))
            try:
                self._encodes.open_refused(
                    at.blob,
                    etag=stored.upload_id or stored.etag,
                    size=stored.size,
                    title_id=title_id_for(at.blob),
                    reason=reason,
                )
            except Exception as error:
                if _is_passing(error):
                    raise
                log.exception("the failure of %s could not be recorded", at.blob)
        return True

    def _is_settled(self, blob: str, stored: StoredUpload, started: set[str]) -> bool:
        """Return whether a version of a blob need not be started.

        This is the case if the version is marked, if its job has ended, or if the blob starts nothing.
        """
        upload = read_name(blob)
        if job_id_for(blob, stored.etag) in started or _describes_trailer(upload):
            return True
        return upload.kind is UploadKind.FILM and self._encodes.is_over(_job_id(blob, stored))

    def record_arrival(self, blob: str) -> Arrival | None:
        """Open the title and job of an uploaded film; return the work that a film or sidecar starts. Idempotent.

        Return None if the blob no longer exists, or if it starts nothing of a title: subtitles are added to what has
        been planned already.
        """
        seen_at, stored = self._now(), self._store.find_upload(blob)
        upload = read_name(blob)
        if stored is None:
            log.info("%s is no longer in uploads", blob)
            return None
        if upload.kind is UploadKind.SUBTITLES or _describes_trailer(upload):
            return None
        job_id, version = _job_id(blob, stored), job_id_for(blob, stored.etag)
        is_trailer = upload.trailed_stem is not None  # it has the description of its title
        arrival = Arrival(
            title_id_for(blob),
            upload.stem,
            None,
            version,
            stored.uploaded_at,
            is_whole=stored.is_whole,
            is_described=is_trailer,
        )
        if upload.kind in DESCRIBING or self._encodes.is_over(job_id):
            return arrival
        title = self._catalogue.find_title(arrival.title_id)
        arrival = replace(arrival, is_described=is_trailer or (title is not None and not stored.is_whole))
        holder = self._holder(title, blob)
        later = partial(self._encodes.has_later_upload, arrival.title_id, than=stored.uploaded_at)
        if not holder and later():
            # it is opened as failed, because a later upload has taken its place
            self._open_job(blob, stored, arrival.title_id, seen_at)
            return arrival
        if not holder:
            over = title.film if title else None
            try:
                claimed = self._catalogue.claim_title(
                    arrival.title_id,
                    stem=arrival.stem,
                    film=blob,
                    over=over,
                    is_late=lambda: self._encodes.is_over(job_id) or later(),
                )
            except StoreUnavailable:  # the title may have been saved, but not announced
                self._encodes.settle_title(arrival.title_id)
                raise
            if claimed is None:
                return self.record_arrival(blob)
            holder = claimed.film if claimed.film != blob else None
        if holder:
            reason = HELD.format(holder=_file_name(holder), name=_file_name(blob))
            version_id = stored.upload_id or stored.etag
            self._encodes.open_refused(
                blob, etag=version_id, size=stored.size, title_id=arrival.title_id, reason=reason
            )
            return arrival
        job_id = self._open_job(blob, stored, arrival.title_id, seen_at)
        waits = not self._encodes.may_start() or self._encodes.awaits_whole_upload(job_id)
        return replace(arrival, job_id=job_id, waits=waits)

    def _holder(self, title: Title | None, blob: str) -> str | None:
        """Return the upload that a title is made from; None if that is `blob`, or if `blob` may replace it.

        It may do so if nothing would be lost: the other film has failed, its title was withdrawn, or its file was
        deleted.
        """
        if title is None or title.status not in (Status.ENCODING, Status.READY):
            return None
        holder = title.film or self._encodes.film_of(title.id)
        if holder is None or holder == blob or self._store.find_upload(holder) is None:
            return None
        return holder

    def _open_job(self, blob: str, stored: StoredUpload, title_id: str, seen_at: datetime) -> str:
        return self._encodes.open_job(
            blob,
            etag=stored.etag,
            size=stored.size if stored.is_whole else stored.whole_size,
            title_id=title_id,
            uploaded_at=stored.uploaded_at,
            upload_id=stored.upload_id,
            front=stored.front,
            stored=stored.size,
            seen_at=seen_at,
        )


def _job_id(blob: str, stored: StoredUpload) -> str:
    """Return the id of the job of an upload: the same for all its commits."""
    return job_id_for(blob, stored.upload_id or stored.etag)


def _describes_trailer(upload: Upload) -> bool:
    """Return whether a blob starts no work, because it would describe a trailer, which has no description."""
    return upload.kind in DESCRIBING and upload.trailed_stem is not None


def _is_passing(error: Exception) -> bool:
    return isinstance(error, NotflixError) and error.retryable


def _file_name(blob: str) -> str:
    return blob.rpartition("/")[2]


def _is_blob_name(name: str) -> bool:
    """Return whether Azure accepts a blob name and a URL can refer to it (Microsoft: Naming containers and blobs)."""
    parts = name.split("/")
    return (
        0 < len(name) <= LONGEST_NAME
        and name.isprintable()
        and "\\" not in name
        and all(part and not part.endswith(".") for part in parts)
    )
