"""Operations on encode jobs for other slices and for the API: open, report progress, retry, verify, cancel."""

from __future__ import annotations

import logging
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from functions.encoding.av1_encode import is_av1
from functions.encoding.captions_encode import is_captions
from functions.encoding.claims import LEASE_S
from functions.encoding.copying.reception import Reception, is_partial
from functions.encoding.job_documents import position_of
from functions.encoding.lifecycle import WITHDRAWN
from functions.encoding.model import OPEN, JobStatus
from functions.encoding.on_demand_encode import is_on_demand
from functions.encoding.outcomes import messages_by_step
from functions.encoding.progress import progress_of
from functions.encoding.spending.budget import pause_reason, permits
from functions.encoding.steps import VERIFY, StepRequest, being_encoded, fault_after, fault_key, is_done, next_attempt_s
from functions.encoding.upkeep.retention import MANIFESTS_KEPT
from functions.platform.errors import Conflict
from functions.platform.messages import EncodeChunk, PlanEncode, PublishTitle
from functions.platform.pagination import LARGEST_LIMIT, Page, page_of
from functions.platform.pagination import position_of as position_in

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from collections.abc import Set as AbstractSet
    from datetime import datetime

    from functions.encoding.claims import Claims
    from functions.encoding.late_subtitles.service import SubtitleArrivals
    from functions.encoding.lifecycle import JobLifecycle
    from functions.encoding.model import EncodeJob, JobSummary
    from functions.encoding.outcomes import StepMessage
    from functions.encoding.ports import EncodeJobs, JobUpkeep
    from functions.encoding.progress import JobProgress
    from functions.encoding.spending.budget import EncodeBudget
    from functions.encoding.spending.costs import MonthSpending
    from functions.encoding.steps import JobWork, StepKey
    from functions.encoding.upkeep.sweep import TitleSweep
    from functions.platform.queues import Queues

log = logging.getLogger(__name__)

UNTOUCHED = timedelta(seconds=LEASE_S)
"""How long a new job must be unchanged before its message counts as lost; the message is sent after the job is
stored."""

VERIFY_AGAIN_AFTER = timedelta(minutes=5)
"""A verification is requested again after this time, unless its result was recorded."""

VERIFIED_AT_ONCE = 20
"""How many verifications the timer requests at once; not more, because publications wait behind them in the queue."""


