"""`admin republish`: write every file of the static catalogue again, and wait until it is done."""

from __future__ import annotations

import json
import sys
import time
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from infra.local.cli.api import Api
from infra.local.home import CannotRun, Home

if TYPE_CHECKING:
    from collections.abc import Callable

ADDRESS = "/api/catalogue/republish"
ASK_EVERY_S = 0.5
SILENT_S = 300.0
"""How long to wait without progress; the work may continue after that."""


def republish_catalogue(*, as_json: bool) -> None:
    """Request that the catalogue is republished, and wait for it; raise CannotRun if there is no progress."""
    api = Api.of(Home.of())
    with Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        console=Console(stderr=as_json),
        transient=True,
    ) as bars:
        bar = bars.add_task("Writing the catalogue", total=None)

        def show(written: int, total: int) -> None:
            bars.update(bar, completed=written, total=total)

        total = follow(api, show, sleep=time.sleep)
    if as_json:
        sys.stdout.write(json.dumps({"titles": total}) + "\n")
    else:
        sys.stdout.write(f"The catalogue is published again; titles: {total}.\n")


def follow(api: Api, show: Callable[[int, int], None], *, sleep: Callable[[float], None]) -> int:
    """Request the republication, show its progress, and return the number of titles; raise CannotRun if it stalls."""
    state: dict[str, Any] = api.post(ADDRESS, {})
    total = left = int(state["waiting"])
    waited_s = 0.0
    while left:
        show(total - left, total)
        if waited_s >= SILENT_S:
            raise CannotRun(
                f"No file was written for {SILENT_S:.0f} s: is the API running? `./notflix status` shows it. "
                "The rest is published once it runs; repeating this command starts over."
            )
        sleep(ASK_EVERY_S)
        last, left = left, int(api.get(ADDRESS)["waiting"])
        total = max(total, left)
        waited_s = 0.0 if left < last else waited_s + ASK_EVERY_S
    show(total, total)
    return total
