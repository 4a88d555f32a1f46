"""Microsoft's worker library in this process: it loads one app and calls its functions, without triggers.

The library has module-level state, so a process can serve only one app.
"""

from __future__ import annotations

import json
import logging
import os
import sys
from dataclasses import dataclass
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import azure_functions_runtime as runtime

from infra.local.host import protos
from infra.local.host.errors import StartupError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

log = logging.getLogger(__name__)

Binding = dict[str, Any]  # one entry of `bindings` in function.json


@dataclass(frozen=True, slots=True)
class Function:
    """A function of the app, with its trigger and its output bindings by parameter name (`$return` for the result)."""

    id: str
    name: str
    trigger: Binding
    outputs: dict[str, Binding]

    @property
    def full_name(self) -> str:
        """The name of the function in receipts, schedules and webhooks of the real host."""
        return f"Host.Functions.{self.name}"


class Worker:
    """The app `<root>/<app>.py` in the worker library."""

    def __init__(self, root: Path, app: str) -> None:
        self._root = root
        self._file = f"{app}.py"

    async def start(self) -> tuple[Function, ...]:
        """Load the app and return its functions; raise StartupError if it cannot be loaded."""
        if not (self._root / self._file).is_file():
            raise StartupError(f"There is no app file {self._file} in {self._root}.")
        os.environ["PYTHON_SCRIPT_FILE_NAME"] = self._file
        sys.path.insert(0, str(self._root))  # the app's folder takes precedence over the host's current folder
        runtime.start_threadpool_executor()
        initialised: protos.WorkerInitResponse = await runtime.worker_init_request(
            _request(worker_init_request=SimpleNamespace(capabilities={}, function_app_directory=str(self._root)))
        )
        if (failure := initialised.result.exception) is not None:
            log.error("%s could not be loaded:\n%s", self._file, failure.stack_trace)
            raise StartupError(f"{self._file} could not be loaded: {failure.message}")
        if "HttpUri" in initialised.capabilities:
            raise StartupError(
                f"{self._file} uses streamed HTTP (the FastAPI extension), which this host does not support."
            )
        found: protos.FunctionMetadataResponse = await runtime.functions_metadata_request(
            _request(functions_metadata_request=SimpleNamespace())
        )
        functions = tuple(_function(metadata) for metadata in found.function_metadata_results or ())
        for function in functions:
            load = SimpleNamespace(function_id=function.id)
            await runtime.function_load_request(_request(function_load_request=load))
        return functions

    async def invoke(
        self,
        function: Function,
        argument: protos.TypedData,
        *,
        invocation_id: str,
        metadata: Mapping[str, protos.TypedData],
        trace_parent: str = "",
        trace_state: str = "",
    ) -> protos.InvocationResponse:
        """Call the function with the value of its trigger; the response contains its exception."""
        call = SimpleNamespace(
            invocation_id=invocation_id,
            function_id=function.id,
            trigger_metadata=metadata,
            input_data=[protos.ParameterBinding(name=function.trigger["name"], data=argument)],
            trace_context=SimpleNamespace(trace_parent=trace_parent, trace_state=trace_state, attributes={}),
            retry_context=SimpleNamespace(retry_count=0, max_retry_count=0, exception=None),
        )
        runtime.invocation_id_cv.set(invocation_id)  # the library itself sets the id only in its own threads
        response: protos.InvocationResponse = await runtime.invocation_request(_request(invocation_request=call))
        return response


def current_invocation() -> str | None:
    """Return the id of the invocation of the current thread or task."""
    invocation: str | None = runtime.invocation_id_cv.get()
    return invocation


def _request(**message: SimpleNamespace) -> SimpleNamespace:
    return SimpleNamespace(request=SimpleNamespace(**message), properties={"host": "127.0.0.1", "protos": protos})


def _function(metadata: protos.RpcFunctionMetadata) -> Function:
    if metadata.retry_options is not None:
        raise StartupError(f"Function {metadata.name} has a retry policy, which this host does not support.")
    bindings: list[Binding] = [json.loads(raw) for raw in metadata.raw_bindings]
    triggers = [binding for binding in bindings if binding["type"].lower().endswith("trigger")]
    if len(triggers) != 1:
        raise StartupError(f"Function {metadata.name} has {len(triggers)} triggers; it must have one.")
    outputs: dict[str, Binding] = {}
    for binding in bindings:
        if binding is triggers[0]:
            continue
        if str(binding["direction"]).lower() not in ("out", "1"):
            raise StartupError(
                f"Function {metadata.name} has an input binding {binding['type']!r}; this host supports none."
            )
        outputs[binding["name"]] = binding
    return Function(id=metadata.function_id, name=metadata.name, trigger=triggers[0], outputs=outputs)
