"""`admin rebuild-graph`: rebuild the recommendation graph of the running product, and show the progress."""

from __future__ import annotations

import json
import sys
import time
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn

from infra.local.cli.api import Api
from infra.local.home import CannotRun, Home

if TYPE_CHECKING:
    from collections.abc import Callable

ADDRESS = "/api/graph/rebuild"
ASK_EVERY_S = 0.5
SILENT_S = 300.0
"""How long to wait without any progress; the rebuild itself may continue after that."""

OVER = ("done", "failed")


def rebuild_graph(*, as_json: bool) -> None:
    """Start a rebuild and show its progress; raise CannotRun if it fails or makes no progress.

    An interrupt stops only the display, not the rebuild.
    """
    api = Api.of(Home.of())
    with Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.fields[state]}"),
        console=Console(stderr=as_json),
        transient=True,
    ) as bars:
        bar = bars.add_task("Rebuilding the graph", total=None, state="")
        state = follow(
            api,
            lambda seen: bars.update(bar, completed=_share(seen), total=100, state=_summary(seen)),
            sleep=time.sleep,
        )
    if as_json:
        sys.stdout.write(json.dumps(state) + "\n")
    if state["phase"] == "failed":
        raise CannotRun(f"The graph could not be rebuilt: {state['reason']}")
    if not as_json:
        sys.stdout.write(f"The graph is rebuilt: {_summary(state)}.\n")


def follow(api: Api, show: Callable[[dict[str, Any]], None], *, sleep: Callable[[float], None]) -> dict[str, Any]:
    """Start a rebuild, show each state of it, and return the last; raise CannotRun if it makes no progress."""
    seen: dict[str, Any] = api.post(ADDRESS, {})
    show(seen)
    waited_s = 0.0
    while seen["phase"] not in OVER:
        if waited_s >= SILENT_S:
            raise CannotRun(
                f"The rebuild made no progress for {SILENT_S:.0f} s: is the API up? `./notflix status` shows it. "
                "It continues automatically; repeat this command to watch it."
            )
        sleep(ASK_EVERY_S)
        last, seen = seen, api.get(ADDRESS)
        waited_s = 0.0 if seen != last else waited_s + ASK_EVERY_S
        show(seen)
    return seen


def _share(seen: dict[str, Any]) -> float:
    """Return the approximate progress in per cent: titles, viewers and edges count a third each."""
    titles = seen["titles"] / max(1, seen["titles"], seen["titles_in_all"])
    done: dict[str, float] = {"titles": 33 * titles, "viewers": 33.0, "steps": 67.0}
    return done.get(seen["phase"], 100.0)


def _summary(seen: dict[str, Any]) -> str:
    return f"{seen['titles']} titles, {seen['viewers']} viewers, {seen['views']} views, {seen['steps']} steps"
