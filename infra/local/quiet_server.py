"""uvicorn without its ten wake-ups a second, which cause most of the CPU time of an idle server."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import uvicorn

if TYPE_CHECKING:
    from types import FrameType

TICK_S = 1.0
"""How often the `Date` header is updated, as in uvicorn itself."""


class QuietServer(uvicorn.Server):
    """A server that wakes once a second, and at once when it has to stop."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self._stopping = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None

    async def main_loop(self) -> None:
        """Wait until the server has to stop; `on_tick` counts tenths of a second."""
        self._loop = asyncio.get_running_loop()
        tenths = 0
        while not await self.on_tick(tenths):
            tenths += 10
            try:
                async with asyncio.timeout(TICK_S):
                    await self._stopping.wait()
            except TimeoutError:
                continue

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Stop because of a signal."""
        super().handle_exit(sig, frame)
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._stopping.set)

    def stop(self) -> None:
        """Stop; called in the thread of the event loop."""
        self.should_exit = True
        self._stopping.set()
