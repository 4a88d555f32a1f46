"""Work that waits for others, in threads of its own.

A Functions worker answers requests with a handful of threads. A function that waits for a distant service for seconds
would hold one of them each time; some such together hold all, and nobody is answered. So it becomes asynchronous and
does its waiting here.
"""

from __future__ import annotations

import asyncio
import functools
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from typing import TYPE_CHECKING

from functions.once import once

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from typing import Any

THREADS = 4


@once
def _threads() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(THREADS, thread_name_prefix="apart")


def apart[**P, R](work: Callable[P, R]) -> Callable[P, Coroutine[Any, Any, R]]:
    """Return `work` as a coroutine function that is carried out in a thread of its own kind."""

    @functools.wraps(work)
    async def carried_out(*arguments: P.args, **named: P.kwargs) -> R:
        call = functools.partial(copy_context().run, work, *arguments, **named)
        return await asyncio.get_running_loop().run_in_executor(_threads(), call)

    return carried_out
