"""Failed jobs are retried from where they stopped, and ready ones are verified and repaired."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from functions.catalogue.model import Status
from functions.encoding.claims import LEASE_S
from functions.encoding.losses import Loss
from functions.encoding.model import JobStatus
from functions.platform.errors import Conflict
from functions.platform.messages import EncodeAudio, EncodeChunk, EncodeFront, PlanEncode, PublishTitle

if TYPE_CHECKING:
    from functions.encoding.model import EncodeJob
    from functions.encoding.outcomes import StepMessage
    from tests.support.encoding_world import EncodeWorld

LISTING = frozenset({"manifest.mpd"})
FAULTY = Loss(manifests=LISTING, files=LISTING)


def continued(encode: EncodeWorld, job_id: str) -> tuple[StepMessage, ...]:
    """Run the planning step that a retry has requested; return the messages that follow from it."""
    assert encode.queues.messages == [PlanEncode(job_id)]
    return encode.outcome_of(PlanEncode(job_id)).messages


def test_retry_leads_to_only_what_is_missing(encode: EncodeWorld) -> None:
    job_id = encode.planned()
    encode.finish(job_id, 0, 2)
    encode.lifecycle.fail(encode.jobs.get_job(job_id), "The encoder was stopped.")
    progress = encode.service.retry_job(job_id)
    assert (progress.status, progress.reason, progress.fault) == (JobStatus.ENCODING, None, None)
    assert continued(encode, job_id) == (EncodeAudio(job_id, "a0"), EncodeChunk(), EncodeChunk())


def test_retry_of_a_job_that_was_never_planned_begins_with_the_plan(encode: EncodeWorld) -> None:
    job_id = encode.upload()
    encode.lifecycle.fail(encode.jobs.get_job(job_id), "Storage did not answer.")
    assert encode.service.retry_job(job_id).status is JobStatus.QUEUED
    assert continued(encode, job_id) == (EncodeFront(job_id), *[EncodeChunk()] * 3)


def test_retry_of_a_job_whose_parts_are_all_done_publishes_it(encode: EncodeWorld) -> None:
    job_id = encode.planned()
    encode.finish(job_id, 0, 1, 2, 3)
    encode.run(EncodeAudio(job_id, "a0"))
    encode.lifecycle.fail(encode.jobs.get_job(job_id), "The catalogue did not answer.")
    encode.service.retry_job(job_id)
    assert continued(encode, job_id) == (PublishTitle(job_id),)


def test_retry_encodes_again_what_storage_has_lost_of_a_failed_job(encode: EncodeWorld) -> None:
    job_id = encode.planned()
    encode.finish(job_id, 0, 1, 2, 3)
    encode.lifecycle.fail(encode.jobs.get_job(job_id), "Storage did not answer.")
    encode.crew.lost = Loss(chunks=frozenset({1}), files=frozenset({"v360/s00001.m4s"}))
    encode.service.retry_job(job_id)
    assert continued(encode, job_id) == (EncodeAudio(job_id, "a0"), EncodeChunk())
    assert encode.crew.restored == [job_id]


@pytest.mark.parametrize("planned", [False, True])
def test_retry_sends_the_work_of_a_stuck_job_again(encode: EncodeWorld, planned: bool) -> None:
    job_id = encode.planned() if planned else encode.upload()
    progress = encode.service.retry_job(job_id)
    assert progress.status is (JobStatus.ENCODING if planned else JobStatus.QUEUED)
    assert continued(encode, job_id) == (EncodeFront(job_id), *[EncodeChunk()] * 3)


def test_retry_of_a_ready_job_verifies_and_repairs_it(encode: EncodeWorld) -> None:
    job_id = encode.complete(encode.planned())
    encode.jobs.schedule_verification(job_id, at=None, repair=False)
    assert encode.service.retry_job(job_id).status is JobStatus.READY
    assert encode.queues.messages == [PublishTitle(job_id, verify=True)]
    encode.crew.lost = Loss(tracks=frozenset({"a0"}), files=frozenset({"a0/s00001.m4s"}))
    assert encode.outcome_of(PublishTitle(job_id, verify=True)).messages == (PlanEncode(job_id),)
    job = encode.jobs.get_job(job_id)
    assert (job.status, job.remakes) == (JobStatus.ENCODING, 1)
    assert encode.title.status is Status.ENCODING


def test_encoder_that_is_killed_after_it_reopened_a_damaged_film_counts_as_no_attempt(encode: EncodeWorld) -> None:
    job_id = encode.planned()
    encode.encoder().take(job_id, "verify")
    encode.clock.forward(seconds=LEASE_S + 1)
    encode.service.repair_jobs()
    assert dict(encode.jobs.get_job(job_id).faults) == {}


@pytest.mark.parametrize("obstacle", ["the upload is gone", "a later upload replaced it"])
def test_damaged_film_that_cannot_be_repaired_stays_online(encode: EncodeWorld, obstacle: str) -> None:
    job_id = encode.complete(encode.planned())
    encode.crew.remakes = obstacle != "the upload is gone"
    if encode.crew.remakes:
        encode.lifecycle.fail(encode.jobs.get_job(encode.upload("0x2")), "It is text.")
    encode.crew.lost = Loss(chunks=frozenset({1}), files=frozenset({"v360/s00001.m4s"}))
    assert encode.outcome_of(PublishTitle(job_id, verify=True)).messages == ()
    job = encode.jobs.get_job(job_id)
    assert job.verified
    assert (job.status, job.all_done, job.verified.damaged, job.verify_at) == (JobStatus.READY, True, 1, None)
    assert encode.title.watchable


def test_manifest_that_is_missing_is_written_again_while_the_title_stays_as_it_is(encode: EncodeWorld) -> None:
    job_id = encode.complete(encode.planned())
    encode.crew.remakes = False
    encode.crew.lost = FAULTY
    assert encode.outcome_of(PublishTitle(job_id, verify=True)).messages == ()
    job = encode.jobs.get_job(job_id)
    assert job.verified
    assert (job.status, job.verified.damaged, job.verify_at) == (JobStatus.READY, 0, None)


def test_manifest_is_repaired_although_the_upload_is_gone(encode: EncodeWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    """It cannot simply be written again, because it claims to be as new as what would replace it."""
    job_id = encode.complete(encode.planned())
    encode.crew.remakes = False
    encode.crew.lost = FAULTY
    monkeypatch.setattr(encode.crew, "publish_again", lambda job: setattr(encode.crew, "lost", FAULTY))
    assert encode.outcome_of(PublishTitle(job_id, verify=True)).messages == (PlanEncode(job_id),)
    assert encode.outcome_of(PlanEncode(job_id)).messages == (PublishTitle(job_id),)


def test_job_of_a_withdrawn_title_is_not_retried(encode: EncodeWorld) -> None:
    job_id = encode.planned()
    encode.world.catalogue.withdraw_title(encode.title_id)
    encode.service.cancel(encode.title_id, "Its title was withdrawn.")
    with pytest.raises(Conflict, match="withdrawn"):
        encode.service.retry_job(job_id)
    assert not encode.jobs.get_job(job_id).is_open
    assert encode.queues.messages == []


def test_job_whose_title_is_withdrawn_during_a_retry_ends_again(
    encode: EncodeWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    job_id = encode.planned()
    encode.lifecycle.fail(encode.jobs.get_job(job_id), "Storage did not answer.")
    retry = encode.lifecycle.retry

    def withdrawn_meanwhile(job: EncodeJob) -> EncodeJob:
        encode.world.catalogue.withdraw_title(encode.title_id)
        encode.service.cancel(encode.title_id, "Its title was withdrawn.")
        return retry(job)

    monkeypatch.setattr(encode.lifecycle, "retry", withdrawn_meanwhile)
    with pytest.raises(Conflict, match="withdrawn"):
        encode.service.retry_job(job_id)
    assert not encode.jobs.get_job(job_id).is_open
    assert encode.queues.messages == []


def test_only_a_ready_job_is_verified(encode: EncodeWorld) -> None:
    job_id = encode.planned()
    with pytest.raises(Conflict, match="is encoding; only a ready one"):
        encode.service.verify_job(job_id)
    encode.complete(job_id)
    encode.clock.forward(minutes=1)
    assert encode.service.verify_due() == 1
    assert encode.service.verify_due() == 0
    encode.clock.forward(minutes=6)
    assert encode.service.verify_due() == 1, "the message may have been lost"
    encode.run(PublishTitle(job_id, verify=True))
    encode.clock.forward(minutes=6)
    assert encode.service.verify_due() == 0
    assert encode.run(PublishTitle(job_id, verify=True)) is None, "the message was delivered twice"
    encode.service.verify_job(job_id)
    encode.crew.lost = Loss(chunks=frozenset({1}), files=frozenset({"v360/s00001.m4s"}))
    assert encode.outcome_of(PublishTitle(job_id, verify=True)).messages == ()
    progress = encode.service.progress(job_id)
    assert progress
    assert progress.verified
    assert (progress.status, progress.verified.damaged) == (JobStatus.READY, 1)
