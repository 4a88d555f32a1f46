"""Repair: restore the parts of a job that storage has lost, before it becomes ready, afterwards, and on a retry."""

from __future__ import annotations

import logging
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from functions.encoding.model import JobStatus
from functions.encoding.outcomes import StepOutcome, missing_work
from functions.encoding.upkeep.remakes import MOST_REMAKES
from functions.platform.errors import ContainerMissing
from functions.platform.messages import PlanEncode

if TYPE_CHECKING:
    from functions.encoding.av1_encode import Av1Encode
    from functions.encoding.captions_encode import CaptionsEncode
    from functions.encoding.late_text_worker import LateSubtitlesWorker
    from functions.encoding.lifecycle import JobLifecycle
    from functions.encoding.losses import Loss
    from functions.encoding.model import EncodeJob
    from functions.encoding.on_demand_encode import OnDemandEncode
    from functions.encoding.planning.planner import Planner
    from functions.encoding.ports import EncodeJobs, LaterEncodes
    from functions.encoding.publication.manifests import ManifestPublisher
    from functions.encoding.upkeep.verifier import TitleVerifier

log = logging.getLogger(__name__)

LOST = "Storage has lost this film, and its upload is no longer there. Upload the film again."
NOT_KEPT = "Storage lost parts of this film several times. Check the storage account, then try again."


class JobRepair:
    """Compares jobs with storage, and continues those that have lost parts."""

    def __init__(
        self,
        jobs: EncodeJobs,
        lifecycle: JobLifecycle,
        planner: Planner,
        publisher: ManifestPublisher,
        verifier: TitleVerifier,
        av1: LaterEncodes[Av1Encode],
        on_demand: LaterEncodes[OnDemandEncode],
        captions: LaterEncodes[CaptionsEncode],
        late: LateSubtitlesWorker,
    ) -> None:
        self._jobs = jobs
        self._av1 = av1
        self._on_demand = on_demand
        self._captions = captions
        self._late = late
        self._lifecycle = lifecycle
        self._planner = planner
        self._publisher = publisher
        self._verifier = verifier

    def restore(self, job: EncodeJob) -> EncodeJob:
        """Prepare a planned job to be continued; return it without the parts that storage has lost.

        Creates the title's container, and the remuxed copy of the upload that the plan reads, if they are missing.
        """
        restored = self._undo(job, self._verifier.find_lost(job))
        self._planner.restore_source(restored)
        return restored

    def takes_long(self, job: EncodeJob) -> bool:
        """Return whether `restore` has to make a copy of a large upload."""
        return self._planner.is_large(job) and self.lacks_copy(job)

    def lacks_copy(self, job: EncodeJob) -> bool:
        """Return whether storage has lost the remuxed copy of the upload that a job reads; `restore` makes it again."""
        return self._planner.lacks_copy(job)

    def remake_lost(self, job: EncodeJob) -> StepOutcome | None:
        """Compare a job whose parts are all done with storage.

        Return None if everything is stored, otherwise the outcome that encodes the lost parts again.
        """
        lost = self._verifier.find_lost(job)
        if not lost:
            return None
        if job.remakes >= MOST_REMAKES:
            failed = self._lifecycle.fail(job, NOT_KEPT)
            return StepOutcome(failed or job, ended=failed is not None)
        remade = self._undo(job, lost)
        return StepOutcome(remade, missing_work(remade))

    def is_due(self, job: EncodeJob) -> bool:
        """Return whether a job is ready and its verification was requested but has not been done yet."""
        return job.status is JobStatus.READY and job.verify_at is not None

    def verify(self, job: EncodeJob) -> StepOutcome:
        """Verify a ready job that is due; repair it if that was requested, otherwise only record the result.

        A repair first adds the subtitles that have arrived since the film was planned.

        Manifests are written again first, because that does not change what the title offers: they may list an encode
        that followed and has lost a chunk, or an earlier verification may have been interrupted there. A repair that is
        bound to fail is not begun, because it would take the title offline: a damaged film stays playable. A film that
        has lost all its files and cannot be encoded again is no longer offered.
        """
        if not self._lifecycle.is_published(job):
            self._jobs.schedule_verification(job.id, at=None, repair=False)
            return StepOutcome(job)
        if job.verify_repairs:
            job = self._late.add_arrived(job)
        verification, loss = self._verifier.inspect(job)
        if (_is_followed(loss) or loss.manifests) and job.verify_repairs:
            job = self._undo_followed(job, loss)
            with suppress(ContainerMissing):  # everything is lost; the repair creates the container
                if loss.captions:
                    self._publisher.publish_subtitles(job)
                else:
                    self._publisher.publish_again(job)
            verification, loss = self._verifier.inspect(job)
        if loss and not verification.size and not self._can_remake(job):
            lost = self._lifecycle.lose(self._jobs.note_verified(job, verification), LOST)
            return StepOutcome(lost)
        if not loss or not job.verify_repairs or job.remakes >= MOST_REMAKES:
            return StepOutcome(self._jobs.note_verified(job, verification))
        if (loss.chunks or loss.tracks or not job.all_done) and not self._can_remake(job):
            log.warning("job %s is damaged, and its lost parts cannot be encoded again", job.id)
            return StepOutcome(self._jobs.note_verified(job, verification))
        self._publisher.discard_manifests(job, loss.manifests)
        # The parts are undone first: after a crash in between, the job is still due to be verified, and the
        # verification finds them undone.
        self._undo(job, loss)
        reopened = self._lifecycle.reopen(job)
        return StepOutcome(reopened or job, (PlanEncode(job.id),) if reopened else ())

    def _can_remake(self, job: EncodeJob) -> bool:
        """Return whether lost parts can be encoded again; the upload of a job that was replaced may be another film."""
        newest = self._jobs.latest_summary(job.title_id)
        return newest is not None and newest.id == job.id and self._planner.can_remake(job)

    def _undo_followed(self, job: EncodeJob, lost: Loss) -> EncodeJob:
        """Record that chunks in AV1 or on demand, or captions, are lost; return the job, whose manifests lack them.

        Late subtitles are converted again at once.
        """
        if lost.av1:
            job = replace(job, av1=self._av1.undo_chunks(job.id, lost.av1))
        if lost.on_demand:
            job = replace(job, on_demand=self._on_demand.undo_chunks(job.id, lost.on_demand))
        if lost.captions and job.captions:
            job = replace(job, captions=self._captions.undo_chunks(job.id, job.captions.done))
        return self._late.add_arrived(job, lost=lost.late) if lost.late else job

    def _undo(self, job: EncodeJob, lost: Loss) -> EncodeJob:
        if not lost:
            return job
        log.warning("job %s: storage has lost %d files, such as %s", job.id, len(lost.files), min(lost.files))
        return self._jobs.undo_parts(job, lost)


def _is_followed(loss: Loss) -> bool:
    """Return whether something is lost that followed the encode, and can be made again while the title is played."""
    return bool(loss.av1 or loss.on_demand or loss.captions or loss.late)
