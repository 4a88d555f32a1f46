"""The one place where the status of an encode job changes, together with its status in the catalogue.

The table of allowed changes is `model.Transition`:

    receiving ─► queued ─► planning ─► encoding ─► ready ─► encoding | failed    (repair | all files lost)
        │          │          │           │
        └──────────┴──────────┴───────────┴─────► failed ─► queued | encoding    (retry)
                                                         ─► receiving | failed   (its upload continues, or must not)
"""

from __future__ import annotations

import logging
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from functions.catalogue.model import Status
from functions.encoding.copying.reception import CANNOT_READ, identity_of, is_partial
from functions.encoding.model import OPEN, EncodeJob, JobStatus, SourceRef, Transition
from functions.encoding.spending.receipts import receipt_of
from functions.encoding.upkeep.retention import MANIFESTS_KEPT, REPLACED_KEPT
from functions.platform.errors import Conflict
from functions.platform.film_keys import NO_KEYS
from functions.platform.identifiers import job_id_for

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import datetime

    from functions.catalogue.service import Catalogue
    from functions.encoding.changed_fields import ChangedFields
    from functions.encoding.copying.reception import Reception
    from functions.encoding.model import EncodePlan, JobSummary
    from functions.encoding.ports import EncodeJobs
    from functions.platform.film_keys import FilmKeys

log = logging.getLogger(__name__)

VERIFY_AFTER = timedelta(seconds=30)
"""A ready job is verified this long after its end. A killed Azurite loses acknowledged writes of about 5 seconds."""

WITHDRAWN = "Its title was withdrawn."
"""The reason of a job whose title was withdrawn before it was complete."""


def stopped_text(job: EncodeJob | JobSummary) -> str:
    """Return the reason of a job whose upload stopped before it was whole."""
    return f"The upload of {job.name} stopped. Upload the same file again: it continues where it stopped."


def differs_from_front(job: EncodeJob, plan: EncodePlan) -> bool:
    """Return whether segments of a job were published, before its upload was whole, that do not fit its plan."""
    published = job.reception.published if job.reception else None
    return published is not None and published != identity_of(plan)


def cancelled_text(job: EncodeJob | JobSummary) -> str:
    """Return the reason of a job whose upload was cancelled before it was whole."""
    return f"The upload of {job.name} was cancelled. Upload the film again."


