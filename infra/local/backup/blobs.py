"""The blobs in a backup: for each container one file with all contents, and an index with a line for each blob.

A restored blob has a new ETag, and the ETag of an upload is part of the identity of its encode job. So the uploads that
had been started when the backup was made are marked as started under their new ETags; all others are started.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from azure.core import MatchConditions
from azure.core.exceptions import ResourceModifiedError, ResourceNotFoundError
from azure.storage.blob import BlobServiceClient, ContentSettings

from functions.platform.identifiers import INTERMEDIATES, job_id_for
from infra.local.home import CannotRun

if TYPE_CHECKING:
    from azure.storage.blob import ContainerClient

    from infra.local.backup.archive import Backup, HashingFile, NewBackup
    from infra.local.backup.mongo import Mongo

FOLDER = "blobs"
HOSTS_CONTAINER = "azure-webjobs-hosts"
OF_HOSTS = "azure-webjobs-"
"""Containers of the Functions host are not backed up: they contain receipts of events and the times of timers."""
UPLOADS, ARRIVALS, JOBS, WATERMARK = "uploads", "arrivals", "encode_jobs", "watermark"
CHUNK_BYTES = 4 << 20
TRIES = 3


@dataclass(frozen=True, slots=True)
class IndexedBlob:
    """A blob in the index: where its content is, and its properties."""

    name: str
    offset: int
    length: int
    etag: str
    modified_at: str
    content_type: str | None = None
    content_encoding: str | None = None
    cache_control: str | None = None
    metadata: dict[str, str] = field(default_factory=dict)


class Blobs:
    """The blobs of the account in a connection string."""

    def __init__(self, connection: str) -> None:
        self._service = BlobServiceClient.from_connection_string(connection, max_chunk_get_size=CHUNK_BYTES)

    def bytes(self) -> int:
        """Return the total length of the blobs."""
        return sum(
            blob.size for name in self._containers() for blob in self._service.get_container_client(name).list_blobs()
        )

    def dump(self, backup: NewBackup) -> None:
        """Write every blob. A blob that is deleted meanwhile is left out; one that changes is read again."""
        for number, name in enumerate(self._containers()):
            container = self._service.get_container_client(name)
            index: list[IndexedBlob] = []
            with backup.file(_content(number)) as file:
                for blob in container.list_blobs(include=["metadata"]):
                    copied = _copy(container, blob.name, file)
                    if copied:
                        index.append(copied)
            access = container.get_container_properties().public_access
            head = {"container": name, "public_access": access}
            with backup.file(_index(number)) as lines:
                for line in (head, *map(asdict, index)):
                    lines.write(json.dumps(line).encode() + b"\n")

    def restore(self, backup: Backup) -> dict[str, tuple[str, datetime]]:
        """Write every blob of the backup; return ETag and time of each upload in the backup, by name."""
        uploads: dict[str, tuple[str, datetime]] = {}
        for path in backup.names(FOLDER):
            if not path.endswith(".index"):
                continue
            with (
                backup.open(path) as lines,
                backup.open(path.replace(".index", ".content")) as file,
            ):
                head = json.loads(next(lines))
                container = self._service.get_container_client(head["container"])
                if not container.exists():
                    container.create_container(public_access=head["public_access"])
                for line in lines:
                    blob = IndexedBlob(**json.loads(line))
                    file.seek(blob.offset)
                    container.upload_blob(
                        blob.name,
                        file.read(blob.length) if blob.length <= CHUNK_BYTES else file,
                        length=blob.length,
                        overwrite=True,
                        metadata=blob.metadata,
                        content_settings=ContentSettings(
                            content_type=blob.content_type,
                            content_encoding=blob.content_encoding,
                            cache_control=blob.cache_control,
                        ),
                    )
                    if head["container"] == UPLOADS:
                        uploads[blob.name] = blob.etag, datetime.fromisoformat(blob.modified_at)
        return uploads

    def mark_started(self, uploads: dict[str, tuple[str, datetime]], mongo: Mongo, *, receipts: str) -> int:
        """Mark the uploads that had been started before the backup, under their new ETags; return their number.

        `receipts` is the folder in which the local host records the events that it has received.
        """
        arrivals = mongo.database[ARRIVALS]
        reached = arrivals.find_one({"_id": WATERMARK})
        marked = 0
        for name, (etag, modified_at) in uploads.items():
            before = job_id_for(name, etag)
            started = (
                (reached is not None and (modified_at, name) <= (reached["at"], reached["blob"]))
                or arrivals.find_one({"_id": before}) is not None
                or mongo.database[JOBS].find_one({"_id": before}, {"_id": 1}) is not None
            )
            if started:
                now = self._service.get_blob_client(UPLOADS, name).get_blob_properties()
                version = job_id_for(name, now.etag)
                arrivals.update_one({"_id": version}, {"$set": {"uploaded_at": now.last_modified}}, upsert=True)
                receipt = f"{receipts}/{now.etag.strip('"')}/{UPLOADS}/{name}"
                self._hosts_container().upload_blob(receipt, b"", overwrite=True)
                marked += 1
        return marked

    def has_films(self) -> bool:
        """Return whether there is an upload or the container of a title."""
        uploads = self._service.get_container_client(UPLOADS)
        titles = self._service.list_containers(name_starts_with="title-", results_per_page=1)
        return any(True for _ in titles) or (
            uploads.exists() and any(True for _ in uploads.list_blobs(results_per_page=1))
        )

    def close(self) -> None:
        """Close the connections."""
        self._service.close()

    def _hosts_container(self) -> ContainerClient:
        container = self._service.get_container_client(HOSTS_CONTAINER)
        if not container.exists():
            container.create_container()
        return container

    def _containers(self) -> list[str]:
        """Return the names of the containers to back up; copies of uploads are made again when an encode needs them."""
        names = (str(each.name) for each in self._service.list_containers())
        return [name for name in names if not name.startswith(OF_HOSTS) and name != INTERMEDIATES]


def _copy(container: ContainerClient, name: str, file: HashingFile) -> IndexedBlob | None:
    """Append the content of a blob to `file`; return its line of the index, or None if it was deleted."""
    for _ in range(TRIES):
        offset = file.bytes
        try:
            blob = container.get_blob_client(name)
            seen = blob.get_blob_properties()
            download = blob.download_blob(etag=seen.etag, match_condition=MatchConditions.IfNotModified)
            for chunk in download.chunks():
                file.write(chunk)
        except ResourceNotFoundError:
            return None
        except ResourceModifiedError:
            continue  # the bytes that were already written are in no index, so nobody reads them
        return IndexedBlob(
            name=name,
            offset=offset,
            length=file.bytes - offset,
            etag=seen.etag,
            modified_at=seen.last_modified.isoformat(),
            content_type=seen.content_settings.content_type,
            content_encoding=seen.content_settings.content_encoding,
            cache_control=seen.content_settings.cache_control,
            metadata=dict(seen.metadata or {}),
        )
    raise CannotRun(f"The blob {container.container_name}/{name} changed during each of {TRIES} copies; try again.")


def _index(number: int) -> str:
    return f"{FOLDER}/{number:05}.index"


def _content(number: int) -> str:
    return f"{FOLDER}/{number:05}.content"
