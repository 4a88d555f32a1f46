"""Telemetry by OpenTelemetry: traces of what takes long, and a few figures; nothing is imported where nobody listens.

A trace belongs to a thing rather than to a request: an encode job, a playback. Its id is derived from the thing's, so
that steps in any process, days apart or repeated, fall into one trace, and no message need carry it. Names and figures
hold no person, no address and no signature.
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
    """Whoever takes spans and figures."""

    def span(self, thing: str, name: str, **attributes: Value) -> AbstractContextManager[None]:
        """Time a step of the trace of `thing`, such as "job:1a2b"; an exception in it is noted and passes on."""

    def whole(self, thing: str, name: str, *, began: datetime, ended: datetime, **attributes: Value) -> None:
        """Tell when the trace of `thing` as a whole began and ended."""

    def record(self, figure: str, value: float, **attributes: Value) -> None:
        """Record a measurement; the figure's unit stands in its name."""


class Silence:
    """Telemetry that nobody listens to."""

    def span(self, thing: str, name: str, **attributes: Value) -> AbstractContextManager[None]:
        """Do nothing."""
        del thing, name, attributes
        return nullcontext()

    def whole(self, thing: str, name: str, *, began: datetime, ended: datetime, **attributes: Value) -> None:
        """Do nothing."""

    def record(self, figure: str, value: float, **attributes: Value) -> None:
        """Do nothing."""


def trace_id_of(thing: str) -> int:
    """Return the id of the trace of a thing, 128 bits that are never 0."""
    return int.from_bytes(hashlib.sha256(thing.encode()).digest()[:16]) or 1


def root_id_of(thing: str) -> int:
    """Return the id of the span of a thing as a whole, 64 bits that are never 0."""
    return int.from_bytes(hashlib.sha256(thing.encode()).digest()[16:24]) or 1


class OpenTelemetry:
    """Telemetry by the OpenTelemetry SDK, with what receives spans and figures given."""

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
        self._figures: dict[str, Any] = {}

    @contextmanager
    def span(self, thing: str, name: str, **attributes: Value) -> Iterator[None]:
        """Time a step of the trace of `thing`; an exception in it is noted by its kind alone and passes on."""
        from opentelemetry.trace import NonRecordingSpan, Status, StatusCode, set_span_in_context

        parent = set_span_in_context(NonRecordingSpan(_root(thing)))
        span = self._tracer.start_span(name, context=parent, attributes={"notflix.thing": thing, **attributes})
        try:
            yield
        except BaseException as error:
            span.set_status(Status(StatusCode.ERROR, type(error).__name__))  # its text may hold an address
            raise
        finally:
            span.end()

    def whole(self, thing: str, name: str, *, began: datetime, ended: datetime, **attributes: Value) -> None:
        """Tell when the trace of `thing` as a whole began and ended."""
        from opentelemetry.context import Context

        with self._ids.of(thing):
            span = self._tracer.start_span(
                name,
                context=Context(),
                start_time=_ns(began),
                attributes={"notflix.thing": thing, **attributes},
            )
        span.end(_ns(ended))

    def record(self, figure: str, value: float, **attributes: Value) -> None:
        """Record a measurement."""
        if figure not in self._figures:
            self._figures[figure] = self._meter.create_histogram(figure)
        self._figures[figure].record(value, attributes)

    def close(self) -> None:
        """Send what has not been sent."""
        self._provider.shutdown()
        self._meters.shutdown()


def _root(thing: str) -> SpanContext:
    from opentelemetry.trace import SpanContext, TraceFlags

    return SpanContext(
        trace_id_of(thing), root_id_of(thing), is_remote=True, trace_flags=TraceFlags(TraceFlags.SAMPLED)
    )


def _ids() -> Any:
    """Return a maker of random ids that can be told to give those of a thing's root next."""
    from threading import local

    from opentelemetry.sdk.trace.id_generator import RandomIdGenerator

    class Ids(RandomIdGenerator):
        """Random ids, except within `of`."""

        def __init__(self) -> None:
            self._of = local()

        @contextmanager
        def of(self, thing: str) -> Iterator[None]:
            """Give the ids of the thing's root within."""
            self._of.thing = thing
            try:
                yield
            finally:
                self._of.thing = None

        def generate_trace_id(self) -> int:
            """Return the id of a new trace."""
            thing = getattr(self._of, "thing", None)
            return trace_id_of(thing) if thing else super().generate_trace_id()

        def generate_span_id(self) -> int:
            """Return the id of a new span."""
            thing = getattr(self._of, "thing", None)
            return root_id_of(thing) if thing else super().generate_span_id()

    return Ids()


def _ns(time: datetime) -> int:
    return int(time.timestamp() * 1e9)
