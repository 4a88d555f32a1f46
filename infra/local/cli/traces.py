"""`traces`: durations from the hosts' trace file: one line per encode or playback, or all steps of one of them."""

from __future__ import annotations

import json
import sys
from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Table

from infra.local.home import CannotRun, Home

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

BAR_WIDTH = 40
WIDTH = 200
"""Columns of output that is not a terminal, so that nothing is cut off."""

NEWEST = 20


@dataclass(frozen=True, slots=True)
class Step:
    """A span in the trace of a subject; times are seconds since 1970."""

    name: str
    service: str
    began_s: float
    ended_s: float
    whole: bool
    error: str
    details: str


def read_steps(path: Path) -> dict[str, list[Step]]:
    """Return the steps of each subject in order of time; a truncated line is ignored."""
    subjects: dict[str, list[Step]] = defaultdict(list)
    for file in (path.with_suffix(".1.jsonl"), path):
        if not file.exists():
            continue
        with file.open(encoding="utf-8") as lines:
            for span in _objects(lines):
                if "span" in span:
                    subjects[str(span["attributes"].get("notflix.subject", ""))].append(_step(span))
    return {
        subject: sorted(steps, key=lambda step: (step.began_s, not step.whole)) for subject, steps in subjects.items()
    }


def show_traces(subject: str) -> None:
    """Print the newest subjects and their durations, or the steps of one subject as bars."""
    subjects = read_steps(Home.of().traces_file)
    console = Console(width=None if sys.stdout.isatty() else WIDTH)
    if not subjects:
        console.print("There are no traces yet; they are written when films are encoded and watched.", highlight=False)
        return
    if not subject:
        console.print(_overview(subjects))
        return
    found = [name for name in subjects if name == subject or name.partition(":")[2] == subject]
    if not found:
        raise CannotRun(f"There is no trace of {subject!r}; `./notflix traces` lists them.")
    console.print(_bars(subjects[found[0]]))


def _overview(subjects: dict[str, list[Step]]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim")
    for heading in ("subject", "what", "began", "took", "steps", "faults"):
        table.add_column(heading)
    newest = sorted(subjects.items(), key=lambda item: item[1][-1].began_s, reverse=True)[:NEWEST]
    for name, steps in newest:
        whole = next((step for step in steps if step.whole), None)
        began = min(step.began_s for step in steps)
        took = (whole.ended_s - whole.began_s) if whole else max(step.ended_s for step in steps) - began
        table.add_row(
            name,
            whole.name if whole else "in progress",
            f"{datetime.fromtimestamp(began, UTC).astimezone():%H:%M:%S}",
            f"{took:.2f} s",
            str(sum(not step.whole for step in steps)),
            str(sum(bool(step.error) for step in steps) or ""),
        )
    return table


def _bars(steps: list[Step]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim")
    for heading in ("step", "where", "after", "took", ""):
        table.add_column(heading)
    first = min(step.began_s for step in steps)
    span_s = max(max(step.ended_s for step in steps) - first, 1e-9)
    for step in steps:
        left = round((step.began_s - first) / span_s * BAR_WIDTH)
        width = max(1, round((step.ended_s - step.began_s) / span_s * BAR_WIDTH))
        name = step.name if step.whole else f"  {step.name}"
        text = f"{name} {step.details}".rstrip() + (f" [red]{step.error}[/red]" if step.error else "")
        table.add_row(
            text,
            step.service,
            f"{step.began_s - first:.2f} s",
            f"{step.ended_s - step.began_s:.2f} s",
            " " * left + "█" * min(width, BAR_WIDTH - min(left, BAR_WIDTH - 1)),
        )
    return table


def _objects(lines: Iterable[str]) -> Iterable[dict[str, Any]]:
    for line in lines:
        try:
            yield json.loads(line)
        except ValueError:
            continue


def _step(span: dict[str, Any]) -> Step:
    details = " ".join(f"{value}" for key, value in span["attributes"].items() if key != "notflix.subject")
    return Step(
        name=span["span"],
        service=span["service"] or "",
        began_s=span["began_ns"] / 1e9,
        ended_s=span["ended_ns"] / 1e9,
        whole=span["parent_id"] is None,
        error=span["error"] or "",
        details=details,
    )
