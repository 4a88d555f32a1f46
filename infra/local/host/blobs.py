"""Blob triggers: an internal queue delivers new blobs to their function, with retries and a poison queue.

A blob reaches the queue in one of two ways, depending on the `source` of the function:

- scanning (the default): the container is listed every 10 s;
- `func.BlobSource.EVENT_GRID`: Event Grid posts to `/runtime/webhooks/blobs`. Azurite sends no such events, so a
  watcher lists the container and posts the event that Event Grid would send to this host's webhook.

A watcher lists the container as soon as the local emulator says that it has changed (`storage_events.py`), and once a
minute. Without that emulator, it lists the container twice a second for an event trigger.

A receipt for (host, function, etag, container, blob) is written when the blob is enqueued or its event is accepted,
not when the function succeeds. So a poisoned blob is not processed again after a restart.

A parameter typed `func.InputStream` (or bytes, str) gets the whole content in memory. A parameter of an SDK type (a
subclass of `azurefunctions.extensions.base.SdkType` with its converter) gets only a reference, as in Azure: the host
sends `{"Connection", "ContainerName", "BlobName"}` and the trigger metadata `BlobTrigger`, `Uri`, `Properties` and
`Metadata`. The content of a film never passes through the host.
"""

from __future__ import annotations

import asyncio
import json
import logging
import re
import time
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import requests
from azure.core import MatchConditions
from azure.core.exceptions import AzureError, ResourceModifiedError, ResourceNotFoundError

from infra.local.host.config import with_settings
from infra.local.host.protos import ModelBindingData, TypedData
from infra.local.host.storage import DEFAULT_CONNECTION, HOSTS_CONTAINER, encoded
from infra.local.host.waiting import happened

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from azure.storage.blob import BlobProperties
    from azure.storage.queue import QueueMessage

    from infra.local.host.invocations import Invoker
    from infra.local.host.storage import Storage
    from infra.local.host.worker import Function

log = logging.getLogger(__name__)

SCAN_S, WATCH_S = 10.0, 0.5
RELIST_S = 60.0  # in case an event of the emulator was lost
IDLE_SHARE = 5  # the pause after a listing is at least five times its duration, without the time spent on reporting
POISON_QUEUE = "webjobs-blobtrigger-poison"
SUBJECT = re.compile(r"/blobServices/default/containers/([^/]+)/blobs/(.+)", re.DOTALL)
EXPRESSION = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True, slots=True)
class BlobTrigger:
    """A function, its container, and the pattern of its blob names."""

    function: Function
    storage: Storage
    container: str
    pattern: re.Pattern[str]
    by_event: bool

    @property
    def by_reference(self) -> bool:
        """Whether the parameter has an SDK type, which takes a reference instead of the content."""
        properties = self.function.trigger.get("properties", {})
        return str(properties.get("SupportsDeferredBinding", "")).lower() == "true"


def blob_trigger(function: Function, storage: Storage) -> BlobTrigger:
    """Return the blob trigger of a function; its path is `container/pattern`, in which `{name}` matches any string."""
    container, _, pattern = with_settings(function.trigger["path"]).partition("/")
    return BlobTrigger(
        function=function,
        storage=storage,
        container=container,
        pattern=path_pattern(pattern or "{name}"),
        by_event=function.trigger.get("source") == "EventGrid",
    )


def path_pattern(template: str) -> re.Pattern[str]:
    """Return the regular expression of a blob name template; each `{name}` becomes a group."""
    parts = EXPRESSION.split(template)
    return re.compile(
        "".join(f"(?P<{part}>.+)" if i % 2 else re.escape(part) for i, part in enumerate(parts)), re.DOTALL
    )


