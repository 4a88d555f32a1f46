"""Runs steps of encode jobs, reports them, and sends the messages that follow from their outcomes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from functions.encoding.outcomes import step_of

if TYPE_CHECKING:
    from functions.encoding.job_telemetry import JobTelemetry
    from functions.encoding.outcomes import StepMessage
    from functions.encoding.pipeline import EncodePipeline
    from functions.platform.queues import Queues


class StepRunner:
    """Handles the messages that an encoder receives."""

    def __init__(self, pipeline: EncodePipeline, telemetry: JobTelemetry, queues: Queues) -> None:
        self._pipeline = pipeline
        self._telemetry = telemetry
        self._queues = queues

    def run_message(self, message: StepMessage) -> None:
        """Run the step that a message requests."""
        name, part = step_of(message)
        with self._telemetry.step(message.job_id, name, **part):
            outcome = self._pipeline.run_step(message)
            for follow_up in outcome.messages:
                self._queues.send(follow_up, delay_s=outcome.delay_s)
        self._telemetry.report(outcome)

    def give_up_message(self, message: StepMessage) -> None:
        """Fail the job of a message that has no attempts left, or defer the message."""
        with self._telemetry.step(message.job_id, "give up"):
            outcome = self._pipeline.give_up(message)
            for follow_up in outcome.messages:
                self._queues.send(follow_up, delay_s=outcome.delay_s)
        self._telemetry.report(outcome)
