"""Publish the progress of running work, and notice when the job of this work was ended."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from functions.encoding.model import EncodeJob

    type Publish = Callable[[EncodeJob], object]

LISTING_S = 4
"""Minimum time between two publications of running work, in seconds; equal to the length of a segment."""


class JobEnded(Exception):
    """The job was ended during a step, for instance by a newer upload, so the step was stopped."""

    def __init__(self, job: EncodeJob) -> None:
        super().__init__(job.id)
        self.job = job


class Listing:
    """Publishes the progress of running work: at once the first time, then at most once per LISTING_S."""

    def __init__(self, publish: Publish) -> None:
        self._publish = publish
        self._published_at: float | None = None

    def grew(self, job: EncodeJob) -> None:
        """Publish, unless the last publication was less than LISTING_S ago."""
        now = time.monotonic()
        if self._published_at is None or now - self._published_at >= LISTING_S:
            self._published_at = now
            self._publish(job)


def still_open(job: EncodeJob) -> EncodeJob:
    """Return the job. Raises JobEnded if it is no longer open."""
    if not job.is_open:
        raise JobEnded(job)
    return job
