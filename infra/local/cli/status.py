"""`status` and `logs`: what the supervisor wrote down, checked against the processes that really run."""

from __future__ import annotations

import json
import os
import sys
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

from infra.local.cli.showcase import read_progress
from infra.local.stores.home import CannotRun, Home
from infra.local.stores.part import PartState, is_alive
from infra.local.stores.state import read_state

if TYPE_CHECKING:
    from infra.local.stores.part import PartStatus
    from infra.local.stores.state import State

LINES = "40"
_WORDS = {
    "degraded": "up, but parts of it are not",
    "failed": "stopped, since it did not come up",
    "killed": "not running: its supervisor was killed",
}


def status_of(home: Home) -> dict[str, Any]:
    """Return {running, state, detail, site, parts, demonstration}.

    `state` is "starting", "ready", "degraded" (up, but a part is not), "stopping", "stopped", "failed" or "killed".
    """
    state = read_state(home)
    running = state is not None and state.supervisor_runs
    site = next((part.address for part in state.parts if part.name == "site"), "") if state else ""
    return {
        "running": running,
        "state": _phase(state),
        "detail": state.detail if state else "",
        "site": site if running else "",
        "parts": [asdict(_as_it_is(part, supervised=running)) for part in state.parts] if state else [],
        "demonstration": read_progress(home),
    }


def show_status(*, as_json: bool) -> None:
    """Print the state for a person or for a script."""
    home = Home.of()
    told = status_of(home)
    if as_json:
        sys.stdout.write(json.dumps(told) + "\n")
        return

    from rich.console import Console
    from rich.table import Table

    console = Console()
    address = f": {told['site']}" if told["site"] else "."
    console.print(f"Notflix is {_WORDS.get(told['state'], told['state'])}{address}", highlight=False)
    if told["detail"]:
        console.print(told["detail"], highlight=False, soft_wrap=True)
    if told["running"] or any(part["pid"] for part in told["parts"]):
        table = Table(box=None, pad_edge=False, header_style="dim")
        for heading in ("part", "state", "address", "process", "restarts"):
            table.add_column(heading)
        for part in told["parts"]:
            row = (part["name"], part["state"], part["address"], part["pid"] or "", part["restarts"] or "")
            table.add_row(*map(str, row))
        console.print(table)
        for part in told["parts"]:
            if part["detail"]:
                console.print(part["detail"], style="yellow", highlight=False, soft_wrap=True)
    if (films := told["demonstration"]) and films["state"] != "done":
        coming = (f"{label} {share:.0%}" for label, share in films["films"].items() if share < 1)
        console.print(films["detail"] or f"Demonstration films are coming in: {', '.join(coming)}", highlight=False)


def show_logs(name: str, *, follow: bool) -> None:
    """Become `tail` on the log of one part, or on all logs."""
    folder = Home.of().path / "logs"
    known = {path.stem: path for path in sorted(folder.glob("*.log"))}
    if name and name not in known:
        raise CannotRun(f"There is no log {name!r} in {folder}; there are: {', '.join(known) or 'none yet'}.")
    if not known:
        raise CannotRun(f"There are no logs in {folder} yet; they begin with `./notflix up`.")
    files = [str(known[name])] if name else [str(path) for path in known.values()]
    sys.stdout.flush()
    os.execvp("tail", ["tail", "-n", LINES, *(["-F"] if follow else []), *files])


def _phase(state: State | None) -> str:
    if state is None:
        return "stopped"
    if not state.supervisor_runs:
        return state.phase if state.phase in ("stopped", "failed") else "killed"
    if state.phase == "ready" and any(part.state is not PartState.READY for part in state.parts):
        return "degraded"
    return state.phase


def _as_it_is(part: PartStatus, *, supervised: bool) -> PartStatus:
    """Return the part as it is now: the process of one whose supervisor was killed may be gone."""
    if supervised:
        return part
    if is_alive(part.pid, part.born):
        return replace(part, state=PartState.DOWN, detail=f"{part.label} was left behind; `./notflix down` stops it.")
    return replace(part, state=PartState.STOPPED, pid=None, born=None)
