"""`admin rebuild-graph`: have the running product make the graph of recommendations anew, and watch it."""

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
"""A rebuild of which so long nothing new is heard is not waited for any longer; it may still go on."""

OVER = ("done", "failed")


def rebuild_graph(*, as_json: bool) -> None:
    """Begin a rebuild and follow it to its end; raise CannotRun if it fails or is not heard of any more.

    Whoever breaks this off breaks off the watching only.
    """
    api = Api.of(Home.of())
    with Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.fields[told]}"),
        console=Console(stderr=as_json),
        transient=True,
    ) as bars:
        bar = bars.add_task("Making the graph anew", total=None, told="")
        told = follow(
            api, lambda seen: bars.update(bar, completed=_share(seen), total=100, told=_told(seen)), sleep=time.sleep
        )
    if as_json:
        sys.stdout.write(json.dumps(told) + "\n")
    if told["phase"] == "failed":
        raise CannotRun(f"The graph could not be made anew: {told['reason']}")
    if not as_json:
        sys.stdout.write(f"The graph is new: {_told(told)}.\n")


def follow(api: Api, show: Callable[[dict[str, Any]], None], *, sleep: Callable[[float], None]) -> dict[str, Any]:
    """Begin a rebuild, show each state of it, and return the last; raise CannotRun if it is silent for too long."""
    seen: dict[str, Any] = api.post(ADDRESS, {})
    show(seen)
    waited_s = 0.0
    while seen["phase"] not in OVER:
        if waited_s >= SILENT_S:
            raise CannotRun(
                f"Nothing was heard of the rebuild for {SILENT_S:.0f} s: is the API up? `./notflix status` says so. "
                "It goes on by itself; this command again watches it."
            )
        sleep(ASK_EVERY_S)
        last, seen = seen, api.get(ADDRESS)
        waited_s = 0.0 if seen != last else waited_s + ASK_EVERY_S
        show(seen)
    return seen


def _share(seen: dict[str, Any]) -> float:
    """Return about how much is done, in per cent: titles and viewers take a third each, steps the last."""
    titles = seen["titles"] / max(1, seen["titles"], seen["titles_in_all"])
    done: dict[str, float] = {"titles": 33 * titles, "viewers": 33.0, "steps": 67.0}
    return done.get(seen["phase"], 100.0)


def _told(seen: dict[str, Any]) -> str:
    return f"{seen['titles']} titles, {seen['viewers']} viewers, {seen['views']} views, {seen['steps']} steps"
