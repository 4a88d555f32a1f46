"""What the tests of the stores of encode jobs share: many callers at once, and jobs with a given status."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from functions.encoding.model import JobStatus, Transition
from functions.platform.bulkhead import PLACES

if TYPE_CHECKING:
    from collections.abc import Callable

    from functions.encoding.model import EncodeJob
    from functions.encoding.ports import EncodeJobs

JOB = "0123456789ab"
THREADS = PLACES
"""As many callers as a process lets into a store at once: further ones would be refused if the store were slow."""


def in_parallel[R](step: Callable[[int], R]) -> list[R]:
    """Call a function in several threads at the same time, each with its number; return their results."""
    with ThreadPoolExecutor(THREADS) as pool:
        return list(pool.map(step, range(THREADS)))


def with_status(jobs: EncodeJobs, job_id: str, status: JobStatus) -> EncodeJob:
    """Bring a newly opened job into a given status."""
    way = {
        JobStatus.RECEIVING: (Transition.FAIL, Transition.RESUME),
        JobStatus.QUEUED: (),
        JobStatus.PLANNING: (Transition.START_PLANNING,),
        JobStatus.ENCODING: (Transition.START_PLANNING, Transition.FINISH_PLANNING),
        JobStatus.READY: (Transition.START_PLANNING, Transition.FINISH_PLANNING, Transition.COMPLETE),
        JobStatus.FAILED: (Transition.FAIL,),
    }
    for transition in way[status]:
        assert jobs.change_status(job_id, transition)
    return jobs.get_job(job_id)
