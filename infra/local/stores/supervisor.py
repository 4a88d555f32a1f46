"""The supervisor: all parts started in parallel as their needs become ready, watched, and stopped in the reverse order.

Keepers tell it every change through one queue that only the supervisor's own thread reads, so the state that it writes
down and reports has one writer.
"""

from __future__ import annotations

import logging
from queue import SimpleQueue
from typing import TYPE_CHECKING

from infra.local.stores.home import CannotRun, Home
from infra.local.stores.keeper import Keeper
from infra.local.stores.part import Part, PartState, PartStatus
from infra.local.stores.ports import holder_of, is_free
from infra.local.stores.state import end_strays, write_state

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

log = logging.getLogger(__name__)


class StopRequested(Exception):
    """Someone asked to stop while the parts were still coming up; they are stopped."""


def _say_nothing(status: PartStatus) -> None:
    """Report to nobody."""


class Supervisor:
    """Keeps `parts`, which stand in the order of their needs; `report` is told every change, in the calling thread."""

    def __init__(
        self, parts: Sequence[Part], *, home: Home, report: Callable[[PartStatus], None] = _say_nothing
    ) -> None:
        self._home = home
        self._report = report
        self._changes: SimpleQueue[PartStatus | None] = SimpleQueue()
        self._keepers: dict[str, Keeper] = {}
        self._depths: dict[str, int] = {}
        for part in parts:
            needs = [self._keepers[name] for name in part.needs]
            self._keepers[part.name] = Keeper(part, home=home, needs=needs, tell=self._changes.put)
            self._depths[part.name] = 1 + max((self._depths[name] for name in part.needs), default=-1)
        self._statuses = {
            part.name: PartStatus(part.name, part.label, PartState.WAITING, address=part.address) for part in parts
        }
        self._phase = "starting"
        self._detail = ""

    def start(self) -> None:
        """Return when every part is ready; raise CannotRun or StopRequested after stopping all that was started."""
        for label in end_strays(self._home):
            log.warning("%s was left behind by a supervisor that was killed, and is stopped", label)
        try:
            self._refuse_taken_ports()
        except CannotRun as error:
            self._enter("failed", str(error))
            raise
        self._enter("starting")
        for keeper in self._keepers.values():
            keeper.start()
        while any(status.state is not PartState.READY for status in self._statuses.values()):
            change = self._changes.get()
            if change is None:
                self.stop()
                raise StopRequested
            self._note(change)
            if change.state in (PartState.FAILED, PartState.DOWN):
                self.stop(because=change.detail)
                raise CannotRun(change.detail)
        self._enter("ready")

    def watch(self) -> None:
        """Report every change until `request_stop` is called."""
        while (change := self._changes.get()) is not None:
            self._note(change)

    def request_stop(self) -> None:
        """Make `start` or `watch` come to an end; may be called from a signal handler or another thread."""
        self._changes.put(None)

    def stop(self, *, because: str = "") -> None:
        """Stop all parts, those that need others first, and wait until each has ended."""
        self._enter("stopping", because)
        for keeper in self._keepers.values():
            keeper.stop_waiting()
        for depth in sorted(set(self._depths.values()), reverse=True):
            wave = [keeper for name, keeper in self._keepers.items() if self._depths[name] == depth and keeper.ident]
            for keeper in wave:
                keeper.ask_to_stop()
            for keeper in wave:
                if not keeper.stopped():
                    log.error("%s did not stop in %.0f s and was killed", keeper.part.label, keeper.part.stop_s)
                self._note_all()
        self._enter("failed" if because else "stopped", because)

    def statuses(self) -> tuple[PartStatus, ...]:
        """Return where every part stands."""
        return tuple(self._statuses.values())

    def _refuse_taken_ports(self) -> None:
        for keeper in self._keepers.values():
            for port in keeper.part.ports:
                if not is_free(port):
                    raise CannotRun(
                        f"Port {port} is taken by {holder_of(port)}; stop it, or set NOTFLIX_PORT_BASE "
                        f"(now {self._home.ports.base}) to another number."
                    )

    def _note_all(self) -> None:
        while not self._changes.empty():
            if (change := self._changes.get()) is not None:
                self._note(change)

    def _note(self, change: PartStatus) -> None:
        self._statuses[change.name] = change
        self._write()
        self._report(change)

    def _enter(self, phase: str, detail: str = "") -> None:
        self._phase, self._detail = phase, detail
        self._write()

    def _write(self) -> None:
        write_state(self._home, self._phase, self._statuses.values(), detail=self._detail)
