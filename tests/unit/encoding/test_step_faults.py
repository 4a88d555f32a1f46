"""If steps fail or their encoders are killed, the job, its title and the queues still end in the right state."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from functions.catalogue.model import Status
from functions.encoding.claims import LEASE_S
from functions.encoding.formats.iso_bmff import MalformedSegment
from functions.encoding.model import JobStatus, StepFault
from functions.encoding.outcomes import StepOutcome
from functions.encoding.steps import ATTEMPTS, DEFERRALS_S, LOST, RETRY_S, StepRequest
from functions.encoding.tracks import notes_of
from functions.platform.errors import EncodeFault, SourceRefused, StoreUnavailable
from functions.platform.messages import EncodeAudio, EncodeChunk, EncodeFront, PlanEncode, PrepareEncode, PublishTitle
from tests.support.clock import NOON
from tests.support.encoding_plans import make_audio_plan, make_job, make_plan
from tests.support.sentences import faults_of_sentence

if TYPE_CHECKING:
    from functions.encoding.outcomes import StepMessage
    from tests.support.encoding_world import EncodeWorld

AWAY = StoreUnavailable("The document store does not answer (AutoReconnect).")
STEPS = {
    "plan": "plan",
    "prepare": "prepare",
    "front": "chunk 0",
    "chunk": "chunk 1",
    "track": "track a0",
    "publish": "publish",
}


def message(step: str, job_id: str) -> StepMessage:
    """Return the message of a step."""
    messages: dict[str, StepMessage] = {
        "plan": PlanEncode(job_id),
        "prepare": PrepareEncode(job_id),
        "front": EncodeFront(job_id),
        "chunk": EncodeChunk(),
        "track": EncodeAudio(job_id, "a0"),
        "publish": PublishTitle(job_id),
    }
    return messages[step]


def ready_for(encode: EncodeWorld, step: str) -> str:
    """Return the id of a job for which a step is due; for "chunk", that is chunk 1."""
    if step == "plan":
        return encode.upload()
    if step == "prepare":
        return encode.prepared()
    job_id = encode.planned()
    if step == "chunk":
        encode.finish(job_id, 0)
    return job_id


@pytest.mark.parametrize("step", STEPS)
def test_source_that_is_refused_fails_the_job_at_the_first_attempt(encode: EncodeWorld, step: str) -> None:
    job_id = ready_for(encode, step)
    encode.crew.troubles = [SourceRefused("film.mkv is text, not a film.")]
    outcome = encode.outcome_of(message(step, job_id))
    job = encode.jobs.get_job(job_id)
    assert outcome == StepOutcome(job, ended=True)
    assert (job.status, job.reason) == (JobStatus.FAILED, "film.mkv is text, not a film.")
    assert job.ended_at
    assert (encode.title.status, encode.title.failure) == (Status.FAILED, "film.mkv is text, not a film.")
    assert not encode.claims.held_claims(since=encode.clock() - timedelta(hours=1))


@pytest.mark.parametrize("step", STEPS)
def test_fault_is_noted_and_raised_for_the_queue_to_retry(encode: EncodeWorld, step: str) -> None:
    job_id = ready_for(encode, step)
    encode.fail_step(message(step, job_id), EncodeFault("ffmpeg could not encode 4 s to 16 s."))
    job = encode.jobs.get_job(job_id)
    assert job.is_open
    (fault,) = job.faults.items()
    assert fault == (STEPS[step], StepFault("ffmpeg could not encode 4 s to 16 s.", retry_at=encode.clock()))
    progress = encode.service.progress(job.id)
    assert progress
    assert progress.fault == job.fault == "ffmpeg could not encode 4 s to 16 s."
    encode.outcome_of(message(step, job_id))
    assert encode.jobs.get_job(job_id).is_open
    assert not encode.jobs.get_job(job_id).faults, "a step that succeeded has no fault"


@pytest.mark.parametrize("step", STEPS)
def test_job_fails_with_the_last_fault_once_the_attempts_at_a_step_are_used_up(encode: EncodeWorld, step: str) -> None:
    job_id = ready_for(encode, step)
    encode.fail_step(message(step, job_id), EncodeFault("The first."), ATTEMPTS - 1)
    encode.crew.troubles = [EncodeFault("The last.")]
    outcome = encode.outcome_of(message(step, job_id))
    assert (outcome.ended, outcome.messages) == (True, ())
    assert encode.jobs.get_job(job_id).reason == "The last."
    assert encode.run(message(step, job_id)) is None
    assert encode.title.status is Status.FAILED


def test_failed_chunk_waits_while_others_are_encoded(encode: EncodeWorld) -> None:
    job_id = ready_for(encode, "chunk")
    encode.crew.troubles = [EncodeFault("Chunk 1 failed.")]
    with pytest.raises(EncodeFault):
        encode.run(EncodeChunk())
    encode.run(EncodeChunk())
    assert encode.jobs.get_job(job_id).chunks_done == {0, 2}
    encode.clock.forward(seconds=RETRY_S)
    encode.run(EncodeChunk())
    assert encode.jobs.get_job(job_id).chunks_done == {0, 1, 2}


def test_store_that_does_not_answer_is_a_passing_fault_even_if_it_cannot_be_noted(encode: EncodeWorld) -> None:
    job_id = ready_for(encode, "chunk")
    encode.fail_step(EncodeChunk(), StoreUnavailable("Storage does not answer."))
    assert encode.jobs.get_job(job_id).faults["chunk 1"].passing
    encode.jobs.away = AWAY
    with pytest.raises(StoreUnavailable):
        encode.run(EncodeChunk())
    encode.jobs.away = None
    assert encode.jobs.get_job(job_id).faults["chunk 1"].attempts == 1


@pytest.mark.parametrize(
    "error",
    [
        MalformedSegment("s00012.m4s is damaged: its moof box ends too early."),
        KeyError("summary.notes"),
        OSError(28, "No space left on device", "/tmp/notflix-work-chunk-x1/v90/s00001.m4s"),
        ValueError("<?xml version='1.0'?><Error><Code>InvalidUri</Code></Error>"),
        EncodeFault("The picture from 4 s to 16 s could not be encoded."),
        StoreUnavailable("Storage did not answer while the upload was read."),
        AWAY,
    ],
    ids=lambda error: type(error).__name__,
)
def test_fault_of_a_job_is_a_sentence_for_people(encode: EncodeWorld, error: Exception) -> None:
    job_id = encode.planned()
    encode.crew.troubles.append(error)
    with pytest.raises(type(error)):
        encode.run(EncodeFront(job_id))
    fault = encode.jobs.get_job(job_id).fault
    assert fault
    assert faults_of_sentence(fault) == []


@pytest.mark.parametrize(("track", "status"), [("a1", JobStatus.ENCODING), ("a0", JobStatus.FAILED)])
def test_giving_up_a_secondary_track_leaves_it_out_and_the_main_sound_fails_the_job(
    encode: EncodeWorld, track: str, status: JobStatus
) -> None:
    plan = make_plan(audio=(make_audio_plan(), make_audio_plan("a1", label="Deutsch")))
    encode.upload()
    encode.jobs.add_job(make_job("f" * 12, title_id=encode.title_id, plan=plan, status=JobStatus.ENCODING))
    error = EncodeFault("The sound of film.mkv could not be encoded.")
    encode.fail_step(EncodeAudio("f" * 12, track), error, ATTEMPTS - 1)
    encode.crew.troubles = [error]
    outcome = encode.outcome_of(EncodeAudio("f" * 12, track))
    job = encode.jobs.get_job("f" * 12)
    assert job.status is status
    if track == "a1":
        assert outcome.messages == (PublishTitle("f" * 12),)
        assert notes_of(job) == ("The audio track “Deutsch” is damaged and was left out.",)


def test_unexpected_error_is_noted_without_the_key_of_an_address(encode: EncodeWorld) -> None:
    job_id = encode.planned()
    encode.fail_step(EncodeFront(job_id), KeyError("https://example.org/film.mkv?sig=KEY"))
    fault = encode.jobs.get_job(job_id).faults["chunk 0"]
    assert not fault.passing
    assert "KEY" not in fault.detail


@pytest.mark.parametrize("step", STEPS)
def test_step_that_stores_made_fail_is_deferred_with_growing_delays_for_an_hour(encode: EncodeWorld, step: str) -> None:
    job_id = ready_for(encode, step)
    waiting, delays = message(step, job_id), []
    for _ in DEFERRALS_S:
        encode.fail_step(waiting, AWAY, ATTEMPTS - 1)
        encode.crew.troubles = [AWAY]
        outcome = encode.outcome_of(waiting)
        assert (outcome.ended, outcome.messages) == (False, (waiting,))
        delays.append(outcome.delay_s)
        assert encode.jobs.get_job(job_id).is_open
        if step != "chunk":
            assert encode.run(waiting) is None, "a copy of the message that arrives early does nothing"
        encode.clock.forward(seconds=outcome.delay_s)
    assert delays == sorted(set(delays))
    assert sum(delays) == timedelta(hours=1).total_seconds()
    encode.fail_step(waiting, AWAY, ATTEMPTS - 1)
    encode.crew.troubles = [AWAY]
    assert encode.outcome_of(waiting).ended
    assert encode.jobs.get_job(job_id).reason == "The document store does not answer."


def test_step_whose_kill_was_noted_by_a_host_with_a_wrong_clock_is_not_deferred_until_then(encode: EncodeWorld) -> None:
    """The clock of the host that runs the timer jumps by 36 hours, while a step is being worked on."""
    job_id = encode.planned()
    encode.encoder().take(job_id, "chunk 0")
    right = encode.clock.now
    encode.clock.forward(seconds=36 * 3600)
    encode.service.repair_jobs()
    fault = encode.jobs.get_job(job_id).faults["chunk 0"]
    assert (fault.detail, fault.retry_at) == (LOST, encode.clock.now)
    encode.clock.now = right
    encode.run(EncodeFront(job_id))
    assert 0 in encode.jobs.get_job(job_id).chunks_done


def test_request_that_was_sent_by_a_host_with_a_wrong_clock_is_repeated() -> None:
    tomorrow = NOON + timedelta(hours=36)
    assert StepRequest(tomorrow, tomorrow).is_overdue(NOON)
    assert not StepRequest(NOON, NOON).is_overdue(NOON)


def test_step_that_another_encoder_works_on_is_requested_again_once_its_claim_would_expire(encode: EncodeWorld) -> None:
    job_id = encode.planned()
    encode.encoder().take(job_id, "chunk 0")
    outcome = encode.outcome_of(EncodeFront(job_id))
    assert (outcome.messages, outcome.delay_s) == ((EncodeFront(job_id),), LEASE_S)
    assert not encode.crew.asked["chunk 0"]
    encode.run(EncodeChunk())
    assert encode.jobs.get_job(job_id).chunks_done == {1}, "messages for chunks lead to another chunk"


def test_step_of_a_killed_encoder_is_taken_over_and_counts_as_an_attempt(encode: EncodeWorld) -> None:
    job_id = encode.planned()
    encode.encoder().take(job_id, "chunk 0")
    encode.clock.forward(seconds=LEASE_S + 1)
    encode.crew.troubles = [EncodeFault("ffmpeg broke.")]
    with pytest.raises(EncodeFault):
        encode.run(EncodeFront(job_id))
    job = encode.jobs.get_job(job_id)
    assert job.fault == "ffmpeg broke."
    assert encode.jobs.calls["note_fault"] == 2


def test_film_that_kills_its_encoders_fails_in_the_end_and_says_so(encode: EncodeWorld) -> None:
    job_id = encode.planned()
    for _ in range(ATTEMPTS * (len(DEFERRALS_S) + 1)):
        encode.encoder().take(job_id, "chunk 0")
        encode.clock.forward(seconds=LEASE_S + 1)
        encode.service.repair_jobs()
        encode.clock.forward(seconds=DEFERRALS_S[-1])
    job = encode.jobs.get_job(job_id)
    assert (job.status, job.reason) == (JobStatus.FAILED, LOST)


def test_encoder_that_stops_gives_up_its_claims_without_counting_an_attempt(encode: EncodeWorld) -> None:
    job_id = encode.planned()
    stopped = encode.encoder()
    stopped.take(job_id, "chunk 0")
    stopped.release_all()
    encode.outcome_of(EncodeFront(job_id))
    job = encode.jobs.get_job(job_id)
    assert job.chunks_done == {0}
    assert job.fault is None
    assert not job.faults


@pytest.mark.parametrize("end", [JobStatus.READY, JobStatus.FAILED])
def test_message_that_comes_after_the_end_does_nothing(encode: EncodeWorld, end: JobStatus) -> None:
    job_id = encode.planned()
    job = encode.jobs.set_status(job_id, end)
    asked = Counter(encode.crew.asked)
    for step in STEPS:
        assert encode.run(message(step, job_id)) is None
        encode.steps.bury_message(message(step, job_id))
    assert (encode.jobs.get_job(job_id), encode.crew.asked) == (job, asked)
    assert encode.title.status is Status.ENCODING


def test_deferred_step_is_sent_with_its_delay_and_a_failed_job_is_reported_once(encode: EncodeWorld) -> None:
    job_id = encode.planned()
    encode.fail_step(EncodeFront(job_id), AWAY, ATTEMPTS - 1)
    encode.crew.troubles = [AWAY]
    encode.steps.run_message(EncodeFront(job_id))
    assert encode.queues.sent == [(EncodeFront(job_id), DEFERRALS_S[0])]
    job = encode.jobs.get_job(job_id)
    last = replace(job.faults["chunk 0"], attempts=ATTEMPTS * (len(DEFERRALS_S) + 1) - 1, retry_at=encode.clock())
    encode.jobs.note_fault(job_id, "chunk 0", last)
    encode.crew.troubles = [AWAY]
    for _ in range(2):
        encode.steps.run_message(EncodeFront(job_id))
    assert encode.telemetry.metrics["notflix.job.failed"] == [1]
    assert len(encode.telemetry.root_spans) == 1
