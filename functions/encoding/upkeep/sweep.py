"""Delete the files of jobs that nobody can play or continue any more: replaced, failed, or of a withdrawn title.

The provisional rendition of a film is deleted a day after the others were complete, and renditions on demand a day
after manifests have ceased to list them. The copy of an upload, which lies in a container of its own, is deleted once
nothing reads it any more; encoders do this themselves, unless they are killed.

A title is swept once after each of its jobs ends, and again when something in it expires. Whether a folder may be
deleted is decided from the current state of the title and its jobs, so a sweep can be interrupted or repeated. If a job
is retried during a sweep, it is compared with storage before it becomes ready, so a deleted file is encoded again.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from functions.catalogue.model import Status
from functions.encoding.model import OPEN, JobStatus
from functions.encoding.renditions import ORIGINAL
from functions.encoding.upkeep.retention import FAILED_KEPT, MANIFESTS_KEPT, REPLACED_KEPT, needs_copy
from functions.platform.identifiers import INTERMEDIATES, container_for

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from functions.catalogue.model import Title
    from functions.catalogue.service import Catalogue
    from functions.encoding.model import JobSummary
    from functions.encoding.ports import JobUpkeep, TitleFolders

log = logging.getLogger(__name__)

TITLES_PER_SWEEP = 50
AGAIN_AFTER = timedelta(hours=1)
"""A title is swept again this long after an interrupted sweep."""

MANIFESTS = (".mpd", ".m3u8")
EVERYTHING = ("",)
COPY = ("/source.mkv",)
"""The copy of an upload where versions before 0.3 stored it; nothing reads it there any more."""


@dataclass(frozen=True, slots=True)
class Expiry:
    """From `at` on, the files of a folder, or in its folder `within`, may be deleted if they have one of `endings`."""

    at: datetime
    endings: tuple[str, ...] = EVERYTHING
    within: str = ""


class TitleSweep:
    """Sweeps the containers of titles."""

    def __init__(
        self,
        jobs: JobUpkeep,
        folders: Callable[[], TitleFolders],
        catalogue: Catalogue,
        now: Callable[[], datetime],
    ) -> None:
        self._jobs = jobs
        self._folders = folders
        self._catalogue = catalogue
        self._now = now

    def sweep_due(self) -> int:
        """Sweep the titles that are due, at most TITLES_PER_SWEEP; return the number of deleted files."""
        now = self._now()
        again_at = now + AGAIN_AFTER
        deleted = 0
        for job in self._jobs.take_unswept(now=now, again_at=again_at, limit=TITLES_PER_SWEEP):
            files, next_at = self.sweep_title(job.title_id)
            self._jobs.note_swept(job.id, taken_until=again_at, sweep_at=next_at)
            deleted += files
        return deleted

    def sweep_title(self, title_id: str) -> tuple[int, datetime | None]:
        """Delete what has expired; return the number of deleted files, and when the next file expires.

        Folders are listed first, and the title is read last: a film may be uploaded again at any moment, and its folder
        is made after its job, and its job after the title is listed again.
        """
        now = self._now()
        container = container_for(title_id)
        folders, copies = self._folders().list_folders(container), set(self._folders().list_folders(INTERMEDIATES))
        jobs = self._jobs.summaries_of_title(title_id)
        title = self._catalogue.find_title(title_id)
        deleted, later = 0, list[Expiry]()
        for folder in folders:
            expiries = expiries_of(folder, jobs, title)
            due = [expiry for expiry in expiries if expiry.at <= now]
            later += [expiry for expiry in expiries if expiry.at > now]
            for expiry in due:
                path = f"{folder}/{expiry.within}" if expiry.within else folder
                deleted += self._folders().delete_files(container, path, endings=expiry.endings)
        for job in jobs:
            unread = copy_expiry(job, jobs, title) if job.id in copies else None
            if unread and unread.at <= now:
                deleted += self._folders().delete_files(INTERMEDIATES, job.id)
            elif unread:
                later.append(unread)
        if deleted:
            log.info("%d files of %s that nobody can play any more were deleted", deleted, title_id)
        return deleted, min((expiry.at for expiry in later), default=None)


def expiries_of(folder: str, jobs: Sequence[JobSummary], title: Title | None) -> list[Expiry]:
    """Return when the files in the folder of a job may be deleted; an empty list means never.

    `jobs` are all jobs of the title, newest first; there is at least one.
    """
    playing = title.playback.job_id if title and title.playback and title.watchable else None
    job = next((each for each in jobs if each.id == folder), None)
    if (job or jobs[0]).status in OPEN:
        return []
    if _is_withdrawn(title):
        return [Expiry(_ended(job or jobs[0]))]
    if folder == playing or (job and job is jobs[0] and job.status is JobStatus.READY):
        return [Expiry(_ended(job), COPY), *_provisional_expiries(job), *_on_demand_expiries(job)] if job else []
    if job and job is jobs[0]:
        at = _ended(job)
        return [Expiry(at, COPY), Expiry(at + MANIFESTS_KEPT, MANIFESTS), Expiry(at + FAILED_KEPT)]
    replaced_at = max(_ended(each) for each in jobs if each.id in (folder, playing) or each is jobs[0])
    return [Expiry(replaced_at + REPLACED_KEPT)]


def copy_expiry(job: JobSummary, jobs: Sequence[JobSummary], title: Title | None) -> Expiry | None:
    """Return when the copy of the upload of a job may be deleted; None while it is needed.

    That of a failed job is kept as long as its parts, so that a retry continues with it.
    """
    if job.status in OPEN:
        return None
    if job.status is JobStatus.READY and not _is_withdrawn(title) and needs_copy(job):
        return None
    may_be_retried = job is jobs[0] and job.status is JobStatus.FAILED and not _is_withdrawn(title)
    return Expiry(_ended(job) + (FAILED_KEPT if may_be_retried else timedelta()))


def _is_withdrawn(title: Title | None) -> bool:
    return title is not None and title.status is Status.WITHDRAWN


def _provisional_expiries(job: JobSummary) -> list[Expiry]:
    """Return when the provisional rendition of a job may be deleted; somebody may have begun with it until the end."""
    if not job.provisional or not job.receipt:
        return []
    at = _ended(job) + REPLACED_KEPT
    return [Expiry(at, within=job.provisional), Expiry(at, (f"/{ORIGINAL}", f"/{job.provisional}.m3u8"))]


def _on_demand_expiries(job: JobSummary) -> list[Expiry]:
    """Return when the renditions on demand may be deleted, if no manifest lists them any more."""
    at = job.on_demand.expires_at if job.on_demand else None
    names = [each.name for each in job.renditions_on_demand] if at else []
    return [expiry for name in names if at for expiry in (Expiry(at, within=name), Expiry(at, (f"/{name}.m3u8",)))]


def _ended(job: JobSummary) -> datetime:
    return job.ended_at or job.updated_at
