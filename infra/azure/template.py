"""The resources that the template would create for given choices, read from its text.

The parser supports only the syntax that the template uses. An unknown condition is an error, so a new condition cannot
change the plan unnoticed.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from infra.local.home import REPOSITORY

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

INFRA = REPOSITORY / "infra"
TOP = ("main.bicep", "encoder.bicep", "events.bicep", "budget.bicep")


@dataclass(frozen=True, slots=True)
class Choices:
    """The owner's choices; `memory_mb` is that of an API instance.

    `registry` says whether there is a registry for the encoder's image; by default only in the profile standard.
    """

    profile: str = "standard"
    front_door: bool = False
    registry: bool | None = None
    memory_mb: int = 2048

    @property
    def private(self) -> bool:
        """Return whether the stores have no public addresses."""
        return self.profile == "standard"

    def holds(self, condition: str) -> bool:
        """Return whether a condition of the template is true; raise KeyError for an unknown condition."""
        if not condition or condition.startswith("contains(written"):
            return True
        if condition in OF_VALUES:
            return False
        return {
            "private": self.private,
            "!empty(subnetId)": self.private,
            "empty(subnetId)": not self.private,
            "oneAlert": not self.private,
            "!oneAlert": self.private,
            "frontDoor": self.front_door,
            "withRegistry": self.private if self.registry is None else self.registry,
        }[condition]


OF_VALUES = {
    "!empty(domain)", "!empty(neo4jPassword)", "!empty(omdbApiKey)", "!empty(paypalClientSecret)", "!empty(smtpUrl)",
    "!empty(cdnTokenKey)",
    "!empty(deployerPrincipalId)", "!empty(deployerPrincipalId) && deployerPrincipalType == 'User'",
}  # fmt: skip
"""Conditions that test for optional values; the resources that depend on them cost nothing."""

_RESOURCE = re.compile(
    r"^resource \w+ '(?P<kind>[\w./]+)@[^']+'(?P<existing> existing)? = "
    r"(?:\[for (?:\w+|\(\w+, \w+\)) in (?P<loop>\w+|\[[^\]]*\]): )?(?:if \((?P<condition>.*)\) )?\{$",
    re.MULTILINE,
)
_MODULE = re.compile(r"^module \w+ '(?P<path>[\w/]+\.bicep)' = (?:if \((?P<condition>.*)\) )?\{$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Planned:
    """Resources of one type in one file of the template."""

    module: str
    kind: str
    count: int


def planned(choices: Choices | None = None, infra: Path = INFRA) -> list[Planned]:
    """Return the resources that would be created, in the order of the template."""
    choices = choices or Choices()
    counts = Counter[tuple[str, str]]()
    for name in TOP:
        for module, kind, count in _file(infra / name, choices):
            counts[module, kind] += count
    return [Planned(module, kind, count) for (module, kind), count in counts.items()]


def _file(path: Path, choices: Choices) -> Iterator[tuple[str, str, int]]:
    text = path.read_text(encoding="utf-8")
    for match in _RESOURCE.finditer(text):
        if not match["existing"] and choices.holds(match["condition"] or ""):
            yield path.stem, match["kind"], _rounds(text, match["loop"] or "")
    for match in _MODULE.finditer(text):
        if choices.holds(match["condition"] or ""):
            yield from _file(path.parent / match["path"], choices)


def _rounds(text: str, loop: str) -> int:
    """Return how many resources a loop creates; it iterates over a list, or over a variable that contains a list."""
    if not loop:
        return 1
    if loop.startswith("["):
        return loop.count(",") + 1
    found = re.search(rf"^var {loop} = \[(.*?)\]$", text, re.MULTILINE | re.DOTALL)
    if found is None:
        return {"pullers": 2, "readers": 2}[loop]  # parameters; main.bicep passes two values to each
    body = found[1]
    return len(re.findall(r"^  (?:'|\{)", body, re.MULTILINE)) or body.count(",") + 1
