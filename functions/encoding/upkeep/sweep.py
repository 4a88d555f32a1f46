"""Delete the files of jobs that nobody can play or continue any more: replaced, failed, or of a withdrawn title.

Tracks that manifests list no more are deleted a day later, because somebody may have begun with them. The copy of an
upload, which lies in a container of its own, is deleted once nothing reads it any more; encoders do this themselves,
unless they are killed.

A title is swept once after each of its jobs ends, and again when something in it expires. Whether a folder may be
deleted is decided from the current state of the title and its jobs, so a sweep can be interrupted or repeated. If a job
is retried during a sweep, it is compared with storage before it becomes ready, so a deleted file is encoded again.
"""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import TYPE_CHECKING

from functions.encoding.upkeep.expiries import (
    Expiry,
    copy_expiry,
    expiries_of,
    is_changing,
    is_kept,
    late_expiry,
    track_expiries,
)
from functions.encoding.upkeep.retention import REPLACED_KEPT
from functions.platform.identifiers import INTERMEDIATES, container_for

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from functions.catalogue.model import Title
    from functions.catalogue.service import Catalogue
    from functions.encoding.model import JobSummary
    from functions.encoding.ports import EncodeJobs, JobUpkeep, TitleFolders

log = logging.getLogger(__name__)

TITLES_PER_SWEEP = 50
AGAIN_AFTER = timedelta(hours=1)
"""A title is swept again this long after an interrupted sweep."""


class TitleSweep:
    """Sweeps the containers of titles."""

    def __init__(
        self,
        jobs: EncodeJobs,
        upkeep: JobUpkeep,
        folders: Callable[[], TitleFolders],
        catalogue: Catalogue,
        now: Callable[[], datetime],
    ) -> None:
        self._jobs = jobs
        self._upkeep = upkeep
        self._folders = folders
        self._catalogue = catalogue
        self._now = now

    def sweep_due(self) -> int:
        """Sweep the titles that are due, at most TITLES_PER_SWEEP; return the number of deleted files."""
        now = self._now()
        again_at = now + AGAIN_AFTER
        deleted = 0
        for job in self._upkeep.take_unswept(now=now, again_at=again_at, limit=TITLES_PER_SWEEP):
            files, next_at = self.sweep_title(job.title_id)
            self._upkeep.note_swept(job.id, taken_until=again_at, sweep_at=next_at)
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
        jobs = self._upkeep.summaries_of_title(title_id)
        title = self._catalogue.find_title(title_id)
        deleted, later = 0, list[Expiry]()
        for folder in folders:
            expiries = [*expiries_of(folder, jobs, title), *self._track_expiries(container, folder, jobs, title)]
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
        if (late := late_expiry(jobs, title)) and late.at > now:
            later.append(late)
        if any(map(is_changing, jobs)):
            later.append(Expiry(now + REPLACED_KEPT))
        if deleted:
            log.info("%d files of %s that nobody can play any more were deleted", deleted, title_id)
        return deleted, min((expiry.at for expiry in later), default=None)

    def _track_expiries(
        self, container: str, folder: str, jobs: Sequence[JobSummary], title: Title | None
    ) -> list[Expiry]:
        """Return when tracks in the folder of a job that is kept may be deleted; they are listed before it is read."""
        if not is_kept(folder, jobs, title):
            return []
        tracks = self._folders().list_folders(container, within=folder)
        return track_expiries(self._jobs.get_job(folder), tracks)
