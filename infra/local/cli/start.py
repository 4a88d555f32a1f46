"""`up` and `down`: start in the foreground or the background, and stop what runs, whoever started it."""

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
    """Start everything: return when it is ready if detached, when it was stopped if not."""
    home = Home.of()
    home.make()
    console = Console()
    lock = take_lock(home)
    if lock is None:
        _say_that_it_runs(home, console)
        return
    with View(console) as view:
        if detach:
            lock.close()  # the background process takes it
            run_in_background(home, options, view)
            return
        _log_to(home)
        if os.isatty(0):
            view.say("Ctrl-C stops everything; nothing is lost.")
        run(home, lock, options, view)
        view.say("Notflix is stopped.")


def stop() -> None:
    """Stop everything and wait for it."""
    home, console = Home.of(), Console()
    lock = take_lock(home) if home.path.exists() else None
    state = read_state(home)
    if lock is not None or state is None:
        for label in end_strays(home):
            console.print(f"{label} was left behind and is stopped.", highlight=False)
        console.print("Notflix is not running.")
        return
    end_process(state.pid, within_s=STOP_S)
    console.print("Notflix is stopped.")


def _say_that_it_runs(home: Home, console: Console) -> None:
    state = read_state(home)
    if state is None or state.phase != "ready":
        raise CannotRun("Notflix is just starting or stopping; look at `./notflix status`.")
    site = next(service.address for service in state.services if service.name == "site")
    console.print(f"Notflix is already running: [bold link={site}]{site}[/]", highlight=False)


def _log_to(home: Home) -> None:
    """Write to the supervisor's log what a foreground run would otherwise print over the picture."""
    logging.basicConfig(
        filename=home.log("supervisor"), format="%(asctime)s %(levelname)s %(name)s: %(message)s", level=logging.INFO
    )
    for noisy in ("azure", "neo4j", "pymongo"):
        logging.getLogger(noisy).setLevel(logging.CRITICAL)
