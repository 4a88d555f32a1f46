"""Runs steps of encode jobs, reports them, and sends the messages that follow from their outcomes."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from functions.platform.messages import EncodeChunk

if TYPE_CHECKING:
    from functions.encoding.job_telemetry import JobTelemetry
    from functions.encoding.outcomes import StepMessage
    from functions.encoding.pipeline import EncodePipeline
    from functions.platform.queues import Queues

log = logging.getLogger(__name__)


class StepRunner:
    """Handles the messages that an encoder receives."""

    def __init__(self, pipeline: EncodePipeline, telemetry: JobTelemetry, queues: Queues) -> None:
        self._pipeline = pipeline
        self._telemetry = telemetry
        self._queues = queues

    def run_message(self, message: StepMessage) -> None:
        """Run the step that a message requests."""
        step = self._pipeline.choose_step(message)
        if step is None:
            return
        with self._telemetry.step(step.job.id, step.kind, **step.part):
            outcome = self._pipeline.run_step(step)
            for follow_up in outcome.messages:
                self._queues.send(follow_up, delay_s=outcome.delay_s)
        self._telemetry.report(outcome)

    def bury_message(self, message: StepMessage) -> None:
        """Log a message that used up its attempts, because encoders were killed or the job store was unavailable.

        Its step is not lost: the timer that repairs jobs enqueues each due step for which no message waits. Raises
        NotFound or Malformed if there is no such step.
        """
        if isinstance(message, EncodeChunk):
            log.warning("A message for a chunk was delivered too often; the timer enqueues the chunks that are due.")
            return
        step = self._pipeline.requested_step(message)
        log.warning("A message for %s of job %s was delivered too often.", step.key, step.job.id)
