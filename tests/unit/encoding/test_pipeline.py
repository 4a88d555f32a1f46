"""Each step of an encode enqueues the next ones, even if it is repeated or comes too late."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from functions.catalogue.model import Status
from functions.encoding.damage import DamagedRun
from functions.encoding.model import JobStatus
from functions.encoding.outcomes import StepOutcome, missing_work
from functions.platform.errors import Malformed, NotFound, SourceRefused
from functions.platform.messages import EncodeAudio, EncodeChunk, EncodeFront, PlanEncode, PrepareEncode, PublishTitle
from tests.support.encoding_plans import make_plan
from tests.support.encoding_steps import DoneAtOnce

if TYPE_CHECKING:
    from functions.encoding.model import EncodeJob
    from functions.encoding.planning.planner import Planned
    from tests.support.encoding_world import EncodeWorld


def test_plan_leads_to_a_message_for_the_front_and_one_for_each_other_chunk(encode: EncodeWorld) -> None:
    job_id = encode.upload()
    outcome = encode.outcome_of(PlanEncode(job_id))
    assert outcome.messages == (EncodeFront(job_id), EncodeChunk(), EncodeChunk(), EncodeChunk())
    job = encode.jobs.get_job(job_id)
    assert (job.status, job.plan) == (JobStatus.ENCODING, make_plan())
    assert job.planning_at
    assert job.planned_at


def test_front_is_the_first_chunk_with_the_first_sound_and_the_rest_of_the_sound_follows(encode: EncodeWorld) -> None:
    job_id = encode.planned()
    outcome = encode.outcome_of(EncodeFront(job_id))
    assert outcome.messages == (PublishTitle(job_id), EncodeAudio(job_id, "a0"))
    job = encode.jobs.get_job(job_id)
    assert job.chunks_done == {0}
    assert job.tracks["a0"].segments == 1
    assert outcome.encode_s is not None


def test_front_that_comes_again_encodes_nothing_but_leads_to_the_sound(encode: EncodeWorld) -> None:
    """The encoder may have been killed before it sent the messages that follow."""
    job_id = encode.planned()
    first = encode.outcome_of(EncodeFront(job_id))
    again = encode.outcome_of(EncodeFront(job_id))
    assert (again.messages, again.encode_s) == (first.messages, None)
    assert encode.jobs.get_job(job_id).cpu_s == 2.5


def test_message_for_a_chunk_that_leads_to_a_front_is_sent_again(encode: EncodeWorld) -> None:
    """Otherwise one of the film's chunks would be left without a message."""
    job_id = encode.planned()
    outcome = encode.outcome_of(EncodeChunk())
    assert encode.jobs.get_job(job_id).chunks_done == {0}
    assert outcome.messages == (PublishTitle(job_id), EncodeAudio(job_id, "a0"), EncodeChunk())


def test_message_for_a_chunk_without_a_due_chunk_does_nothing(encode: EncodeWorld) -> None:
    assert encode.run(EncodeChunk()) is None
    job_id = encode.planned()
    encode.finish(job_id, 0, 1, 2, 3)
    assert encode.run(EncodeChunk()) is None


def test_plan_that_comes_again_plans_nothing_and_leads_to_what_is_missing(encode: EncodeWorld) -> None:
    job_id = encode.planned()
    encode.finish(job_id, 1)
    outcome = encode.outcome_of(PlanEncode(job_id))
    assert outcome.messages == (EncodeFront(job_id), EncodeChunk(), EncodeChunk())
    assert encode.crew.asked[f"plan {job_id}"] == 1


def test_plan_whose_planner_was_killed_is_made_again(encode: EncodeWorld) -> None:
    job_id = encode.upload()
    encode.lifecycle.start_planning(encode.jobs.get_job(job_id))
    assert encode.outcome_of(PlanEncode(job_id)).messages


