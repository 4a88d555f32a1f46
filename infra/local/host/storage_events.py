"""Wake-ups from the local storage emulator, so that the listeners of an idle host need not poll often.

The emulator (`infra/local/stores/azurite_events.cjs`) sends a line when a queue has a message or a container has a new
blob. A real storage account sends no such events; a host without the setting NOTFLIX_STORAGE_EVENTS only polls.
"""

from __future__ import annotations

import asyncio
import logging
import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

log = logging.getLogger(__name__)

SETTING = "NOTFLIX_STORAGE_EVENTS"
RECONNECT_S = 1.0


class StorageEvents:
    """The events of the storage emulator at `host:port`.

    `handlers` has one function for each kind of event, which takes the name of the queue or container. `missed` is
    called after each connection, because there may have been events before it.
    """

    def __init__(self, address: str, handlers: Mapping[str, Callable[[str], None]], missed: Callable[[], None]) -> None:
        self._host, _, port = address.rpartition(":")
        self._port = int(port)
        self._handlers = handlers
        self._missed = missed

    async def run(self) -> None:
        """Read events until cancelled; connect again whenever the emulator restarts."""
        while True:
            try:
                reader, writer = await asyncio.open_connection(self._host, self._port)
            except OSError:
                await asyncio.sleep(RECONNECT_S)
                continue
            try:
                self._missed()
                while line := await reader.readline():
                    kind, _, name = line.decode().rstrip("\n").partition(" ")
                    self._handlers[kind](name)
            except ConnectionError as error:
                log.info("The connection to the storage emulator ended: %s", error)
            finally:
                writer.close()
            await asyncio.sleep(RECONNECT_S)


def events_address() -> str:
    """Return the address of the storage emulator's events; empty if the storage account sends none."""
    return os.environ.get(SETTING, "")
