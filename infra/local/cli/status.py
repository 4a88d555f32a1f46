"""`status` and `logs`: the recorded state, corrected by checking which processes still run."""

from __future__ import annotations

import json
import os
import sys
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

from infra.local.cli.showcase import read_progress
from infra.local.home import CannotRun, Home
from infra.local.processes.service import ServiceState, is_alive
from infra.local.processes.state import read_state

if TYPE_CHECKING:
    from infra.local.processes.service import ServiceStatus
    from infra.local.processes.state import State

LINES = "40"
_WORDS = {
    "degraded": "up, but some services are not",
    "failed": "stopped, because the start failed",
    "killed": "not running, because its supervisor was killed",
}


def status_of(home: Home) -> dict[str, Any]:
    """Return the product's status as {running, state, detail, site, services, demonstration}.

    `state` is "starting", "ready", "stopping", "stopped", "failed", "killed", or "degraded" if the product is running
    but one of its services is not.
    """
    state = read_state(home)
    running = state is not None and state.supervisor_runs
    site = next((service.address for service in state.services if service.name == "site"), "") if state else ""
    return {
        "running": running,
        "state": _phase(state),
        "detail": state.detail if state else "",
        "site": site if running else "",
        "services": [asdict(_as_it_is(service, supervised=running)) for service in state.services] if state else [],
        "demonstration": read_progress(home),
    }


def show_status(*, as_json: bool) -> None:
    """Print the state as a table or as JSON."""
    home = Home.of()
    report = status_of(home)
    if as_json:
        sys.stdout.write(json.dumps(report) + "\n")
        return

    from rich.console import Console
    from rich.table import Table

    console = Console()
    address = f": {report['site']}" if report["site"] else "."
    console.print(f"Notflix is {_WORDS.get(report['state'], report['state'])}{address}", highlight=False)
    if report["detail"]:
        console.print(report["detail"], highlight=False, soft_wrap=True)
    if report["running"] or any(service["pid"] for service in report["services"]):
        table = Table(box=None, pad_edge=False, header_style="dim")
        for heading in ("service", "state", "address", "process", "restarts"):
            table.add_column(heading)
        for service in report["services"]:
            row = (
                service["name"],
                service["state"],
                service["address"],
                service["pid"] or "",
                service["restarts"] or "",
            )
            table.add_row(*map(str, row))
        console.print(table)
        for service in report["services"]:
            if service["detail"]:
                console.print(service["detail"], style="yellow", highlight=False, soft_wrap=True)
    if (films := report["demonstration"]) and films["state"] != "done":
        coming = (f"{label} {share:.0%}" for label, share in films["films"].items() if share < 1)
        console.print(films["detail"] or f"Demonstration films are being added: {', '.join(coming)}", highlight=False)


def show_logs(name: str, *, follow: bool) -> None:
    """Replace this process by `tail`, which follows the log of one service, or all logs."""
    folder = Home.of().path / "logs"
    known = {path.stem: path for path in sorted(folder.glob("*.log"))}
    if name and name not in known:
        raise CannotRun(f"There is no log {name!r} in {folder}; there are: {', '.join(known) or 'none yet'}.")
    if not known:
        raise CannotRun(f"There are no logs in {folder} yet; `./notflix up` creates them.")
    files = [str(known[name])] if name else [str(path) for path in known.values()]
    sys.stdout.flush()
    os.execvp("tail", ["tail", "-n", LINES, *(["-F"] if follow else []), *files])


def _phase(state: State | None) -> str:
    if state is None:
        return "stopped"
    if not state.supervisor_runs:
        return state.phase if state.phase in ("stopped", "failed") else "killed"
    if state.phase == "ready" and any(service.state is not ServiceState.READY for service in state.services):
        return "degraded"
    return state.phase


def _as_it_is(service: ServiceStatus, *, supervised: bool) -> ServiceStatus:
    """Return the current state of the service: if its supervisor was killed, its process may be gone."""
    if supervised:
        return service
    if is_alive(service.pid, service.born):
        return replace(
            service, state=ServiceState.DOWN, detail=f"{service.label} is still running; `./notflix down` stops it."
        )
    return replace(service, state=ServiceState.STOPPED, pid=None, born=None)
