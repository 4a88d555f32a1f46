"""Telemetry that a test listens to."""

from __future__ import annotations

from collections import defaultdict
from contextlib import nullcontext
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from contextlib import AbstractContextManager
    from datetime import datetime

    from functions.telemetry import Value


@dataclass(frozen=True, slots=True)
class Whole:
    """What was told of a thing as a whole."""

    thing: str
    name: str
    began: datetime
    ended: datetime


@dataclass
class Listener:
    """Keeps what it is told."""

    figures: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    attributes: list[dict[str, Value]] = field(default_factory=list)
    wholes: list[Whole] = field(default_factory=list)

    def span(self, thing: str, name: str, **attributes: Value) -> AbstractContextManager[None]:
        del thing, name, attributes
        return nullcontext()

    def whole(self, thing: str, name: str, *, began: datetime, ended: datetime, **attributes: Value) -> None:
        del attributes
        self.wholes.append(Whole(thing, name, began, ended))

    def record(self, figure: str, value: float, **attributes: Value) -> None:
        self.figures[figure].append(value)
        self.attributes.append(attributes)