class JobLifecycle:
    """Opens, advances, ends and retries jobs; methods return None if the job's status no longer allows the change.

    `keys` is only needed to open jobs.
    """

    def __init__(
        self, jobs: EncodeJobs, catalogue: Catalogue, now: Callable[[], datetime], keys: FilmKeys = NO_KEYS
    ) -> None:
        self._keys = keys
        self._jobs = jobs
        self._catalogue = catalogue
        self._now = now

    def open_job(
        self,
        blob: str,
        *,
        etag: str,
        size: int,
        title_id: str,
        uploaded_at: datetime,
        upload_id: str = "",
        reception: Reception | None = None,
        seen_at: datetime | None = None,
    ) -> EncodeJob:
        """Return the job of one version of an upload, opening it if necessary; fail older jobs of its title.

        An upload that is committed in steps has an `upload_id`, and one job; until it is whole, `reception` says how
        much has arrived. If its job had been given up, or replaced by the upload of another file, it continues, and
        becomes the newest job of its title.

        An event may arrive late. If its title already has a job for a later upload, the new job is opened as failed.
        It gets an earlier opening time than the later job, which therefore stays the newest of the title. Of two
        versions that were uploaded within a second, the one that was found in storage later is the later one; `seen_at`
        is a time before this one was found, by default now.
        """
        now = self._now()
        seen_at = seen_at or now
        later = self.later_job(title_id, than=uploaded_at)
        job_id = job_id_for(blob, upload_id or etag)
        job = EncodeJob(
            id=job_id,
            title_id=title_id,
            upload=SourceRef("uploads", blob),
            etag=etag,
            size=size,
            status=JobStatus.RECEIVING if reception else JobStatus.QUEUED,
            created_at=seen_at,
            updated_at=now,
            uploaded_at=min(uploaded_at, now),
            reception=reception,
            key_id=self._keys.new_key_id(job_id),
        )
        if later:
            reason = f"{later.name} was uploaded later and had already replaced this file."
            opened_at = min(seen_at, later.created_at - timedelta(milliseconds=1))
            job = replace(job, status=JobStatus.FAILED, created_at=opened_at, ended_at=now, reason=reason)
        if not self._jobs.add_job(job):
            job = self._received(self._jobs.get_job(job.id), job)
        # Repeated for an existing job, because the process that added it may have been killed before this line.
        self._supersede_older(title_id)
        # The title may be marked as encoding although this job has ended, or as failed because an earlier job ended.
        self.settle_title(title_id)
        if self.is_withdrawn(title_id):  # since it was opened for this upload
            self.fail(job, WITHDRAWN)
        return job

    def _supersede_older(self, title_id: str) -> None:
        """Fail all open jobs of a title but the newest, which may have been opened by another process meanwhile."""
        newest = self._jobs.latest_summary(title_id)
        if newest:
            reason = f"{newest.name} was uploaded later and has replaced this file."
            self._jobs.supersede_jobs(newest, reason=reason, at=self._now())

    def _received(self, there: EncodeJob, now: EncodeJob) -> EncodeJob:
        """Record a later commit of the upload of a job in it; `now` is the job as this commit would open it."""
        if now.status is JobStatus.FAILED:  # a later upload, or a later commit of this one, is known already
            return there
        is_another = now.reception is None or there.reception is None or now.reception.etag != there.reception.etag
        if self.may_resume(there) and is_another:
            # The files that were published may have been swept, so all are stored again.
            resumed = self._jobs.change_status(
                there.id,
                Transition.RESUME,
                created_at=now.created_at,  # its files replace those of uploads that were begun meanwhile
                tracks={},
                playable_at=None,
                reason=None,
                fault=None,
                faults={},
                ended_at=None,
                sweep_at=None,
                dismissed_at=None,
            )
            there = resumed or self._jobs.get_job(there.id)
        if there.status is not JobStatus.RECEIVING:
            return there
        if now.reception:
            self._jobs.note_received(there.id, now.reception, size=now.size)
            return self._jobs.get_job(there.id)
        received = self._jobs.change_status(
            there.id,
            Transition.RECEIVED,
            etag=now.etag,
            size=now.size,
            uploaded_at=now.uploaded_at,
            faults={},  # what failed while it was received is no fault of the whole film
            fault=None,
        )
        there = received or self._jobs.get_job(there.id)
        # A process that saw only earlier commits may just have given it up.
        return self._received(there, now) if received is None and self.may_resume(there) else there

    def may_resume(self, job: EncodeJob | JobSummary) -> bool:
        """Return whether a job was given up because its upload stopped, was cancelled, or another one was begun.

        The job continues if the upload does.
        """
        return job.status is JobStatus.FAILED and job.reception is not None and job.reception.has_stopped

    def give_up_stopped(self, jobs: Iterable[JobSummary], *, patience: timedelta) -> int:
        """Fail those jobs whose uploads have not grown for the time `patience`; return their number."""
        now = self._now()
        stopped = [
            job
            for job in jobs
            if job.status is JobStatus.RECEIVING and job.reception and job.reception.at + patience <= now
        ]
        return sum(self.fail(job, stopped_text(job), by=Transition.GIVE_UP) is not None for job in stopped)

    def cancel_upload(self, job: JobSummary) -> EncodeJob | None:
        """Fail a job whose upload is not whole, because it was cancelled; the job continues if the upload does."""
        if job.status is not JobStatus.RECEIVING:
            return None
        return self.fail(job, cancelled_text(job), by=Transition.GIVE_UP)

    def end_uploads(self, jobs: Iterable[JobSummary]) -> None:
        """Record that the jobs of a withdrawn title do not continue, even if their uploads do.

        Without this, an event that is handled late would bring the title back.
        """
        for job in jobs:
            if is_partial(job):
                self._jobs.change_status(job.id, Transition.END_UPLOAD)

    def leave_front(self, job_id: str) -> None:
        """Record that no more of an upload is published before it is whole, because that has failed too often."""
        reception = self._jobs.get_job(job_id).reception
        published = reception.published if reception else None
        self._jobs.note_front(job_id, published=published, waits_because=CANNOT_READ)

    def open_refused(self, blob: str, *, etag: str, size: int, title_id: str, reason: str) -> None:
        """Create a job that has failed already; if the title has other jobs, it never counts as their newest.

        It has no time of upload, so that it does not count as a later upload of the title.
        """
        now = self._now()
        newest = self._jobs.latest_summary(title_id)
        self._jobs.add_job(
            EncodeJob(
                id=job_id_for(blob, etag),
                title_id=title_id,
                upload=SourceRef("uploads", blob),
                etag=etag,
                size=size,
                status=JobStatus.FAILED,
                created_at=min(now, newest.created_at - timedelta(milliseconds=1)) if newest else now,
                updated_at=now,
                ended_at=now,
                reason=reason,
            )
        )

    def later_job(self, title_id: str, *, than: datetime) -> JobSummary | None:
        """Return the newest job of a title if its film was uploaded, or committed in part, after a time, or None."""
        newest = self._jobs.latest_summary(title_id)
        if newest is None or newest.uploaded_at is None:
            return None
        last = max(newest.uploaded_at, newest.reception.at) if newest.reception else newest.uploaded_at
        return newest if last > than else None

    def start_planning(self, job: EncodeJob) -> EncodeJob | None:
        """Move a job to `planning`."""
        return self._jobs.change_status(job.id, Transition.START_PLANNING, planning_at=self._now())

    def postpone_planning(self, job: EncodeJob) -> EncodeJob | None:
        """Record that making the plan of a job is a step of its own, because it takes long."""
        return self._jobs.change_status(job.id, Transition.START_PLANNING, prepares=True)

    def finish_planning(self, job: EncodeJob, plan: EncodePlan) -> EncodeJob | None:
        """Store the plan of a job and move it to `encoding`.

        What was published before its upload was whole is kept if it fits the plan. The job is published again in any
        case, because only its plan says how long the film is.
        """
        changed: ChangedFields = {"plan": plan, "planned_at": self._now()}
        if job.reception and job.reception.published is not None:
            changed["playable_at"] = None
        if differs_from_front(job, plan):
            changed["tracks"] = {}
        return self._jobs.change_status(job.id, Transition.FINISH_PLANNING, **changed)

    def note_published(self, job: EncodeJob, *, front_s: float) -> EncodeJob:
        """Record that the manifests of a job list its first `front_s` seconds; return the updated job.

        The job may have failed while they were written. Its title then shows that, instead of the manifests.
        """
        noted = self._jobs.note_published(job, front_s=front_s, at=self._now())
        if not noted.is_open:
            self.settle_title(job.title_id)
        return noted

    def complete(self, job: EncodeJob) -> EncodeJob | None:
        """Move a job to `ready`; it is verified once more after VERIFY_AFTER, and repaired if necessary."""
        now = self._now()
        return self._jobs.change_status(
            job.id,
            Transition.COMPLETE,
            ended_at=now,
            fault=None,
            reason=None,
            verify_at=now + VERIFY_AFTER,
            verify_repairs=True,
            sweep_at=now + REPLACED_KEPT,
            receipt=receipt_of(job),
            av1_due_at=now,
            intros_due_at=now,
            captions_due_at=now,
        )

    def fail(self, job: EncodeJob | JobSummary, reason: str, *, by: Transition = Transition.FAIL) -> EncodeJob | None:
        """Move an open job to `failed`; the upload and the stored segments are kept."""
        if job.status not in OPEN:
            return None
        # The title is updated first: a crash in between leaves the job open, and its message is delivered again.
        self._catalogue.mark_failed(job.title_id, reason)
        now = self._now()
        failed = self._jobs.change_status(job.id, by, reason=reason, ended_at=now, sweep_at=now + MANIFESTS_KEPT)
        if failed:
            log.warning("job %s failed: %s", job.id, reason)
        self.settle_title(job.title_id)
        return failed

    def settle_title(self, title_id: str) -> None:
        """Correct a title marked as encoding although its newest job has failed, or as failed although it is open.

        Job and title are in different collections. So another process may have marked the title as encoding after
        `fail` marked it as failed, or `fail` may have marked the title although a newer upload has replaced the job.
        Each process calls this after its last write, so the later call sees the writes of both.
        """
        newest = self._jobs.latest_summary(title_id)
        if newest is None or newest.status is JobStatus.READY:
            return
        title = self._catalogue.find_title(title_id)
        if newest.status in OPEN:
            if title is not None and title.failure is not None:
                self._catalogue.mark_encoding(title_id)
                self.settle_title(title_id)  # the newest job may have failed since it was read
            return
        if newest.reason is None:
            return
        if title is not None and title.status is Status.ENCODING:
            self._catalogue.mark_failed(title_id, newest.reason)

    def retry(self, job: EncodeJob) -> EncodeJob:
        """Move a failed job back to the status in which it stopped. Raises Conflict if it has not failed."""
        transition = Transition.RETRY_ENCODING if job.plan else Transition.RETRY_PLANNING
        retried = self._jobs.change_status(
            job.id,
            transition,
            reason=None,
            fault=None,
            faults={},
            ended_at=None,
            remakes=0,
            prepares=False,
            sweep_at=None,
            dismissed_at=None,
        )
        if retried is None:
            raise Conflict(f"Job {job.id} is {job.status}; only a failed job can be retried.")
        self._catalogue.mark_encoding(job.title_id)
        self.settle_title(job.title_id)
        return retried

    def reopen(self, job: EncodeJob) -> EncodeJob | None:
        """Move a ready job back to `encoding`, because storage has lost parts of it."""
        # The title is updated first: after a crash in between, the job is still due to be verified, and is moved then.
        self._catalogue.mark_damaged(job.title_id, job.id)
        reopened = self._jobs.change_status(
            job.id,
            Transition.REPAIR,
            ended_at=None,
            verify_at=None,
            verified=None,
            sweep_at=None,
            remakes=job.remakes + 1,
        )
        if reopened:
            log.warning("job %s is repaired: storage has lost parts of it", job.id)
        return reopened

    def lose(self, job: EncodeJob, reason: str) -> EncodeJob:
        """Move a ready job to `failed`, because storage has lost all of its files and they cannot be encoded again."""
        # The title is updated first: after a crash in between, the job is still due to be verified, and is moved then.
        self._catalogue.mark_lost(job.title_id, job.id, reason)
        lost = self._jobs.change_status(
            job.id, Transition.LOSE, reason=reason, ended_at=self._now(), verify_at=None, verify_repairs=False
        )
        log.error("job %s is lost: %s", job.id, reason)
        return lost or job

    def is_withdrawn(self, title_id: str) -> bool:
        """Return whether a title is withdrawn; its jobs must not be continued."""
        title = self._catalogue.find_title(title_id)
        return title is not None and title.status is Status.WITHDRAWN

    def is_published(self, job: EncodeJob) -> bool:
        """Return whether a ready job is the one that its title plays."""
        title = self._catalogue.find_title(job.title_id)
        return (
            job.status is JobStatus.READY
            and title is not None
            and title.status is not Status.WITHDRAWN
            and title.playback is not None
            and title.playback.job_id == job.id
        )