class EncodeService:
    """Operations on encode jobs; `queues` returns the queues of the messages for their steps.

    `tell_owners` mails the owners that encoding is paused; its argument identifies the pause, so that a repeated call
    sends no second email. `front` publishes the first seconds of a job, if they need not be encoded, and returns
    whether it did. `subtitles` notes those that arrive.
    """

    def __init__(
        self,
        jobs: EncodeJobs,
        claims: Claims,
        lifecycle: JobLifecycle,
        queues: Callable[[], Queues],
        now: Callable[[], datetime],
        upkeep: JobUpkeep,
        sweep: TitleSweep,
        budget: EncodeBudget,
        tell_owners: Callable[[str], None],
        front: Callable[[str], bool],
        subtitles: SubtitleArrivals,
        *,
        upload_patience: timedelta = timedelta(hours=24),
    ) -> None:
        self._jobs = jobs
        self._budget = budget
        self._tell_owners = tell_owners
        self._claims = claims
        self._lifecycle = lifecycle
        self._queues = queues
        self._now = now
        self._upkeep = upkeep
        self._sweep = sweep
        self._front = front
        self.subtitles = subtitles
        self._patience = upload_patience

    def open_job(
        self,
        blob: str,
        *,
        etag: str,
        size: int,
        title_id: str,
        uploaded_at: datetime,
        upload_id: str = "",
        front: int | None = None,
        stored: int = 0,
        seen_at: datetime | None = None,
    ) -> str:
        """Return the id of the job for one version of an upload, opening it if necessary; see `JobLifecycle.open_job`.

        Until an upload that is committed in steps is whole, `front` bytes from its beginning have arrived, and its blob
        has `stored` bytes. The caller sends the job's `PlanEncode`, until then its `PrepareEncode`.
        """
        return self._lifecycle.open_job(
            blob,
            etag=etag,
            size=size,
            title_id=title_id,
            uploaded_at=uploaded_at,
            upload_id=upload_id,
            reception=None if front is None else Reception(etag, front, stored, uploaded_at),
            seen_at=seen_at,
        ).id

    def give_up_stopped(self) -> int:
        """Fail the jobs whose uploads stopped too long ago; return their number."""
        return self._lifecycle.give_up_stopped(self._jobs.open_summaries(), patience=self._patience)

    def cancel_upload(self, job_id: str) -> None:
        """Fail the job of an upload that is not whole; it continues if the upload does. Idempotent."""
        job = self._jobs.find_summary(job_id)
        if job:
            self._lifecycle.cancel_upload(job)

    def publish_front(self, job_id: str) -> bool:
        """Publish the first seconds of a new job's upload at once, if they need not be encoded; return whether it did.

        A failure is only logged, because an encoder publishes the same a little later.
        """
        try:
            return self._front(job_id)
        except Exception:
            log.exception("job %s: its first seconds could not be published at once", job_id)
            return False

    def open_refused(self, blob: str, *, etag: str, size: int, title_id: str, reason: str) -> None:
        """Open a job as failed, without an effect on the title and its other jobs."""
        self._lifecycle.open_refused(blob, etag=etag, size=size, title_id=title_id, reason=reason)

    def film_of(self, title_id: str) -> str | None:
        """Return the name of the upload of the newest job of a title, or None if the title has no job."""
        job = self._jobs.latest_summary(title_id)
        return job.upload.blob if job else None

    def is_encoding(self, title_id: str) -> bool:
        """Return whether the newest job of a title has not ended."""
        job = self._jobs.latest_summary(title_id)
        return job is not None and job.status in OPEN

    def settle_title(self, title_id: str) -> None:
        """Correct the status of a title if it contradicts that of its newest job."""
        self._lifecycle.settle_title(title_id)

    def is_over(self, job_id: str) -> bool:
        """Return whether a job exists and has ended; if so, make its title show that, even after an interruption.

        A job whose upload stopped, was cancelled, or was followed by another one, has not ended: it may continue.
        """
        job = self._jobs.find_summary(job_id)
        if job is None or job.status in OPEN or self._lifecycle.may_resume(job):
            return False
        self._lifecycle.settle_title(job.title_id)
        return True

    def awaits_whole_upload(self, job_id: str) -> bool:
        """Return whether nothing more of the upload of a job is published before it is whole."""
        job = self._jobs.find_summary(job_id)
        return job is not None and is_partial(job) and job.reception is not None and bool(job.reception.waits_because)

    def has_later_upload(self, title_id: str, *, than: datetime) -> bool:
        """Return whether the newest job of a title belongs to an upload that is later than a time."""
        return self._lifecycle.later_job(title_id, than=than) is not None

    def progress(self, job_id: str) -> JobProgress | None:
        """Return the progress of a job, or None if there is no such job."""
        job = self._jobs.find_summary(job_id)
        return self._progress_of([job])[0] if job else None

    def latest_for(self, title_id: str) -> JobProgress | None:
        """Return the progress of the newest job of a title, or None if it has none."""
        job = self._jobs.latest_summary(title_id)
        return self._progress_of([job])[0] if job else None

    def list_jobs(self, cursor: str = "", limit: int = LARGEST_LIMIT) -> Page[JobProgress]:
        """Return a page of jobs, newest first. Raises Malformed for an invalid cursor."""
        found = self._jobs.list_summaries(below=position_in(cursor), limit=limit + 1)
        page = page_of(found, limit=limit, position=position_of)
        return Page(tuple(self._progress_of(page.entries)), page.cursor)

    def retry_job(self, job_id: str) -> JobProgress:
        """Continue a failed or stuck job where it stopped, or verify and repair a ready one.

        An encoder first compares the job with storage; what is lost is encoded again. Raises NotFound, or Conflict if
        the job has been replaced or its title was withdrawn.
        """
        job = self._jobs.get_job(job_id)
        newest = self._jobs.latest_summary(job.title_id)
        if newest and newest.id != job.id:
            raise Conflict(f"Job {job_id} has been replaced by {newest.id}; retry that one.")
        self._raise_if_withdrawn(job)
        if job.status is JobStatus.READY:
            return self._request_verification(job, repair=True)
        if is_partial(job):
            raise Conflict(f"The upload of {job.name} is not complete. Upload the same file to continue it.")
        if job.status is JobStatus.FAILED:
            job = self._lifecycle.retry(job)
            try:
                self._raise_if_withdrawn(job)  # it may have been withdrawn since the first check, after `cancel`
            except Conflict as withdrawn:
                self._lifecycle.fail(job, withdrawn.detail)
                raise
        for step in job.faults if job.is_open else ():
            self._jobs.clear_fault(job_id, step)  # a deferred step need not wait for its time
        if self.may_start():
            self._queues().send_all([PlanEncode(job_id)])
        return self._progress_now(job_id)

    def may_start(self) -> bool:
        """Return whether a new job may be planned now; if not, the timer requests it when the limit permits it."""
        return self._budget.may_plan()

    def spending(self) -> MonthSpending:
        """Return what this month's encodes have cost."""
        return self._budget.this_month()

    def announce_pause(self) -> None:
        """Tell the owners once in a month, and once more for each new limit, that films wait because of the limit."""
        if self._budget.is_limited():
            works = self._jobs.list_work()
            if len(self._budget.permitted(works)) < len(works):
                self._budget.announce_once(self._tell_owners)

    def dismiss_job(self, job_id: str) -> None:
        """Leave a failed job out of the list until it is retried. Raises NotFound, Conflict if it has not failed.

        The job itself is kept: it records that its upload need not be started.
        """
        job = self._jobs.get_job(job_id)
        if not self._jobs.dismiss_job(job_id, at=self._now()):
            raise Conflict(f"Job {job_id} is {job.status}; only a failed job can be dismissed.")

    def verify_job(self, job_id: str) -> JobProgress:
        """Request that an encoder verifies the published files of a ready job, and records the result in it.

        Raises NotFound, or Conflict if the job is not ready.
        """
        job = self._jobs.get_job(job_id)
        self._raise_if_withdrawn(job)
        if job.status is not JobStatus.READY:
            raise Conflict(f"Job {job_id} is {job.status}; only a ready one can be verified.")
        return self._request_verification(job, repair=False)

    def verify_due(self) -> int:
        """Request the verification of jobs that recently became ready; return their number.

        A request whose message is lost is repeated.
        """
        now = self._now()
        due = self._upkeep.take_unverified(now=now, again_at=now + VERIFY_AGAIN_AFTER, limit=VERIFIED_AT_ONCE)
        self._queues().send_all(PublishTitle(job_id, verify=True) for job_id in due)
        return len(due)

    def sweep_due(self) -> int:
        """Delete files that nobody can play or continue any more; return their number."""
        return self._sweep.sweep_due()

    def end_withdrawn(self, title_id: str) -> None:
        """Fail the open job of a withdrawn title, if it has one, and delete the files of its ended jobs.

        No upload that had been given up continues. A later sweep deletes what an encoder still stores, or what is left
        if this call is interrupted. If the film has been uploaded again meanwhile, its new job and its files are left
        alone.
        """
        jobs = self._upkeep.summaries_of_title(title_id)  # read before the title: none is the job of a later upload
        if self._lifecycle.is_withdrawn(title_id):
            for job in jobs[:1]:
                self._cancel(job, WITHDRAWN)
            self._lifecycle.end_uploads(jobs)
            self._sweep.sweep_title(title_id)

    def cancel(self, title_id: str, reason: str) -> None:
        """Fail the open job of a title, if it has one, and have the files of the title swept."""
        job = self._jobs.latest_summary(title_id)
        if job:
            self._cancel(job, reason)

    def _cancel(self, job: JobSummary, reason: str) -> None:
        self._lifecycle.fail(job, reason)
        self._upkeep.schedule_sweep(job.id, at=self._now() + MANIFESTS_KEPT)

    def repair_jobs(self) -> int:
        """Enqueue again the due steps whose encoder was killed or whose message was lost; return their number.

        A step's message was lost if the step is due, no encoder works on it, and no message waits in its queue. While
        messages wait there, the step is requested again if it stays due (see `StepRequest`). If its message was not
        lost, the step is requested twice, which does no harm. Without open jobs, no queue is read.
        """
        killed = {step for step in self._claims.drop_expired() if self._count_kill(*step)}
        now = self._now()
        works = self._budget.permitted([work for work in self._jobs.list_work() if not _is_untouched(work, now)])
        held = self._claims.held() if works else frozenset()
        due = {work.id: messages_by_step(work.id, work.due_steps(held, now)) for work in works}
        queues = {message.QUEUE for messages in due.values() for message in messages.values()}
        waiting = {queue for queue in queues if self._queues().has_waiting(queue)}
        again = [message for work in works for message in self._requested_again(work, due[work.id], waiting, killed)]
        self._queues().send_all(again)
        if again:
            log.warning("%d steps of encode jobs were enqueued again", len(again))
        return len(again)

    def _requested_again(
        self,
        work: JobWork,
        due: Mapping[str, StepMessage],
        waiting: AbstractSet[str],
        killed: AbstractSet[StepKey],
    ) -> list[StepMessage]:
        """Return the messages to send for the due steps of a job; record the steps whose messages may still be waiting.

        Any message for a chunk stands for the next due chunk, so none is sent while such messages wait.
        """
        now = self._now()
        again: list[StepMessage] = []
        requests: dict[str, StepRequest] = {}
        for step, message in due.items():
            if message.QUEUE not in waiting:
                again.append(message)
            elif not isinstance(message, EncodeChunk):
                request = work.requests.get(step) or StepRequest(now, now)
                if (work.id, step) in killed or request.is_overdue(now):
                    again.append(message)
                    request = replace(request, sent_at=now)
                requests[step] = request
        if requests != work.requests:
            self._jobs.note_requests(work.id, requests)
        return again

    def _count_kill(self, job_id: str, step: str) -> bool:
        """Count an attempt whose encoder was killed, which may fail the job; return whether to repeat the request."""
        if is_av1(step) or is_on_demand(step) or is_captions(step):  # their attempts are counted when they begin
            return False
        job = self._jobs.get_job(job_id)
        if not job.is_open or step == VERIFY:  # a verification is due until it has been recorded
            self._lifecycle.settle_title(job.title_id)  # the encoder may have been killed while the job failed
            return False
        if is_done(job, step):  # the encoder was killed after it had recorded the result
            return False
        key = fault_key(job, step)
        fault = fault_after(job.faults.get(key), None, now=self._now())
        self._jobs.note_fault(job_id, key, fault)
        if next_attempt_s(fault) is None:
            if is_partial(job):
                self._lifecycle.leave_front(job_id)
                self._jobs.clear_fault(job_id, key)
            else:
                self._lifecycle.fail(job, fault.detail)
            return False
        return True

    def _request_verification(self, job: EncodeJob | JobSummary, *, repair: bool) -> JobProgress:
        self._jobs.schedule_verification(job.id, at=self._now(), repair=repair)
        self._queues().send_all([PublishTitle(job.id, verify=True)])
        return self._progress_now(job.id)

    def _raise_if_withdrawn(self, job: EncodeJob) -> None:
        if self._lifecycle.is_withdrawn(job.title_id):
            raise Conflict("Its title was withdrawn. Upload the film again.")

    def _progress_now(self, job_id: str) -> JobProgress:
        summary = self._jobs.find_summary(job_id)
        assert summary is not None
        return self._progress_of([summary])[0]

    def _progress_of(self, jobs: Iterable[JobSummary]) -> list[JobProgress]:
        """Return the progress of jobs; the remaining time of an open job depends on the other open jobs."""
        shown = list(jobs)
        if not any(job.status in OPEN for job in shown):
            return [progress_of(job, others=(), now=self._now()) for job in shown]
        month = self._budget.this_month()
        others = [other for other in being_encoded(self._jobs.open_summaries()) if permits(month, other)]
        return [
            progress_of(
                job, others=others, now=self._now(), paused=pause_reason(month, job) if job.status in OPEN else None
            )
            for job in shown
        ]


def _is_untouched(work: JobWork, now: datetime) -> bool:
    return work.status is JobStatus.QUEUED and work.updated_at > now - UNTOUCHED
