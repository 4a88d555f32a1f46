"""If steps are repeated, fail or arrive too late, the job, its title and the queues still end in the right state."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from functions.catalogue.model import Status
from functions.encoding.model import JobStatus, StepFault
from functions.encoding.outcomes import StepOutcome, missing_work
from functions.encoding.pipeline import DEFERRALS_S, NO_REASON
from functions.platform.errors import EncodeFault, Malformed, NotFound, SourceRefused, StoreUnavailable
from functions.platform.messages import EncodeAudio, EncodeChunk, PlanEncode, PublishTitle
from tests.support.encoding import DoneAtOnce, EncodeWorld, make_plan

if TYPE_CHECKING:
    from functions.encoding.model import EncodeJob, EncodePlan
    from functions.encoding.outcomes import StepMessage

AWAY = StoreUnavailable("The document store does not answer (AutoReconnect).")
STEPS = ("plan", "chunk", "track", "publish")


@pytest.fixture
def encode() -> EncodeWorld:
    return EncodeWorld()


def message(step: str, job_id: str, deferrals: int = 0) -> StepMessage:
    """Return the message of a step."""
    messages: dict[str, StepMessage] = {
        "plan": PlanEncode(job_id, deferrals),
        "chunk": EncodeChunk(job_id, 0, deferrals),
        "track": EncodeAudio(job_id, "a0", deferrals),
        "publish": PublishTitle(job_id, deferrals),
    }
    return messages[step]


def ready_for(encode: EncodeWorld, step: str) -> str:
    """Return the id of a job for which a step is due."""
    return encode.upload() if step == "plan" else encode.planned()


def test_plan_leads_to_a_message_for_each_chunk_and_track_those_of_the_first_picture_first(
    encode: EncodeWorld,
) -> None:
    job_id = encode.upload()
    outcome = encode.pipeline.run_step(PlanEncode(job_id))
    chunks = [EncodeChunk(job_id, index) for index in range(4)]
    assert outcome.messages == (chunks[0], EncodeAudio(job_id, "a0"), *chunks[1:])
    job = encode.jobs.get_job(job_id)
    assert (job.status, job.plan) == (JobStatus.ENCODING, make_plan())
    assert job.planning_at
    assert job.planned_at


def test_plan_that_comes_again_plans_nothing_and_leads_to_what_is_missing(encode: EncodeWorld) -> None:
    job_id = encode.planned()
    encode.pipeline.run_step(EncodeChunk(job_id, 1))
    encode.pipeline.run_step(EncodeAudio(job_id, "a0"))
    outcome = encode.pipeline.run_step(PlanEncode(job_id))
    assert outcome.messages == tuple(EncodeChunk(job_id, index) for index in (0, 2, 3))
    assert encode.crew.asked[f"plan {job_id}"] == 1


def test_plan_whose_planner_was_killed_is_made_again(encode: EncodeWorld) -> None:
    job_id = encode.upload()
    encode.lifecycle.start_planning(encode.jobs.get_job(job_id))
    assert encode.pipeline.run_step(PlanEncode(job_id)).messages


@pytest.mark.parametrize("step", STEPS)
def test_source_that_is_refused_fails_the_job_at_the_first_attempt(encode: EncodeWorld, step: str) -> None:
    job_id = ready_for(encode, step)
    encode.crew.troubles = [SourceRefused("film.mkv is text, not a film.")]
    outcome = encode.pipeline.run_step(message(step, job_id))
    job = encode.jobs.get_job(job_id)
    assert outcome == StepOutcome(job, ended=True)
    assert (job.status, job.reason) == (JobStatus.FAILED, "film.mkv is text, not a film.")
    assert job.ended_at
    assert (encode.title.status, encode.title.failure) == (Status.FAILED, "film.mkv is text, not a film.")


@pytest.mark.parametrize("step", STEPS)
def test_fault_is_noted_and_raised_for_the_queue_to_retry(encode: EncodeWorld, step: str) -> None:
    job_id = ready_for(encode, step)
    encode.crew.troubles = [EncodeFault("ffmpeg could not encode 4 s to 16 s.")]
    with pytest.raises(EncodeFault):
        encode.pipeline.run_step(message(step, job_id))
    job = encode.jobs.get_job(job_id)
    assert job.is_open
    assert list(job.faults.values()) == [StepFault("ffmpeg could not encode 4 s to 16 s.", passing=False)]
    progress = encode.service.progress(job.id)
    assert progress
    assert progress.fault == job.fault == "ffmpeg could not encode 4 s to 16 s."
    encode.pipeline.run_step(message(step, job_id))
    assert encode.jobs.get_job(job_id).is_open


def test_store_that_does_not_answer_is_a_passing_fault_even_if_it_cannot_be_noted(encode: EncodeWorld) -> None:
    job_id = encode.planned()
    encode.crew.troubles = [StoreUnavailable("Storage does not answer.")]
    with pytest.raises(StoreUnavailable):
        encode.pipeline.run_step(EncodeChunk(job_id, 2))
    assert encode.jobs.get_job(job_id).faults == {"chunk 2": StepFault("Storage does not answer.", passing=True)}
    encode.jobs.away = AWAY
    with pytest.raises(StoreUnavailable):
        encode.pipeline.run_step(EncodeChunk(job_id, 2))


def test_unexpected_error_is_noted_without_the_key_of_an_address(encode: EncodeWorld) -> None:
    job_id = encode.planned()
    encode.crew.troubles = [KeyError("https://example.org/film.mkv?sig=KEY")]
    with pytest.raises(KeyError):
        encode.pipeline.run_step(EncodeChunk(job_id, 0))
    fault = encode.jobs.get_job(job_id).faults["chunk 0"]
    assert not fault.passing
    assert "KEY" not in fault.detail


def test_each_step_keeps_its_own_fault_while_others_fail_too(encode: EncodeWorld) -> None:
    """If no chunk of a film can be encoded, the job fails when the first chunk is given up, not an hour later."""
    job_id = encode.planned()
    for index in range(4):
        encode.crew.troubles = [EncodeFault(f"Chunk {index} failed.")]
        with pytest.raises(EncodeFault):
            encode.pipeline.run_step(EncodeChunk(job_id, index))
    assert encode.pipeline.give_up(EncodeChunk(job_id, 0)).ended
    assert encode.jobs.get_job(job_id).reason == "Chunk 0 failed."


def test_giving_up_fails_the_job_with_the_last_fault_of_that_step(encode: EncodeWorld) -> None:
    job_id = encode.planned()
    encode.crew.troubles = [EncodeFault("The first."), EncodeFault("The last.")]
    for _ in range(2):
        with pytest.raises(EncodeFault):
            encode.pipeline.run_step(EncodeChunk(job_id, 0))
    outcome = encode.pipeline.give_up(EncodeChunk(job_id, 0))
    assert (outcome.ended, outcome.messages) == (True, ())
    assert encode.jobs.get_job(job_id).reason == "The last."
    assert not encode.pipeline.give_up(EncodeChunk(job_id, 0)).ended
    assert encode.title.status is Status.FAILED


@pytest.mark.parametrize("step", STEPS)
def test_step_that_stores_made_fail_is_deferred_with_growing_delays_for_an_hour(encode: EncodeWorld, step: str) -> None:
    job_id = ready_for(encode, step)
    waiting, delays = message(step, job_id), []
    for _ in DEFERRALS_S:
        encode.crew.troubles = [AWAY]
        with pytest.raises(StoreUnavailable):
            encode.pipeline.run_step(waiting)
        outcome = encode.pipeline.give_up(waiting)
        assert not outcome.ended
        (waiting,) = outcome.messages
        delays.append(outcome.delay_s)
        assert encode.jobs.get_job(job_id).is_open
    assert delays == sorted(set(delays))
    assert sum(delays) == timedelta(hours=1).total_seconds()
    assert waiting == message(step, job_id, len(DEFERRALS_S))
    assert encode.pipeline.give_up(waiting).ended
    assert encode.jobs.get_job(job_id).reason == AWAY.detail


def test_step_whose_attempts_left_no_note_is_deferred_too(encode: EncodeWorld) -> None:
    """No fault is recorded if the job store itself was unreachable, or if the machine was suspended."""
    job_id = encode.planned()
    encode.jobs.note_fault(job_id, "chunk 1", StepFault("ffmpeg could not encode 4 s to 16 s."))
    outcome = encode.pipeline.give_up(EncodeChunk(job_id, 3))
    assert (outcome.messages, outcome.delay_s) == ((EncodeChunk(job_id, 3, deferrals=1),), DEFERRALS_S[0])
    assert encode.jobs.get_job(job_id).is_open


def test_deferring_does_not_need_the_store_of_jobs(encode: EncodeWorld) -> None:
    job_id = encode.planned()
    encode.jobs.away = AWAY
    assert encode.pipeline.give_up(EncodeChunk(job_id, 0)).messages == (EncodeChunk(job_id, 0, deferrals=1),)
    with pytest.raises(StoreUnavailable):
        encode.pipeline.give_up(EncodeChunk(job_id, 0, deferrals=len(DEFERRALS_S)))
    encode.jobs.away = None
    assert encode.jobs.get_job(job_id).is_open


def test_giving_up_without_a_fault_says_in_the_end_where_to_look(encode: EncodeWorld) -> None:
    job_id = encode.upload()
    encode.pipeline.give_up(PlanEncode(job_id, deferrals=len(DEFERRALS_S)))
    assert encode.jobs.get_job(job_id).reason == NO_REASON
    assert "the encoder's log" in NO_REASON


def test_part_that_the_plan_does_not_have_is_malformed_and_fails_no_job(encode: EncodeWorld) -> None:
    job_id = encode.planned()
    for do in (encode.pipeline.run_step, encode.pipeline.give_up):
        for wrong in (EncodeChunk(job_id, 4), EncodeAudio(job_id, "a7")):
            with pytest.raises(Malformed, match="has no"):
                do(wrong)
    job = encode.jobs.get_job(job_id)
    assert (job.is_open, job.fault) == (True, None)


def test_same_chunk_twice_is_counted_once(encode: EncodeWorld) -> None:
    job_id = encode.planned()
    for encode_s in (True, False):
        outcome = encode.pipeline.run_step(EncodeChunk(job_id, 2))
        assert outcome.messages == (PublishTitle(job_id),), "what is done may be published again"
        assert (outcome.encode_s is not None) == encode_s
    job = encode.jobs.get_job(job_id)
    assert (set(job.chunks_done), job.cpu_s) == ({2}, 2.5)


@pytest.mark.parametrize("end", [JobStatus.READY, JobStatus.FAILED])
def test_message_that_comes_after_the_end_does_nothing(encode: EncodeWorld, end: JobStatus) -> None:
    job_id = encode.planned()
    job = encode.jobs.set_status(job_id, end)
    asked = Counter(encode.crew.asked)
    for step in STEPS:
        assert encode.pipeline.run_step(message(step, job_id)) == StepOutcome(job)
        assert encode.pipeline.give_up(message(step, job_id)) == StepOutcome(job)
    assert (encode.jobs.get_job(job_id), encode.crew.asked) == (job, asked)
    assert encode.title.status is Status.ENCODING


def test_newer_upload_that_comes_while_the_older_is_planned_leaves_it_ended(encode: EncodeWorld) -> None:
    older = encode.upload("0x1")

    class Interrupted(DoneAtOnce):
        def plan(self, job: EncodeJob) -> EncodePlan:
            encode.upload("0x2")
            return super().plan(job)

    outcome = encode.pipeline_with(Interrupted(encode.jobs)).run_step(PlanEncode(older))
    job = encode.jobs.get_job(older)
    assert outcome == StepOutcome(job)
    assert (job.status, job.plan) == (JobStatus.FAILED, None)


def test_job_becomes_playable_with_its_first_picture_and_sound_and_ready_with_its_last(encode: EncodeWorld) -> None:
    job_id = encode.planned()
    encode.pipeline.run_step(EncodeAudio(job_id, "a0"))
    encode.clock.forward(seconds=5)
    encode.pipeline.run_step(EncodeChunk(job_id, 0))
    assert not encode.pipeline.run_step(PublishTitle(job_id)).ended
    job = encode.jobs.get_job(job_id)
    assert job.playable_at == encode.clock()
    encode.clock.forward(seconds=5)
    for index in (1, 2, 3):
        encode.pipeline.run_step(EncodeChunk(job_id, index))
    outcome = encode.pipeline.run_step(PublishTitle(job_id))
    ready = encode.jobs.get_job(job_id)
    assert outcome == StepOutcome(ready, ended=True)
    assert (ready.status, ready.ended_at, ready.playable_at) == (JobStatus.READY, encode.clock(), job.playable_at)
    assert encode.crew.stills == [job_id]
    assert encode.crew.discarded == [job_id]


def test_step_reads_the_job_once(encode: EncodeWorld) -> None:
    job_id = encode.planned()
    encode.pipeline.run_step(EncodeAudio(job_id, "a0"))
    for step, writes in (
        (EncodeChunk(job_id, 0), {"advance_chunk": 1, "note_published": 1, "finish_chunk": 1}),
        (EncodeChunk(job_id, 1), {"advance_chunk": 1, "note_published": 1, "finish_chunk": 1}),
        (PublishTitle(job_id), {"note_published": 1}),
    ):
        encode.jobs.calls.clear()
        encode.pipeline.run_step(step)
        assert encode.jobs.calls == {"get_job": 1, **writes}


def test_message_of_an_unknown_job_is_an_error_that_is_not_retried(encode: EncodeWorld) -> None:
    for do in (encode.pipeline.run_step, encode.pipeline.give_up):
        with pytest.raises(NotFound) as caught:
            do(PlanEncode("0123"))
        assert not caught.value.retryable


def test_missing_work_is_the_plan_then_the_parts_then_the_publication(encode: EncodeWorld) -> None:
    job_id = encode.upload()
    assert missing_work(encode.jobs.get_job(job_id)) == (PlanEncode(job_id),)
    encode.pipeline.run_step(PlanEncode(job_id))
    for index in range(4):
        encode.pipeline.run_step(EncodeChunk(job_id, index))
    assert missing_work(encode.jobs.get_job(job_id)) == (EncodeAudio(job_id, "a0"),)
    encode.pipeline.run_step(EncodeAudio(job_id, "a0"))
    assert missing_work(encode.jobs.get_job(job_id)) == (PublishTitle(job_id),)


def test_what_follows_from_a_step_is_sent_and_reported(encode: EncodeWorld) -> None:
    job_id = encode.upload()
    encode.steps.run_message(PlanEncode(job_id))
    sent = encode.queues.messages
    assert sent[:2] == [EncodeChunk(job_id, 0), EncodeAudio(job_id, "a0")]
    encode.clock.forward(seconds=3)
    for part in list(sent):
        assert isinstance(part, EncodeChunk | EncodeAudio)
        encode.steps.run_message(part)
    assert len(encode.telemetry.metrics["notflix.chunk.encode_s"]) == 4
    assert not encode.telemetry.root_spans
    encode.steps.run_message(PublishTitle(job_id))
    encode.steps.run_message(PublishTitle(job_id))
    (span,) = encode.telemetry.root_spans
    assert (span.subject, span.name, span.ended) == (f"job:{job_id}", "upload to ready", encode.clock())
    assert encode.telemetry.metrics["notflix.job.ready_s"] == [3.0]
    assert encode.telemetry.metrics["notflix.job.first_picture_s"] == [3.0]


def test_deferred_step_is_sent_with_its_delay_and_a_failed_job_is_reported_once(encode: EncodeWorld) -> None:
    job_id = encode.planned()
    encode.steps.give_up_message(EncodeChunk(job_id, 0))
    assert encode.queues.sent == [(EncodeChunk(job_id, 0, deferrals=1), DEFERRALS_S[0])]
    for _ in range(2):
        encode.steps.give_up_message(EncodeChunk(job_id, 0, deferrals=len(DEFERRALS_S)))
    assert encode.telemetry.metrics["notflix.job.failed"] == [1]
    assert len(encode.telemetry.root_spans) == 1
