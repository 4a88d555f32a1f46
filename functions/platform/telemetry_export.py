"""Where telemetry goes: to Application Insights, or on one machine to a file of JSON lines."""

from __future__ import annotations

import json
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any

from opentelemetry.sdk.metrics.export import MetricExporter, MetricExportResult, PeriodicExportingMetricReader
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SimpleSpanProcessor, SpanExporter, SpanExportResult

from functions.platform.telemetry import OpenTelemetry

if TYPE_CHECKING:
    from collections.abc import Sequence

    from azure.core.credentials import TokenCredential
    from opentelemetry.sdk.metrics.export import MetricsData
    from opentelemetry.sdk.trace import ReadableSpan

METRICS_EVERY_MS = 30_000
LARGEST_FILE_BYTES = 16_000_000


def to_application_insights(service: str, connection: str, credential: TokenCredential | None) -> OpenTelemetry:
    """Return telemetry that Application Insights receives, in batches; with a credential it takes no key."""
    from azure.monitor.opentelemetry.exporter import AzureMonitorMetricExporter, AzureMonitorTraceExporter

    spans = AzureMonitorTraceExporter(connection_string=connection, credential=credential)
    metrics = AzureMonitorMetricExporter(connection_string=connection, credential=credential)
    reader = PeriodicExportingMetricReader(metrics, export_interval_millis=METRICS_EVERY_MS)
    return OpenTelemetry(service, BatchSpanProcessor(spans), reader)


def to_file(service: str, path: str) -> OpenTelemetry:
    """Return telemetry that is appended to a file, a JSON object a line; several processes may share it."""
    lines = _Lines(Path(path))
    reader = PeriodicExportingMetricReader(_FileMetrics(lines), export_interval_millis=METRICS_EVERY_MS)
    return OpenTelemetry(service, SimpleSpanProcessor(_FileSpans(lines)), reader)


class _Lines:
    """Appends lines to a file, and begins a new one when it has grown large."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = Lock()

    def append(self, objects: Sequence[dict[str, Any]]) -> None:
        text = "".join(f"{json.dumps(each, separators=(',', ':'))}\n" for each in objects)
        with self._lock:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with self._path.open("a", encoding="utf-8") as file:
                file.write(text)
                large = file.tell() > LARGEST_FILE_BYTES
            if large:
                self._path.replace(self._path.with_suffix(".1.jsonl"))


class _FileSpans(SpanExporter):
    """Writes spans."""

    def __init__(self, lines: _Lines) -> None:
        self._lines = lines

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Write each span as a line."""
        self._lines.append([_span(span) for span in spans])
        return SpanExportResult.SUCCESS


class _FileMetrics(MetricExporter):
    """Writes metrics: count, sum and largest of each, as they stand."""

    def __init__(self, lines: _Lines) -> None:
        super().__init__()
        self._lines = lines

    def export(self, metrics_data: MetricsData, timeout_millis: float = 10_000, **kwargs: Any) -> MetricExportResult:
        """Write each metric as a line."""
        del timeout_millis, kwargs
        self._lines.append(
            [
                {
                    "metric": metric.name,
                    "at_ns": point.time_unix_nano,
                    "count": getattr(point, "count", 1),
                    "sum": getattr(point, "sum", None),
                    "max": getattr(point, "max", None),
                    "attributes": dict(point.attributes or {}),
                }
                for resource in metrics_data.resource_metrics
                for scope in resource.scope_metrics
                for metric in scope.metrics
                for point in metric.data.data_points
            ]
        )
        return MetricExportResult.SUCCESS

    def force_flush(self, timeout_millis: float = 10_000) -> bool:
        """Return at once: nothing is held back."""
        del timeout_millis
        return True

    def shutdown(self, timeout_millis: float = 30_000, **kwargs: Any) -> None:
        """Do nothing: nothing is held open."""


def _span(span: ReadableSpan) -> dict[str, Any]:
    context = span.get_span_context()
    return {
        "span": span.name,
        "service": span.resource.attributes.get("service.name"),
        "trace_id": f"{context.trace_id:032x}" if context else None,
        "span_id": f"{context.span_id:016x}" if context else None,
        "parent_id": f"{span.parent.span_id:016x}" if span.parent else None,
        "began_ns": span.start_time,
        "ended_ns": span.end_time,
        "error": span.status.description,
        "attributes": dict(span.attributes or {}),
    }
