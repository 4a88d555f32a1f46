"""Exporters of telemetry: to Application Insights, or on a single machine to a file of JSON lines."""

from __future__ import annotations

import fcntl
import json
import os
from io import TextIOBase
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any, TextIO

from opentelemetry.sdk.metrics.export import ConsoleMetricExporter, PeriodicExportingMetricReader
from opentelemetry.sdk.trace.export import BatchSpanProcessor, ConsoleSpanExporter, SimpleSpanProcessor

from functions.platform.telemetry import OpenTelemetry

if TYPE_CHECKING:
    from collections.abc import Iterable

    from azure.core.credentials import TokenCredential
    from opentelemetry.sdk.metrics.export import MetricsData
    from opentelemetry.sdk.trace import ReadableSpan

METRICS_EVERY_MS = 30_000
LARGEST_FILE_BYTES = 16_000_000


def to_application_insights(service: str, connection: str, credential: TokenCredential | None) -> OpenTelemetry:
    """Return telemetry that is sent to Application Insights in batches; with a credential, no key is needed."""
    from azure.monitor.opentelemetry.exporter import AzureMonitorMetricExporter, AzureMonitorTraceExporter

    spans = AzureMonitorTraceExporter(connection_string=connection, credential=credential)
    metrics = AzureMonitorMetricExporter(connection_string=connection, credential=credential)
    reader = PeriodicExportingMetricReader(metrics, export_interval_millis=METRICS_EVERY_MS)
    return OpenTelemetry(service, BatchSpanProcessor(spans), reader)


def to_file(service: str, path: str) -> OpenTelemetry:
    """Return telemetry that is appended to a file, one JSON object per line; several processes may share the file."""
    file: Any = RotatingFile(Path(path))
    metrics = ConsoleMetricExporter(out=file, formatter=_metric_lines)
    reader = PeriodicExportingMetricReader(metrics, export_interval_millis=METRICS_EVERY_MS)
    spans = ConsoleSpanExporter(out=file, formatter=_span_line)
    return OpenTelemetry(service, SimpleSpanProcessor(spans), reader)


class RotatingFile(TextIOBase):
    """A text file that is opened for each write, and renamed to `<name>.1.jsonl` when it has become large."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self._path = path
        self._lock = Lock()

    def write(self, text: str) -> int:
        """Append complete lines."""
        if not text:
            return 0
        with self._lock:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with self._path.open("a", encoding="utf-8") as file:
                file.write(text)
                if file.tell() > LARGEST_FILE_BYTES:
                    rename_large(self._path, file)
        return len(text)


def rename_large(path: Path, file: TextIO) -> None:
    """Rename the file at `path` to `<name>.1.jsonl`, unless another process has renamed it since it was opened.

    Without this check, a process that opened the large file before it was renamed would rename the new, nearly empty
    file. That would overwrite the steps of the last hours.
    """
    fcntl.flock(file, fcntl.LOCK_EX)
    try:
        if os.path.samestat(os.fstat(file.fileno()), path.stat()):
            path.replace(path.with_suffix(".1.jsonl"))
    except FileNotFoundError:
        return  # renamed by another process, and not written since
    finally:
        fcntl.flock(file, fcntl.LOCK_UN)


def _lines(objects: Iterable[dict[str, Any]]) -> str:
    return "".join(f"{json.dumps(each, separators=(',', ':'))}\n" for each in objects)


def _metric_lines(metrics_data: MetricsData) -> str:
    """Return one line per metric, with count, sum and maximum so far."""
    return _lines(
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
    )


def _span_line(span: ReadableSpan) -> str:
    context = span.get_span_context()
    return _lines(
        [
            {
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
        ]
    )