def test_plan_that_takes_long_is_a_step_of_its_own(encode: EncodeWorld) -> None:
    job_id = encode.upload()
    encode.crew.large = True
    for _ in range(2):
        outcome = encode.outcome_of(PlanEncode(job_id))
        assert outcome.messages == missing_work(outcome.job) == (PrepareEncode(job_id),)
    assert (encode.jobs.get_job(job_id).status, encode.jobs.get_job(job_id).plan) == (JobStatus.PLANNING, None)
    outcome = encode.outcome_of(PrepareEncode(job_id))
    assert outcome.messages == (EncodeFront(job_id), EncodeChunk(), EncodeChunk(), EncodeChunk())
    again = encode.outcome_of(PrepareEncode(job_id))
    assert again.messages == outcome.messages
    assert encode.crew.asked[f"plan {job_id}"] == 3


def test_copy_of_a_large_upload_is_not_made_again_while_plans_wait(encode: EncodeWorld) -> None:
    job_id = encode.prepared()
    planned = encode.outcome_of(PrepareEncode(job_id))
    encode.crew.copied = False
    assert encode.outcome_of(PlanEncode(job_id)).messages == (PrepareEncode(job_id),)
    assert not encode.crew.restored
    assert encode.outcome_of(PrepareEncode(job_id)).messages == planned.messages
    assert encode.crew.restored == [job_id]


def test_retry_begins_with_a_new_attempt_at_a_quick_plan(encode: EncodeWorld) -> None:
    job_id = encode.prepared()
    encode.crew.troubles = [SourceRefused("film.mkv is damaged.")]
    assert encode.outcome_of(PrepareEncode(job_id)).ended
    encode.crew.large = False
    encode.service.retry_job(job_id)
    assert missing_work(encode.jobs.get_job(job_id)) == (PlanEncode(job_id),)
    assert encode.outcome_of(PlanEncode(job_id)).job.plan


def test_damage_that_only_all_chunks_together_exceed_fails_the_job_before_it_is_ready(encode: EncodeWorld) -> None:
    job_id = encode.planned()
    job = encode.jobs.get_job(job_id)
    assert job.plan
    # Each chunk was encoded by a process that did not know the damage of the others.
    for chunk in job.plan.chunks:
        damage = (DamagedRun(chunk.first_frame, chunk.first_frame + 6, 6),)
        codecs = {"v360": "avc1", "v234": "avc1"}
        encode.jobs.finish_chunk(job, chunk.index, codecs=codecs, cpu_s=1.0, tail=None, damage=damage)
    assert encode.outcome_of(PublishTitle(job_id)).ended
    failed = encode.service.progress(job_id)
    assert failed
    assert failed.status is JobStatus.FAILED
    assert failed.reason == (
        "film.mkv is damaged: 24 of 1000 frames (2.4 %) cannot be read "
        "(0:00, 0:04, 0:16, …). Upload the original again."
    )
    assert encode.title.status is Status.FAILED
    assert failed.damage
    assert failed.damage.pictures == 24
    encode.service.retry_job(job_id)
    encode.run(PublishTitle(job_id))
    assert encode.jobs.get_job(job_id).status is JobStatus.FAILED, "a retry does not heal the film"


def test_track_that_the_plan_does_not_have_is_malformed_and_fails_no_job(encode: EncodeWorld) -> None:
    job_id = encode.planned()
    with pytest.raises(Malformed, match="has no"):
        encode.run(EncodeAudio(job_id, "a7"))
    with pytest.raises(Malformed, match="has no"):
        encode.steps.bury_message(EncodeAudio(job_id, "a7"))
    job = encode.jobs.get_job(job_id)
    assert (job.is_open, job.fault) == (True, None)


def test_same_track_twice_is_counted_once(encode: EncodeWorld) -> None:
    job_id = encode.planned()
    for _ in range(2):
        outcome = encode.outcome_of(EncodeAudio(job_id, "a0"))
        assert outcome.messages == (PublishTitle(job_id),), "what is done may be published again"
    assert encode.jobs.get_job(job_id).tracks["a0"].segments == 11


