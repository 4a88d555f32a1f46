"""Waiting with a time limit."""

from __future__ import annotations

import asyncio


async def happened(event: asyncio.Event, *, within_s: float) -> bool:
    """Wait for the event; return False if the time limit passes first."""
    try:
        async with asyncio.timeout(within_s):
            await event.wait()
    except TimeoutError:
        return False
    return True