class BlobQueue:
    """The internal queue between blobs and functions."""

    def __init__(
        self, storage: Storage, invoker: Invoker, *, host_id: str, in_base64: bool, enqueued: Callable[[str], None]
    ) -> None:
        self.name = f"azure-webjobs-blobtrigger-{host_id}"
        self._storage = storage
        self._client = storage.queue(self.name)
        self._invoker = invoker
        self._in_base64 = in_base64
        self._enqueued = enqueued
        self._triggers: dict[str, BlobTrigger] = {}

    def register(self, trigger: BlobTrigger) -> None:
        """Register a trigger."""
        self._triggers[trigger.function.full_name] = trigger

    def trigger(self, full_name: str) -> BlobTrigger | None:
        """Return the trigger of the function that webhook addresses refer to by this name."""
        return self._triggers.get(full_name)

    async def enqueue(self, trigger: BlobTrigger, name: str, etag: str) -> None:
        """Queue the blob for its function."""
        message = {
            "Type": "BlobTrigger",
            "FunctionId": trigger.function.full_name,
            "BlobType": "BlockBlob",
            "ContainerName": trigger.container,
            "BlobName": name,
            "ETag": f'"{etag}"',
        }
        await self._storage.send(self._client, encoded(json.dumps(message), in_base64=self._in_base64))
        self._enqueued(self.name)

    async def handle(self, _message: QueueMessage, text: str) -> bool:
        """Run the function for a queued blob; return True if the message can be deleted.

        A blob that was found by scanning and has changed since is skipped: its new version has its own message. For a
        blob that was reported by an event, the function gets the current version, as in the real host.
        """
        content = json.loads(text)
        trigger, name = self._triggers.get(content["FunctionId"]), content["BlobName"]
        if trigger is None:
            log.warning("The blob %s is for %s, which is not in this app.", name, content["FunctionId"])
            return True
        return await self._run(trigger, name, etag=None if trigger.by_event else content["ETag"].strip('"'))

    async def run_path(self, function: Function, path: str) -> bool:
        """Run the function for the current version of the blob at `container/name`."""
        trigger = self._triggers[function.full_name]
        return await self._run(trigger, path.removeprefix(f"{trigger.container}/"), etag=None)

    async def _run(self, trigger: BlobTrigger, name: str, *, etag: str | None) -> bool:
        """Run the function unless the blob was deleted or no longer has the etag."""
        blob = trigger.storage.blob(trigger.container, name)
        try:
            properties = await trigger.storage.call(blob.get_blob_properties)
            if etag is not None and properties.etag.strip('"') != etag:
                raise ResourceModifiedError
            if trigger.by_reference:
                argument = _reference(trigger, name)
            else:
                download = await trigger.storage.call(
                    blob.download_blob, etag=properties.etag, match_condition=MatchConditions.IfNotModified
                )
                argument = TypedData(bytes=await trigger.storage.call(download.readall))
        except (ResourceNotFoundError, ResourceModifiedError):
            log.info("The blob %s/%s was deleted or changed before it was processed.", trigger.container, name)
            return True
        path = f"{trigger.container}/{name}"
        match = trigger.pattern.fullmatch(name)
        values = match.groupdict() if match else {}
        metadata = {
            "BlobTrigger": TypedData(string=path),
            "Uri": TypedData(json=json.dumps(blob.url)),
            "Properties": TypedData(json=json.dumps(_properties(properties))),
            "Metadata": TypedData(json=json.dumps(properties.metadata)),
        } | {key: TypedData(string=value) for key, value in values.items()}
        values |= {"blobTrigger": path}
        return await self._invoker.run(trigger.function, argument, metadata=metadata, values=values) is not None

    async def take_events(self, trigger: BlobTrigger, events: list[dict[str, Any]]) -> None:
        """Enqueue the blobs of Event Grid's BlobCreated events; ignore other events."""
        for event in events:
            subject = SUBJECT.fullmatch(str(event.get("subject", "")))
            if event.get("eventType") != "Microsoft.Storage.BlobCreated" or subject is None:
                log.info("An event %s was ignored.", event.get("eventType"))
            elif subject[1] == trigger.container and trigger.pattern.fullmatch(subject[2]):
                await self.enqueue(trigger, subject[2], str(event["data"]["eTag"]).strip('"'))