def test_newer_upload_that_comes_while_the_older_is_planned_leaves_it_ended(encode: EncodeWorld) -> None:
    older = encode.upload("0x1")

    class Interrupted(DoneAtOnce):
        def plan(self, job: EncodeJob, *, at_once: bool = False) -> Planned | None:
            encode.upload("0x2")
            return super().plan(job, at_once=at_once)

    outcome = encode.run(PlanEncode(older), encode.pipeline_with(Interrupted(encode.jobs)))
    job = encode.jobs.get_job(older)
    assert outcome == StepOutcome(job)
    assert (job.status, job.plan) == (JobStatus.FAILED, None)


def test_job_becomes_playable_with_its_first_picture_and_sound_and_ready_with_its_last(encode: EncodeWorld) -> None:
    job_id = encode.planned()
    encode.clock.forward(seconds=5)
    encode.run(EncodeFront(job_id))
    assert not encode.outcome_of(PublishTitle(job_id)).ended
    job = encode.jobs.get_job(job_id)
    assert job.playable_at == encode.clock()
    encode.clock.forward(seconds=5)
    for _ in range(3):
        encode.run(EncodeChunk())
    encode.run(EncodeAudio(job_id, "a0"))
    outcome = encode.outcome_of(PublishTitle(job_id))
    ready = encode.jobs.get_job(job_id)
    assert outcome == StepOutcome(ready, ended=True)
    assert (ready.status, ready.ended_at, ready.playable_at) == (JobStatus.READY, encode.clock(), job.playable_at)
    assert encode.crew.stills == [job_id]
    assert encode.crew.discarded == [job_id]


def test_step_reads_the_job_once(encode: EncodeWorld) -> None:
    job_id = encode.planned()
    encode.run(EncodeAudio(job_id, "a0"))
    encoded = {"advance_chunk": 1, "note_published": 1, "finish_chunk": 1}
    for step, calls in (
        (EncodeFront(job_id), {"get_job": 1, "advance_track": 1, **encoded}),
        (EncodeChunk(), {"next_works": 2, "awaited_works": 1, "take_turn": 1, **encoded}),
        (PublishTitle(job_id), {"get_job": 1, "note_published": 1}),
    ):
        encode.jobs.calls.clear()
        encode.run(step)
        assert encode.jobs.calls == calls


def test_message_of_an_unknown_job_is_an_error_that_is_not_retried(encode: EncodeWorld) -> None:
    for do in (encode.run, encode.steps.bury_message):
        with pytest.raises(NotFound) as caught:
            do(PlanEncode("0123"))
        assert not caught.value.retryable


def test_missing_work_is_the_plan_then_the_parts_then_the_publication(encode: EncodeWorld) -> None:
    job_id = encode.upload()
    assert missing_work(encode.jobs.get_job(job_id)) == (PlanEncode(job_id),)
    encode.run(PlanEncode(job_id))
    encode.finish(job_id, 0, 1, 2, 3)
    assert missing_work(encode.jobs.get_job(job_id)) == (EncodeAudio(job_id, "a0"),)
    encode.run(EncodeAudio(job_id, "a0"))
    assert missing_work(encode.jobs.get_job(job_id)) == (PublishTitle(job_id),)


def test_what_follows_from_a_step_is_sent_and_reported(encode: EncodeWorld) -> None:
    job_id = encode.upload()
    encode.steps.run_message(PlanEncode(job_id))
    encode.clock.forward(seconds=3)
    handled = 0
    while handled < len(encode.queues.messages):
        step = encode.queues.messages[handled]
        assert isinstance(step, EncodeFront | EncodeChunk | EncodeAudio | PublishTitle)
        encode.steps.run_message(step)
        handled += 1
    assert len(encode.telemetry.metrics["notflix.chunk.encode_s"]) == 4
    (span,) = encode.telemetry.root_spans
    assert (span.subject, span.name, span.ended) == (f"job:{job_id}", "upload to ready", encode.clock())
    assert encode.telemetry.metrics["notflix.job.ready_s"] == [3.0]
    assert encode.telemetry.metrics["notflix.job.first_picture_s"] == [3.0]
