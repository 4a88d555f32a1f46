"""Runs one invocation of a function with a time limit and log lines, and writes its outputs after success."""

from __future__ import annotations

import asyncio
import logging
import time
import uuid
from contextlib import contextmanager
from typing import TYPE_CHECKING

from azure.core.exceptions import AzureError

from infra.local.host.log import invocation
from infra.local.host.outputs import OutputError
from infra.local.host.protos import InvocationResponse, StatusResult
from infra.local.host.waiting import happened

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from infra.local.host.outputs import Outputs
    from infra.local.host.protos import TypedData
    from infra.local.host.worker import Function, Worker

log = logging.getLogger(__name__)


class Invoker:
    """Invokes functions."""

    def __init__(self, worker: Worker, outputs: Outputs, *, timeout_s: float | None) -> None:
        self._worker = worker
        self._outputs = outputs
        self._timeout_s = timeout_s
        self._running = 0
        self._idle = asyncio.Event()
        self._idle.set()

    async def idle(self, within_s: float) -> None:
        """Wait until no invocation runs, but at most `within_s` seconds."""
        await happened(self._idle, within_s=within_s)

    async def run(
        self,
        function: Function,
        argument: TypedData,
        *,
        metadata: Mapping[str, TypedData] | None = None,
        values: Mapping[str, str] | None = None,
        trace_parent: str = "",
        trace_state: str = "",
    ) -> InvocationResponse | None:
        """Invoke the function and write its outputs; log a failure and return None."""
        invocation_id = str(uuid.uuid4())
        began = time.perf_counter()
        with invocation(invocation_id, function.name), self._counted():
            try:
                async with asyncio.timeout(self._timeout_s):
                    response = await self._worker.invoke(
                        function,
                        argument,
                        invocation_id=invocation_id,
                        metadata=metadata or {},
                        trace_parent=trace_parent,
                        trace_state=trace_state,
                    )
            except TimeoutError:
                log.error("Aborted after functionTimeout (%s s).", self._timeout_s)
                return None
            except asyncio.CancelledError:
                log.warning("Aborted because the host is stopping.")
                raise
            took_ms = 1000 * (time.perf_counter() - began)
            if response.result.status != StatusResult.Success:
                failure = response.result.exception
                reason = failure.stack_trace or failure.message if failure else "no reason given"
                log.error("Failed after %.0f ms: %s", took_ms, reason.rstrip())
                return None
            try:
                await self._outputs.emit(function, response, values or {})
            except (OutputError, AzureError, UnicodeDecodeError) as error:
                log.error("Succeeded, but its output could not be written: %s", error)
                return None
            if function.trigger["type"].lower() != "httptrigger":
                log.info("Succeeded after %.0f ms.", took_ms)
            return response

    @contextmanager
    def _counted(self) -> Iterator[None]:
        self._running += 1
        self._idle.clear()
        try:
            yield
        finally:
            self._running -= 1
            if not self._running:
                self._idle.set()