class BlobWatcher:
    """Lists the container of a trigger repeatedly, and reports every blob version once, across restarts."""

    def __init__(
        self,
        trigger: BlobTrigger,
        queue: BlobQueue,
        hosts: Storage,
        *,
        host_id: str,
        webhook: str,
        told_of_changes: bool = False,
    ) -> None:
        self.container = trigger.container
        self._trigger = trigger
        self._told_of_changes = told_of_changes
        self._changed = asyncio.Event()
        self._queue = queue
        self._hosts = hosts
        self._receipts = f"blobreceipts/{host_id}/{trigger.function.full_name}"
        self._webhook = webhook
        self._reported: dict[str, str] = {}  # blob name -> etag of the version that was reported
        self._listing_s = 0.0  # how long the last listing took, without the time spent on reporting

    def wake(self) -> None:
        """List the container now, because it has changed."""
        self._changed.set()

    async def run(self) -> None:
        """Watch until cancelled, also while storage is away; create the container if it is missing."""
        container = self._trigger.storage.container(self._trigger.container)
        is_missing = True  # perhaps
        pause_s = WATCH_S if self._trigger.by_event else SCAN_S
        while True:
            self._listing_s = 0.0
            self._changed.clear()
            try:
                if is_missing:
                    await self._trigger.storage.ensure(container.create_container)
                    is_missing = False
                await self._list()
            except (AzureError, requests.RequestException) as error:
                is_missing |= isinstance(error, ResourceNotFoundError)
                log.error("The container %s cannot be watched: %s", self._trigger.container, error)
            await asyncio.sleep(max(pause_s, IDLE_SHARE * self._listing_s))
            if self._told_of_changes:
                await happened(self._changed, within_s=RELIST_S)

    async def _list(self) -> None:
        """List the container page by page; only names and etags are kept in memory."""
        storage = self._trigger.storage
        pages = storage.container(self._trigger.container).list_blobs().by_page()
        seen: dict[str, str] = {}
        while (blobs := await self._next_page(pages)) is not None:
            for blob in blobs:
                if self._trigger.pattern.fullmatch(blob.name):
                    etag = seen[blob.name] = blob.etag.strip('"')
                    if self._reported.get(blob.name) != etag:
                        await self._report(blob, etag)
                        self._reported[blob.name] = etag
        self._reported = seen

    async def _next_page(self, pages: Iterator[Iterable[BlobProperties]]) -> list[BlobProperties] | None:
        """Return the next page of the listing, or None after the last; measure how long that takes."""
        began = time.monotonic()
        try:
            page = await self._trigger.storage.call(next, pages, None)
            return None if page is None else await self._trigger.storage.call(list, page)
        finally:
            self._listing_s += time.monotonic() - began

    async def _report(self, blob: BlobProperties, etag: str) -> None:
        name = str(blob.name)
        receipt = f"{self._receipts}/{etag}/{self._trigger.container}/{name}"
        if await self._hosts.call(self._hosts.blob(HOSTS_CONTAINER, receipt).exists):
            return
        if self._trigger.by_event:
            await self._post(blob_created(self._trigger, blob, etag))
        else:
            await self._queue.enqueue(self._trigger, name, etag)
        await self._hosts.put(HOSTS_CONTAINER, receipt, b"")

    async def _post(self, event: dict[str, Any]) -> None:
        response = await self._trigger.storage.call(
            requests.post,
            self._webhook,
            params={"functionName": self._trigger.function.full_name},
            headers={"aeg-event-type": "Notification"},
            json=[event],
            timeout=30,
        )
        response.raise_for_status()


def blob_created(trigger: BlobTrigger, blob: BlobProperties, etag: str) -> dict[str, Any]:
    """Return the event that Event Grid sends for a new blob (schema `Microsoft.Storage.BlobCreated`)."""
    return {
        "topic": "/subscriptions/local/resourceGroups/local/providers/Microsoft.Storage/storageAccounts/local",
        "subject": f"/blobServices/default/containers/{trigger.container}/blobs/{blob.name}",
        "eventType": "Microsoft.Storage.BlobCreated",
        "id": str(uuid.uuid4()),
        "eventTime": datetime.now(UTC).isoformat(),
        "data": {
            "api": "PutBlockList",
            "requestId": str(uuid.uuid4()),
            "eTag": etag,
            "contentType": blob.content_settings.content_type,
            "contentLength": blob.size,
            "blobType": "BlockBlob",
            "url": trigger.storage.blob(trigger.container, str(blob.name)).url,
        },
        "dataVersion": "",
        "metadataVersion": "1",
    }


def _reference(trigger: BlobTrigger, name: str) -> TypedData:
    connection = trigger.function.trigger.get("connection") or DEFAULT_CONNECTION
    content = {"Connection": connection, "ContainerName": trigger.container, "BlobName": name}
    return TypedData(model_binding_data=ModelBindingData(content=json.dumps(content).encode()))


def _properties(blob: BlobProperties) -> dict[str, Any]:
    return {
        "ContentLength": blob.size,
        "ContentType": blob.content_settings.content_type,
        "LastModified": blob.last_modified.isoformat() if blob.last_modified else None,
    }
