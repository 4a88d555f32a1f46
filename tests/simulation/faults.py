"""The faults that can happen at an effect, and the one to inject."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Fault(StrEnum):
    """What can happen at an effect; a campaign covers the first five at every effect."""

    CRASH_BEFORE = "crash before"
    CRASH_AFTER = "crash after"
    TWICE = "twice"
    LATE = "late"
    REORDERED = "reordered"
    REFUSED = "refused"
    UNANSWERED = "unanswered"


COVERED_FAULTS = (Fault.CRASH_BEFORE, Fault.CRASH_AFTER, Fault.TWICE, Fault.LATE, Fault.REORDERED)


@dataclass(frozen=True, slots=True)
class Target:
    """A fault to inject at the first occurrence of an effect."""

    effect: str
    fault: Fault

    def __str__(self) -> str:
        """Return the target in the form of the option `--fault`."""
        return f"{self.fault}@{self.effect}"

    @classmethod
    def parse(cls, text: str) -> Target:
        """Return the target of an option `--fault`."""
        fault, _, effect = text.partition("@")
        return cls(effect, Fault(fault))
