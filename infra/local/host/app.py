"""The host of one app: loads the functions, starts their triggers, and stops without losing a message."""

from __future__ import annotations

import asyncio
import logging
import secrets
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from infra.local.host.blobs import POISON_QUEUE, BlobQueue, BlobWatcher, blob_trigger
from infra.local.host.config import with_settings
from infra.local.host.errors import StartupError
from infra.local.host.front import BLOBS_WEBHOOK, Front, Route
from infra.local.host.invocations import Invoker
from infra.local.host.outputs import Outputs, binding_values, check_output
from infra.local.host.protos import TypedData
from infra.local.host.queues import QueueListener, queue_handler
from infra.local.host.routes import compile_template
from infra.local.host.storage import DEFAULT_CONNECTION, Storage
from infra.local.host.storage_events import StorageEvents, events_address
from infra.local.host.timers import Timer
from infra.local.host.worker import Worker

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    from azure.storage.queue import QueueMessage

    from infra.local.host.config import HostConfig, QueueOptions
    from infra.local.host.worker import Function

log = logging.getLogger(__name__)


class Host:
    """An app and its triggers. After `start`, `front` is the ASGI application to serve at `port`."""

    front: Front

    def __init__(self, root: Path, app: str, config: HostConfig, *, port: int, lease_s: int) -> None:
        if not config.keys.blobs:  # the watcher needs a key to call the host's webhook
            config = replace(config, keys=replace(config.keys, blobs=secrets.token_urlsafe(32)))
        self._config = config
        self._webhook = f"http://127.0.0.1:{port}{BLOBS_WEBHOOK}"
        self._lease_s = lease_s
        self._worker = Worker(root, app)
        outputs = Outputs(self._storage, in_base64=config.queues.base64, enqueued=self._wake)
        self._invoker = Invoker(self._worker, outputs, timeout_s=config.function_timeout_s)
        self._storages: dict[str, Storage] = {}
        self._routes: list[Route] = []
        self._queues: list[QueueListener] = []
        self._watchers: list[BlobWatcher] = []
        self._timers: list[Timer] = []
        self._blob_queue: BlobQueue | None = None
        self._watching: set[asyncio.Task[None]] = set()
        self._listening: set[asyncio.Task[None]] = set()
        self._by_hand: set[asyncio.Future[Any]] = set()

    async def start(self) -> None:
        """Load the app and start its listeners; raise StartupError if the app uses a feature that is not supported."""
        functions = await self._worker.start()
        for function in functions:
            self._bind(function)
        for storage in self._storages.values():
            await storage.open()
        self.front = Front(
            self._config,
            self._invoker,
            self._routes,
            functions={function.name: function for function in functions},
            blob_queue=self._blob_queue,
            manual=self._start_by_hand,
        )
        self._watching = {asyncio.create_task(watcher.run()) for watcher in self._watchers}
        if address := events_address():
            handlers = {"queue": self._wake, "container": self._wake_watchers}
            events = StorageEvents(address, handlers, missed=self._wake_all)
            self._watching.add(asyncio.create_task(events.run()))
        listeners: list[QueueListener | Timer] = [*self._queues, *self._timers]
        self._listening = {asyncio.create_task(listener.run()) for listener in listeners}
        self.front.running = True
        log.info("%d functions are ready: %s.", len(functions), ", ".join(sorted(f.name for f in functions)))

    async def failed(self) -> None:
        """Wait until a listener fails, and raise its exception."""
        if not self._listening:
            await asyncio.Event().wait()
        done, _ = await asyncio.wait(self._listening | self._watching, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()

    async def stop(self, grace_s: float) -> None:
        """Accept no more work, wait for running functions up to the grace period, and release unfinished messages."""
        self.front.running = False
        for watch in self._watching:
            watch.cancel()
        await asyncio.gather(self._invoker.idle(grace_s), *(queue.stop(grace_s) for queue in self._queues))
        rest: set[asyncio.Future[Any]] = {*self._watching, *self._listening, *self._by_hand}
        for task in rest:
            task.cancel()
        await asyncio.gather(*rest, return_exceptions=True)
        for storage in self._storages.values():
            storage.close()

    def _bind(self, function: Function) -> None:
        """Start the trigger of a function."""
        for binding in function.outputs.values():
            check_output(function, binding)
            if binding["type"].lower() != "http":
                self._storage(binding.get("connection") or DEFAULT_CONNECTION)
        match function.trigger["type"].lower():
            case "httptrigger":
                self._routes.append(self._route(function))
            case "queuetrigger":
                storage = self._storage(function.trigger.get("connection") or DEFAULT_CONNECTION)
                queue, handler = with_settings(function.trigger["queueName"]), queue_handler(self._invoker, function)
                self._listen(storage, queue, handler, self._config.queues)
            case "blobtrigger":
                self._watch(function)
            case "timertrigger":
                self._timers.append(Timer(self._storage(), self._invoker, function, host_id=self._config.host_id))
            case _:
                kind = function.trigger["type"]
                raise StartupError(f"Function {function.name} has a trigger of type {kind!r}, unknown to this host.")

    def _route(self, function: Function) -> Route:
        path = (self._config.route_prefix, (function.trigger.get("route") or function.name).strip("/"))
        try:
            template = compile_template("/".join(part for part in path if part))
        except ValueError as error:
            raise StartupError(f"Function {function.name} has a wrong route: {error}.") from None
        return Route(
            template=template,
            methods=frozenset(str(method).upper() for method in function.trigger.get("methods") or ()),
            auth_level=str(function.trigger.get("authLevel") or "function").lower(),
            function=function,
        )

    def _listen(
        self,
        storage: Storage,
        queue: str,
        handler: Callable[[QueueMessage, str], Awaitable[bool]],
        options: QueueOptions,
        *,
        poison: str | None = None,
    ) -> None:
        self._queues.append(
            QueueListener(
                storage, queue, handler, options=options, lease_s=self._lease_s, enqueued=self._wake, poison=poison
            )
        )

    def _watch(self, function: Function) -> None:
        config, hosts = self._config, self._storage()
        if self._blob_queue is None:
            self._blob_queue = BlobQueue(
                hosts,
                self._invoker,
                host_id=config.host_id,
                in_base64=config.blob_queue.base64,
                enqueued=self._wake,
            )
            self._listen(hosts, self._blob_queue.name, self._blob_queue.handle, config.blob_queue, poison=POISON_QUEUE)
        trigger = blob_trigger(function, self._storage(function.trigger.get("connection") or DEFAULT_CONNECTION))
        self._blob_queue.register(trigger)
        webhook = f"{self._webhook}?code={config.keys.blobs}"
        self._watchers.append(
            BlobWatcher(
                trigger,
                self._blob_queue,
                hosts,
                host_id=config.host_id,
                webhook=webhook,
                told_of_changes=bool(events_address()) and trigger.storage is self._storage(),
            )
        )

    def _storage(self, connection: str = DEFAULT_CONNECTION) -> Storage:
        if connection not in self._storages:
            self._storages[connection] = Storage(connection)
        return self._storages[connection]

    def _wake(self, queue: str) -> None:
        """Make the listeners of a queue poll immediately, because a message was enqueued."""
        for listener in self._queues:
            if listener.queue == queue:
                listener.wake()

    def _wake_watchers(self, container: str) -> None:
        """List a container immediately, because it has changed."""
        for watcher in self._watchers:
            if watcher.container == container:
                watcher.wake()

    def _wake_all(self) -> None:
        for listener in self._queues:
            listener.wake()
        for watcher in self._watchers:
            watcher.wake()

    def _start_by_hand(self, function: Function, given: str) -> bool:
        """Start a function with this input instead of its trigger's value; return False if it has an HTTP trigger."""
        running: Awaitable[Any]
        match function.trigger["type"].lower():
            case "queuetrigger":
                values = binding_values(given) | {"queueTrigger": given}
                running = self._invoker.run(function, TypedData(string=given), values=values)
            case "timertrigger":
                running = self._invoker.run(function, TypedData(json='{"IsPastDue": false}'))
            case "blobtrigger" if self._blob_queue is not None:
                running = self._blob_queue.run_path(function, given)
            case _:
                return False
        task = asyncio.ensure_future(running)
        self._by_hand.add(task)
        task.add_done_callback(self._by_hand.discard)
        return True
