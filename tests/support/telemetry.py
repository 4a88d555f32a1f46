"""A telemetry receiver for tests."""

from __future__ import annotations

from collections import defaultdict
from contextlib import nullcontext
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from contextlib import AbstractContextManager
    from datetime import datetime

    from functions.platform.telemetry import Value


@dataclass(frozen=True, slots=True)
class RootSpan:
    """The root span of a subject."""

    subject: str
    name: str
    began: datetime
    ended: datetime


@dataclass
class Listener:
    """Stores metrics and root spans in memory."""

    metrics: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    attributes: list[dict[str, Value]] = field(default_factory=list)
    root_spans: list[RootSpan] = field(default_factory=list)

    def span(self, subject: str, name: str, **attributes: Value) -> AbstractContextManager[None]:
        del subject, name, attributes
        return nullcontext()

    def root_span(self, subject: str, name: str, *, began: datetime, ended: datetime, **attributes: Value) -> None:
        del attributes
        self.root_spans.append(RootSpan(subject, name, began, ended))

    def record(self, metric: str, value: float, **attributes: Value) -> None:
        self.metrics[metric].append(value)
        self.attributes.append(attributes)
