"""Telemetry with OpenTelemetry: traces of slow work, and a few metrics; without an exporter, nothing is imported.

A trace belongs to a subject, such as an encode job or a playback, rather than to a request. The trace id is derived
from the subject's id. Steps in different processes, days apart or repeated, therefore belong to one trace, and messages
need not contain the trace id. Names and attributes must not identify a person or contain an address or a signature.
"""

from __future__ import annotations

import hashlib
from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager
    from datetime import datetime

    from opentelemetry.sdk.metrics.export import MetricReader
    from opentelemetry.sdk.trace import SpanProcessor
    from opentelemetry.trace import SpanContext

type Value = str | int | float | bool


class Telemetry(Protocol):
    """A receiver of spans and metrics."""

    def span(self, subject: str, name: str, **attributes: Value) -> AbstractContextManager[None]:
        """Measure a step in the trace of `subject`, such as "job:1a2b"; an exception is recorded and re-raised."""

    def root_span(self, subject: str, name: str, *, began: datetime, ended: datetime, **attributes: Value) -> None:
        """Record the root span of `subject`: when its trace began and ended."""

    def record(self, metric: str, value: float, **attributes: Value) -> None:
        """Record a measurement; the metric's name ends with its unit."""


class NoopTelemetry:
    """Telemetry without a receiver."""

    def span(self, subject: str, name: str, **attributes: Value) -> AbstractContextManager[None]:
        """Do nothing."""
        del subject, name, attributes
        return nullcontext()

    def root_span(self, subject: str, name: str, *, began: datetime, ended: datetime, **attributes: Value) -> None:
        """Do nothing."""

    def record(self, metric: str, value: float, **attributes: Value) -> None:
        """Do nothing."""


def trace_id_of(subject: str) -> int:
    """Return the trace id of a subject: 128 bits, never 0."""
    return int.from_bytes(hashlib.sha256(subject.encode()).digest()[:16]) or 1


def root_id_of(subject: str) -> int:
    """Return the id of a subject's root span: 64 bits, never 0."""
    return int.from_bytes(hashlib.sha256(subject.encode()).digest()[16:24]) or 1


class OpenTelemetry:
    """Telemetry with the OpenTelemetry SDK, sent to a span processor and a metric reader."""

    def __init__(self, service: str, processor: SpanProcessor, reader: MetricReader) -> None:
        from opentelemetry.sdk.metrics import MeterProvider
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider

        resource = Resource.create({"service.name": service})
        self._ids = _ids()
        self._provider = TracerProvider(resource=resource, id_generator=self._ids)
        self._provider.add_span_processor(processor)
        self._tracer = self._provider.get_tracer("notflix")
        self._meters = MeterProvider(resource=resource, metric_readers=[reader])
        self._meter = self._meters.get_meter("notflix")
        self._metrics: dict[str, Any] = {}

    @contextmanager
    def span(self, subject: str, name: str, **attributes: Value) -> Iterator[None]:
        """Measure a step; only the type of an exception is recorded, because its text may contain an address."""
        from opentelemetry.trace import NonRecordingSpan, Status, StatusCode, set_span_in_context

        parent = set_span_in_context(NonRecordingSpan(_root(subject)))
        span = self._tracer.start_span(name, context=parent, attributes={"notflix.subject": subject, **attributes})
        try:
            yield
        except BaseException as error:
            span.set_status(Status(StatusCode.ERROR, type(error).__name__))
            raise
        finally:
            span.end()

    def root_span(self, subject: str, name: str, *, began: datetime, ended: datetime, **attributes: Value) -> None:
        """Record the root span of `subject`: when its trace began and ended."""
        from opentelemetry.context import Context

        with self._ids.of(subject):
            span = self._tracer.start_span(
                name,
                context=Context(),
                start_time=_ns(began),
                attributes={"notflix.subject": subject, **attributes},
            )
        span.end(_ns(ended))

    def record(self, metric: str, value: float, **attributes: Value) -> None:
        """Record a measurement; a duration between two clocks is negative if one is wrong, and then counts as 0."""
        if metric not in self._metrics:
            self._metrics[metric] = self._meter.create_histogram(metric)
        self._metrics[metric].record(max(value, 0), attributes)

    def close(self) -> None:
        """Flush and stop."""
        self._provider.shutdown()
        self._meters.shutdown()


def _root(subject: str) -> SpanContext:
    from opentelemetry.trace import SpanContext, TraceFlags

    return SpanContext(
        trace_id_of(subject), root_id_of(subject), is_remote=True, trace_flags=TraceFlags(TraceFlags.SAMPLED)
    )


def _ids() -> Any:
    """Return a generator of random ids that can be switched to the ids of a subject's root span."""
    from threading import local

    from opentelemetry.sdk.trace.id_generator import RandomIdGenerator

    class Ids(RandomIdGenerator):
        """Generates random ids; inside the context manager `of`, the ids of a subject's root span."""

        def __init__(self) -> None:
            self._of = local()

        @contextmanager
        def of(self, subject: str) -> Iterator[None]:
            """Generate the ids of the subject's root span inside the context."""
            self._of.subject = subject
            try:
                yield
            finally:
                self._of.subject = None

        def generate_trace_id(self) -> int:
            """Return the id of a new trace."""
            subject = getattr(self._of, "subject", None)
            return trace_id_of(subject) if subject else super().generate_trace_id()

        def generate_span_id(self) -> int:
            """Return the id of a new span."""
            subject = getattr(self._of, "subject", None)
            return root_id_of(subject) if subject else super().generate_span_id()

    return Ids()


def _ns(time: datetime) -> int:
    return int(time.timestamp() * 1e9)
