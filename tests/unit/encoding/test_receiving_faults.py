"""Failures while an upload is received do not count as attempts to plan it once it is whole."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from functions.encoding.claims import LEASE_S
from functions.encoding.model import JobStatus
from functions.encoding.steps import ATTEMPTS, DEFERRALS_S, PREPARE
from functions.platform.errors import EncodeFault, StoreUnavailable
from functions.platform.messages import PlanEncode, PrepareEncode

if TYPE_CHECKING:
    from collections.abc import Callable

    from functions.encoding.model import EncodeJob
    from tests.support.encoding_world import EncodeWorld

DAMAGED = EncodeFault("A copied part came out wrong.")
AWAY = StoreUnavailable("Storage does not answer.")
UNREADABLE = EncodeFault("The source could not be read.")


class FailingReceiver:
    """Raises an error whenever it is to receive an upload, after calling `during`."""

    def __init__(self, error: BaseException) -> None:
        self.error = error
        self.during: Callable[[], object] = lambda: None

    def receive(self, job: EncodeJob, *, proceed: Callable[[], None]) -> EncodeJob:
        del job, proceed
        self.during()
        raise self.error


@pytest.fixture
def receiving(encode: EncodeWorld) -> str:
    """Return the id of a job whose upload is running."""
    return encode.commit("0x1", blob="film.mkv", size=1000, front=400, stored=400)


def fail_to_receive(encode: EncodeWorld, job_id: str, error: Exception, *, times: int) -> FailingReceiver:
    receiver = FailingReceiver(error)
    setattr(encode.pipeline, "_receiver", receiver)  # noqa: B010 - the pipeline takes the real one only
    for _ in range(times):
        with pytest.raises(type(error)):
            encode.run(PrepareEncode(job_id))
        encode.clock.forward(seconds=5)
    return receiver


def finish_upload(encode: EncodeWorld, job_id: str) -> EncodeJob:
    """Commit the whole upload; its plan is found to take long."""
    encode.commit("0x2", blob="film.mkv", size=1000, front=None, stored=1000)
    job = encode.jobs.get_job(job_id)
    encode.crew.large = True
    encode.run(PlanEncode(job_id))
    encode.crew.large = False
    return job


def test_the_first_failed_plan_is_not_the_last_attempt(encode: EncodeWorld, receiving: str) -> None:
    fail_to_receive(encode, receiving, DAMAGED, times=ATTEMPTS - 1)
    assert encode.jobs.get_job(receiving).fault == DAMAGED.detail
    assert finish_upload(encode, receiving).fault is None, "nothing is wrong with the film"
    encode.fail_step(PrepareEncode(receiving), UNREADABLE, times=ATTEMPTS - 1)
    assert encode.jobs.get_job(receiving).status is JobStatus.PLANNING
    encode.crew.troubles = [UNREADABLE]
    encode.run(PrepareEncode(receiving))
    assert encode.jobs.get_job(receiving).status is JobStatus.FAILED


def test_the_plan_does_not_wait_because_storage_was_away_while_the_upload_ran(
    encode: EncodeWorld, receiving: str
) -> None:
    fail_to_receive(encode, receiving, AWAY, times=ATTEMPTS - 1)
    outcome = encode.outcome_of(PrepareEncode(receiving))
    assert outcome.delay_s == DEFERRALS_S[0]
    assert encode.run(PrepareEncode(receiving)) is None, "it waits"
    finish_upload(encode, receiving)
    encode.outcome_of(PrepareEncode(receiving))
    assert encode.jobs.get_job(receiving).plan


def test_an_attempt_that_fails_after_the_upload_became_whole_does_not_count_either(
    encode: EncodeWorld, receiving: str
) -> None:
    receiver = fail_to_receive(encode, receiving, DAMAGED, times=ATTEMPTS - 2)
    receiver.during = lambda: finish_upload(encode, receiving)
    with pytest.raises(EncodeFault):
        encode.run(PrepareEncode(receiving))
    assert PREPARE not in encode.jobs.get_job(receiving).faults


def test_receivers_that_are_killed_leave_all_attempts_to_the_plan(encode: EncodeWorld, receiving: str) -> None:
    attempts = ATTEMPTS * (len(DEFERRALS_S) + 1)
    for _ in range(attempts):
        encode.encoder().take(receiving, PREPARE)
        encode.clock.forward(seconds=LEASE_S + 1)
        encode.service.repair_jobs()
    job = encode.jobs.get_job(receiving)
    assert job.reception
    assert job.reception.waits_because
    assert dict(job.faults) == {}
    finish_upload(encode, receiving)
    killed: list[Any] = []
    for _ in range(attempts - 1):
        encode.encoder().take(receiving, PREPARE)
        encode.clock.forward(seconds=LEASE_S + 1)
        encode.service.repair_jobs()
        killed.append(encode.jobs.get_job(receiving).status)
    assert set(killed) == {JobStatus.PLANNING}
