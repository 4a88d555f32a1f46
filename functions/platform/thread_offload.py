"""Blocking work, moved to a separate thread pool.

A Functions worker runs synchronous functions on a handful of threads. A function that waits seconds for a remote
service would occupy one of them each time, and a few such calls would stall every other request. `offload` turns it
into a coroutine function whose body runs on a separate pool.
"""

from __future__ import annotations

import asyncio
import functools
from contextvars import copy_context
from typing import TYPE_CHECKING

from functions.platform.lazy import lazy

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from concurrent.futures import ThreadPoolExecutor
    from typing import Any

THREADS = 4


@lazy
def _pool() -> ThreadPoolExecutor:
    from concurrent.futures import ThreadPoolExecutor

    return ThreadPoolExecutor(THREADS, thread_name_prefix="offload")


def offload[**P, R](work: Callable[P, R]) -> Callable[P, Coroutine[Any, Any, R]]:
    """Return `work` as a coroutine function that runs on the pool, with the caller's context variables."""

    @functools.wraps(work)
    async def offloaded(*arguments: P.args, **named: P.kwargs) -> R:
        call = functools.partial(copy_context().run, work, *arguments, **named)
        return await asyncio.get_running_loop().run_in_executor(_pool(), call)

    return offloaded
