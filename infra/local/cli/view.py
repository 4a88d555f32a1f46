"""The output of `up`: a live list of services on a terminal, plain lines elsewhere."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from rich.console import Console, Group
from rich.live import Live
from rich.progress import BarColumn, Progress, TaskID, TextColumn
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from infra.local.processes.service import ServiceState, ServiceStatus

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

    from rich.console import RenderableType

_MARKS = {
    ServiceState.READY: Text("●", "green"),
    ServiceState.RESTARTING: Text("●", "yellow"),
    ServiceState.DOWN: Text("●", "red"),
    ServiceState.FAILED: Text("●", "red"),
    ServiceState.STOPPED: Text("○", "dim"),
}


class View:
    """A listener that prints; use it as a context manager. The list of services disappears when all are ready."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._began = time.monotonic()
        self._services: dict[str, ServiceStatus] = {}
        self._spinner = Spinner("dots")
        self._films = Progress(TextColumn("{task.description}"), BarColumn(), TextColumn("{task.percentage:3.0f} %"))
        self._tasks: dict[str, TaskID] = {}
        self._finished: set[str] = set()  # the last byte of an upload and the complete film are both reported as 1.0
        self._is_ready = False
        self._live = Live(console=console, get_renderable=self._drawn, transient=True, refresh_per_second=10)

    def __enter__(self) -> Self:
        if self._console.is_terminal:
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._live.stop()

    def service(self, status: ServiceStatus) -> None:
        """Show the new state of a service."""
        self._services[status.name] = status
        if self._is_ready and status.detail:
            self._console.print(status.detail, style="yellow", highlight=False, soft_wrap=True)
        elif not self._is_ready and not self._console.is_terminal and status.state is ServiceState.READY:
            self._console.print(f"{status.label} is up", highlight=False)

    def ready(self, site: str) -> None:
        """Show the address of the site."""
        self._is_ready = True
        seconds = time.monotonic() - self._began
        self._console.print(f"Notflix is ready after {seconds:.1f} s: [bold link={site}]{site}[/]", highlight=False)

    def film(self, label: str, fraction: float) -> None:
        """Show the progress of a demonstration film, and one line when it is complete.

        A label that ends in a full stop is a sentence about a film that was left out; it is shown unchanged.
        """
        if label.endswith("."):
            self.say(label)
            for name in self._tasks:
                if label.startswith(name):
                    self._finish(name)
        elif label not in self._finished:
            if label not in self._tasks:
                self._tasks[label] = self._films.add_task(label, total=1.0)
            self._films.update(self._tasks[label], completed=fraction)
            if fraction >= 1:
                self._finish(label)
                self._console.print(f"{label}: added", style="dim", highlight=False)

    def _finish(self, label: str) -> None:
        self._finished.add(label)
        self._films.update(self._tasks[label], visible=False)

    def stopping(self) -> None:
        """Show the list of services again while they stop."""
        self._is_ready = False

    def say(self, sentence: str) -> None:
        """Print a sentence."""
        self._console.print(sentence, highlight=False, soft_wrap=True)

    def _drawn(self) -> RenderableType:
        if self._is_ready:
            return self._films
        table = Table.grid(padding=(0, 1))
        for status in self._services.values():
            table.add_row(_MARKS.get(status.state, self._spinner), status.label, Text(status.state, "dim"))
        return Group(table)
