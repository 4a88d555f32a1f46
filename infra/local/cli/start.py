"""`up` and `down`: start the product in the foreground or background, and stop it."""

from __future__ import annotations

import logging
import os
from typing import TYPE_CHECKING

from rich.console import Console

from infra.local.cli.running import run, run_in_background
from infra.local.cli.view import View
from infra.local.home import CannotRun, Home
from infra.local.processes.state import end_process, end_strays, read_state, take_lock

if TYPE_CHECKING:
    from infra.local.cli.product import Options

STOP_S = 90.0


def start(options: Options, *, detach: bool) -> None:
    """Start everything; return once everything is ready if detached, otherwise once it has been stopped."""
    home = Home.of()
    home.make()
    console = Console()
    lock = take_lock(home)
    if lock is None:
        _report_running(home, console)
        return
    with View(console) as view:
        if detach:
            lock.close()  # the background process takes the lock itself
            run_in_background(home, options, view)
            return
        _log_to(home)
        if os.isatty(0):
            view.say("Press Ctrl-C to stop everything. No data is lost.")
        run(home, lock, options, view)
        view.say("Notflix has stopped.")


def stop() -> None:
    """Stop everything and wait until it has stopped."""
    home, console = Home.of(), Console()
    lock = take_lock(home) if home.path.exists() else None
    state = read_state(home)
    if lock is not None or state is None:
        for label in end_strays(home):
            console.print(f"{label} was still running and has been stopped.", highlight=False)
        console.print("Notflix is not running.")
        return
    end_process(state.pid, within_s=STOP_S)
    console.print("Notflix has stopped.")


def _report_running(home: Home, console: Console) -> None:
    state = read_state(home)
    if state is None or state.phase != "ready":
        raise CannotRun("Notflix is starting or stopping right now; see `./notflix status`.")
    site = next(service.address for service in state.services if service.name == "site")
    console.print(f"Notflix is already running: [bold link={site}]{site}[/]", highlight=False)


def _log_to(home: Home) -> None:
    """Log to the supervisor's file instead of the terminal."""
    logging.basicConfig(
        filename=home.log("supervisor"), format="%(asctime)s %(levelname)s %(name)s: %(message)s", level=logging.INFO
    )
    for noisy in ("azure", "neo4j", "pymongo"):
        logging.getLogger(noisy).setLevel(logging.CRITICAL)
