"""The timer finds abandoned steps, and a film that storage has lost completely is reported as lost."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from functions.catalogue.model import Status
from functions.encoding.claims import LEASE_S, ClaimLost
from functions.encoding.losses import Loss
from functions.encoding.model import JobStatus, StepFault
from functions.encoding.steps import ATTEMPTS, LOST
from functions.encoding.upkeep.repair import LOST as FILM_LOST
from functions.encoding.upkeep.verification import Verification
from functions.platform.errors import Conflict, NotFound
from functions.platform.messages import EncodeAudio, EncodeChunk, EncodeFront, PlanEncode, PrepareEncode, PublishTitle
from tests.support.clock import NOON
from tests.support.encoding_steps import DoneAtOnce

if TYPE_CHECKING:
    from functions.encoding.model import EncodeJob
    from functions.encoding.outcomes import StepMessage, StepOutcome
    from tests.support.encoding_world import EncodeWorld


def test_steps_whose_message_was_lost_are_enqueued_again(encode: EncodeWorld) -> None:
    job_id = encode.planned()
    assert encode.service.repair_jobs() == 4
    assert encode.queues.messages == [EncodeFront(job_id), *[EncodeChunk()] * 3]
    encode.finish(job_id, 0, 1)
    encode.service.repair_jobs()
    assert encode.queues.messages[4:] == [EncodeAudio(job_id, "a0"), *[EncodeChunk()] * 2]


def test_new_job_whose_message_is_about_to_be_sent_is_left_alone(encode: EncodeWorld) -> None:
    job_id = encode.upload()
    assert encode.service.repair_jobs() == 0
    encode.clock.forward(seconds=LEASE_S)
    assert encode.service.repair_jobs() == 1
    assert encode.queues.messages == [PlanEncode(job_id)]


def test_nothing_is_enqueued_while_messages_wait_or_encoders_work(encode: EncodeWorld) -> None:
    job_id = encode.planned()
    encode.encoder().take(job_id, "chunk 0")
    encode.encoder().take(job_id, "track a0")
    encode.queues.waiting = {"encode-chunk"}
    assert encode.service.repair_jobs() == 0
    assert encode.queues.messages == []


def test_deferred_steps_are_not_repaired_before_their_time(encode: EncodeWorld) -> None:
    job_id = encode.upload()
    encode.clock.forward(seconds=LEASE_S)
    fault = StepFault("Storage does not answer.", passing=True, retry_at=encode.clock() + timedelta(minutes=3))
    encode.jobs.note_fault(job_id, "plan", fault)
    encode.clock.forward(seconds=LEASE_S)
    assert encode.service.repair_jobs() == 0
    encode.clock.forward(minutes=3)
    assert encode.service.repair_jobs() == 1


def test_step_of_a_killed_encoder_is_enqueued_although_other_messages_wait(encode: EncodeWorld) -> None:
    job_id = encode.planned()
    encode.finish(job_id, 0)
    killed = encode.encoder()
    killed.take(job_id, "track a0")
    killed.take(job_id, "chunk 1")
    encode.queues.waiting = {"encode-audio", "encode-chunk"}
    encode.clock.forward(seconds=LEASE_S)
    assert encode.service.repair_jobs() == 0, "the claims may still be renewed"
    encode.clock.forward(seconds=1)
    assert encode.service.repair_jobs() == 1
    assert encode.queues.messages == [EncodeAudio(job_id, "a0")], "waiting messages for chunks lead to chunk 1 too"
    faults = encode.jobs.get_job(job_id).faults
    assert {step: (fault.detail, fault.attempts) for step, fault in faults.items()} == {
        "track a0": (LOST, 1),
        "chunk 1": (LOST, 1),
    }
    encode.run(EncodeChunk())
    assert encode.jobs.get_job(job_id).chunks_done == {0, 1}, "the chunk need not wait"


def test_last_chunk_of_a_killed_encoder_is_enqueued(encode: EncodeWorld) -> None:
    job_id = encode.planned()
    encode.finish(job_id, 0, 1, 2)
    encode.run(EncodeAudio(job_id, "a0"))
    encode.encoder().take(job_id, "chunk 3")
    encode.clock.forward(seconds=LEASE_S + 1)
    assert encode.service.repair_jobs() == 1
    assert encode.queues.messages == [EncodeChunk()]


def test_publication_that_was_lost_is_enqueued(encode: EncodeWorld) -> None:
    job_id = encode.planned()
    encode.finish(job_id, 0, 1, 2, 3)
    encode.run(EncodeAudio(job_id, "a0"))
    encode.service.repair_jobs()
    assert encode.queues.messages == [PublishTitle(job_id)]


def test_repair_without_open_jobs_reads_no_queue(encode: EncodeWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    job_id = encode.planned()
    encode.service.cancel(encode.title_id, "Its title was withdrawn.")
    encode.encoder().take(job_id, "chunk 0")
    encode.clock.forward(minutes=1)
    monkeypatch.setattr(encode.queues, "has_waiting", pytest.fail)
    assert encode.service.repair_jobs() == 0


def requested(encode: EncodeWorld, *, minutes: int) -> list[tuple[int, StepMessage]]:
    """Run the timer once a minute; return the messages it sent, each with its minute."""
    sent: list[tuple[int, StepMessage]] = []
    for minute in range(minutes):
        before = len(encode.queues.messages)
        encode.service.repair_jobs()
        sent += [(minute, message) for message in encode.queues.messages[before:]]  # type: ignore[misc]
        encode.clock.forward(minutes=1)
    return sent


def test_lost_step_is_requested_again_although_its_queue_is_never_empty(encode: EncodeWorld) -> None:
    job_id = encode.planned()
    encode.finish(job_id, 0)
    encode.queues.waiting = {"encode-audio", "encode-chunk"}
    sent = requested(encode, minutes=20)
    assert sent == [(minute, EncodeAudio(job_id, "a0")) for minute in (1, 2, 4, 8, 16)], "at intervals that double"


@pytest.mark.parametrize("kind", ["plan", "prepare", "front", "publish"])
def test_every_kind_of_step_is_requested_again(encode: EncodeWorld, kind: str) -> None:
    job_id = {"plan": encode.upload, "prepare": encode.prepared}.get(kind, encode.planned)()
    if kind == "publish":
        encode.complete_parts(job_id)
    expected = {
        "plan": PlanEncode(job_id),
        "prepare": PrepareEncode(job_id),
        "front": EncodeFront(job_id),
        "publish": PublishTitle(job_id),
    }[kind]
    encode.clock.forward(seconds=LEASE_S)
    encode.queues.waiting = {expected.QUEUE, "encode-chunk"}
    assert requested(encode, minutes=2) == [(1, expected)]


def test_step_that_an_encoder_took_in_the_meantime_begins_anew(encode: EncodeWorld) -> None:
    job_id = encode.planned()
    encode.finish(job_id, 0)
    encode.queues.waiting = {"encode-audio", "encode-chunk"}
    requested(encode, minutes=4)
    claims = encode.encoder()
    claims.take(job_id, "track a0")
    assert requested(encode, minutes=1) == []
    claims.release(job_id, "track a0")
    assert requested(encode, minutes=2) == [(1, EncodeAudio(job_id, "a0"))]


def test_encoder_that_is_killed_after_it_recorded_its_result_leaves_no_fault(encode: EncodeWorld) -> None:
    job_id = encode.planned()
    for step in ("chunk 0", "track a0"):
        encode.encoder().take(job_id, step)
    encode.finish(job_id, 0)
    encode.crew.encode_track(encode.jobs.get_job(job_id), "a0", publish=lambda _: None)
    encode.clock.forward(seconds=LEASE_S + 1)
    encode.service.repair_jobs()
    job = encode.jobs.get_job(job_id)
    assert (job.fault, dict(job.faults)) == (None, {})


def test_front_that_is_done_never_fails_its_job_because_encoders_were_killed(encode: EncodeWorld) -> None:
    job_id = encode.planned()
    encode.finish(job_id, 0)
    for _ in range(ATTEMPTS * 7):
        encode.encoder().take(job_id, "chunk 0")
        encode.clock.forward(seconds=LEASE_S + 1)
        encode.run(EncodeFront(job_id))
    job = encode.jobs.get_job(job_id)
    assert (job.status, job.fault) == (JobStatus.ENCODING, None)


def test_encoder_that_lost_its_claim_leaves_the_step_to_the_other(encode: EncodeWorld) -> None:
    job_id = encode.planned()
    encode.finish(job_id, 0)
    encode.crew.troubles = [ClaimLost("Another encoder has taken over chunk 1.")]
    outcome = encode.run(EncodeChunk())
    job = encode.jobs.get_job(job_id)
    assert outcome
    assert (outcome.messages, outcome.ended) == ((), False)
    assert (job.chunks_done, job.fault, dict(job.faults)) == (frozenset({0}), None, {})


class NothingLeft(DoneAtOnce):
    """A crew that finds no file of any job, and no upload either unless `remakes` is set."""

    def inspect(self, job: EncodeJob) -> tuple[Verification, Loss]:
        del job
        loss = Loss(chunks=frozenset({0, 1, 2, 3}), files=frozenset({"v360/s00001.m4s"}))
        return Verification(NOON, 20, 0, 20, ("v360/s00001.m4s",)), loss


def verified(encode: EncodeWorld, job_id: str, *, remakes: bool) -> StepOutcome:
    crew = NothingLeft(encode.jobs)
    crew.remakes = remakes
    outcome = encode.run(PublishTitle(job_id, verify=True), encode.pipeline_with(crew))
    assert outcome
    return outcome


@pytest.mark.parametrize("interrupted", [False, True])
def test_film_whose_files_and_upload_are_gone_is_no_longer_offered(encode: EncodeWorld, interrupted: bool) -> None:
    job_id = encode.complete(encode.planned())
    if interrupted:  # the encoder was killed after it had marked the title
        encode.world.catalogue.mark_lost(encode.title_id, job_id, FILM_LOST)
    assert verified(encode, job_id, remakes=False).messages == ()
    job = encode.jobs.get_job(job_id)
    assert job.verified
    assert (job.status, job.reason, job.verified.damaged, job.verify_at) == (JobStatus.FAILED, FILM_LOST, 20, None)
    assert (encode.title.status, encode.title.failure, encode.title.watchable) == (Status.FAILED, FILM_LOST, False)
    assert encode.service.verify_due() == 0


def test_film_whose_files_are_gone_is_encoded_again_from_its_upload(encode: EncodeWorld) -> None:
    job_id = encode.complete(encode.planned())
    assert verified(encode, job_id, remakes=True).messages == (PlanEncode(job_id),)
    assert encode.jobs.get_job(job_id).status is JobStatus.ENCODING


def test_new_upload_of_a_lost_film_is_published(encode: EncodeWorld) -> None:
    verified(encode, encode.complete(encode.planned()), remakes=False)
    again = encode.upload("0x2")
    encode.run(PlanEncode(again))
    encode.complete(again)
    assert (encode.title.status, encode.title.failure, encode.title.watchable) == (Status.READY, None, True)


def test_only_a_failed_job_is_dismissed_and_a_retry_brings_it_back(encode: EncodeWorld) -> None:
    job_id = encode.planned()
    with pytest.raises(Conflict, match="is encoding; only a failed job"):
        encode.service.dismiss_job(job_id)
    encode.lifecycle.fail(encode.jobs.get_job(job_id), "Storage did not answer.")
    encode.service.dismiss_job(job_id)
    assert encode.service.list_jobs().entries == ()
    assert encode.service.is_over(job_id), "the upload is not started again"
    encode.service.retry_job(job_id)
    assert [job.job_id for job in encode.service.list_jobs().entries] == [job_id]
    with pytest.raises(NotFound):
        encode.service.dismiss_job("0123")
