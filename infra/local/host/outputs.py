"""Output bindings: the values that a function returned or set become queue messages and blobs."""

from __future__ import annotations

import json
import re
import uuid
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from infra.local.host.config import with_settings
from infra.local.host.errors import StartupError
from infra.local.host.storage import DEFAULT_CONNECTION, encoded

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from infra.local.host.protos import InvocationResponse, TypedData
    from infra.local.host.storage import Storage
    from infra.local.host.worker import Binding, Function

EXPRESSION = re.compile(r"\{([^{}]+)\}")


class OutputError(Exception):
    """An output cannot be written; the invocation has failed."""


class Outputs:
    """Writes to queues and blobs; `enqueued` is called with the name of each queue that got a message."""

    def __init__(self, storage: Callable[[str], Storage], *, in_base64: bool, enqueued: Callable[[str], None]) -> None:
        self._storage = storage
        self._in_base64 = in_base64
        self._enqueued = enqueued

    async def emit(self, function: Function, response: InvocationResponse, values: Mapping[str, str]) -> None:
        """Write all outputs of a successful invocation; `values` replace `{name}` in queue names and paths."""
        outputs = [(output.name, output.data) for output in response.output_data]
        outputs.append(("$return", response.return_value))
        for name, data in outputs:
            binding = function.outputs.get(name)
            if binding is None or data is None or data.value is None or binding["type"].lower() == "http":
                continue
            storage = self._storage(binding.get("connection") or DEFAULT_CONNECTION)
            if binding["type"].lower() == "queue":
                await self._to_queue(storage, resolved(binding["queueName"], values), data)
            else:
                container, _, path = resolved(binding["path"], values).partition("/")
                await storage.put(container, path, data.value)

    async def _to_queue(self, storage: Storage, queue: str, data: TypedData) -> None:
        client = storage.queue(queue)
        for body in bodies(data):
            await storage.send(client, encoded(body, in_base64=self._in_base64))
            self._enqueued(queue)


def check_output(function: Function, binding: Binding) -> None:
    """Raise StartupError for an output binding that this host does not support."""
    kind = binding["type"].lower()
    if kind not in ("http", "queue", "blob"):
        raise StartupError(f"Function {function.name} has a binding of type {binding['type']!r}, unknown to this host.")
    if kind == "http" and function.trigger["type"].lower() != "httptrigger":
        raise StartupError(f"Function {function.name} answers by HTTP but is not triggered by it.")
    if kind != "http":
        with_settings(binding["queueName" if kind == "queue" else "path"])


def bodies(data: TypedData) -> Iterable[str | bytes]:
    """Return the messages of an output: one per list element; of a `func.QueueMessage`, its body."""
    if data.WhichOneof("data") != "json":
        return [data.value if isinstance(data.value, str | bytes) else str(data.value)]
    content = json.loads(data.value)
    return [_body(item) for item in (content if isinstance(content, list) else [content])]


def resolved(template: str, values: Mapping[str, str]) -> str:
    """Return a binding expression with settings and trigger values filled in; raise OutputError for an unknown name."""

    def value(match: re.Match[str]) -> str:
        name = match[1]
        if name == "rand-guid":
            return str(uuid.uuid4())
        if name == "DateTime":
            return datetime.now(UTC).strftime("%Y-%m-%dT%H-%M-%SZ")
        if name not in values:
            raise OutputError(f"The trigger has no value {name!r} for the binding {template!r}.")
        return values[name]

    return EXPRESSION.sub(value, with_settings(template))


def binding_values(body: str) -> dict[str, str]:
    """Return the values of a JSON message for binding expressions: its top-level scalars."""
    try:
        content: Any = json.loads(body)
    except ValueError:
        return {}
    if not isinstance(content, dict):
        return {}
    return {name: str(value) for name, value in content.items() if isinstance(value, str | int | float)}


def _body(item: object) -> str:
    if isinstance(item, str):
        return item
    if isinstance(item, dict) and item.keys() == {"id", "body"}:
        return str(item["body"])
    return json.dumps(item)
