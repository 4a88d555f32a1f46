"""Upload films to a running product as any blob tool does, follow their jobs, and download the published titles."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import requests
from azure.storage.blob import BlobBlock, BlobServiceClient

from functions.platform.identifiers import container_for, job_id_for, title_id_for
from tests.support.waiting import PATIENCE_S, pause_after

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

POLL_S = 0.2
JOB_WITHIN_S = PATIENCE_S


@dataclass(frozen=True, slots=True)
class Sent:
    """An upload: its blob, and the resulting ids."""

    blob: str
    title_id: str
    job_id: str


class Storefront:
    """The external interfaces of a running product: its storage and its admin API."""

    def __init__(self, endpoints: Mapping[str, str]) -> None:
        self._endpoints = endpoints
        self._blobs = BlobServiceClient.from_connection_string(endpoints["storage_connection"])

    def close(self) -> None:
        """Close the connections to storage."""
        self._blobs.close()

    def send(self, blob: str, path: Path) -> Sent:
        """Upload a file into `uploads`."""
        with path.open("rb") as file:
            written = self._blobs.get_blob_client("uploads", blob).upload_blob(file, overwrite=True)
        return Sent(blob, title_id_for(blob), job_id_for(blob, str(written["etag"])))

    def sent(self, blob: str) -> Sent:
        """Return the current version of an upload that something else has sent."""
        found = self._blobs.get_blob_client("uploads", blob).get_blob_properties()
        upload_id = (found.metadata or {}).get("upload")
        return Sent(blob, title_id_for(blob), job_id_for(blob, upload_id or str(found.etag)))

    def commit(self, blob: str, parts: Sequence[bytes], *, whole: int, upload_id: str, tail: bytes = b"") -> Sent:
        """Commit the first parts of a file of `whole` bytes, the last of which is new, and its tail, as browsers do.

        Without the tail, an index at the end of the file arrives last.
        """
        client = self._blobs.get_blob_client("uploads", blob)
        ids = [f"{upload_id}-{number:06}" for number in range(len(parts))]
        client.stage_block(ids[-1], parts[-1])
        if tail:
            ids.append(f"{upload_id}-999999")
            client.stage_block(ids[-1], tail)
        front = sum(map(len, parts))
        growing = {} if front + len(tail) == whole else {"front": str(front), "whole": str(whole)}
        client.commit_block_list([BlobBlock(each) for each in ids], metadata={"upload": upload_id, **growing})
        return Sent(blob, title_id_for(blob), job_id_for(blob, upload_id))

    def still_there(self, sent: Sent) -> bool:
        """Return whether the upload itself is still stored."""
        return bool(self._blobs.get_blob_client("uploads", sent.blob).exists())

    def content_of(self, blob: str) -> bytes | None:
        """Return the stored content of an upload, or None if there is no upload with this name."""
        client = self._blobs.get_blob_client("uploads", blob)
        return client.download_blob().readall() if client.exists() else None

    def job(self, sent: Sent) -> dict[str, Any] | None:
        """Return the job of an upload, or None while it does not exist yet."""
        answer = requests.get(
            f"{self._endpoints['api']}/api/jobs/{sent.job_id}",
            headers={"x-operator-key": self._endpoints["api_key"]},
            timeout=PATIENCE_S,
        )
        if answer.status_code == 404:
            return None
        answer.raise_for_status()
        found: dict[str, Any] = answer.json()
        return found

    def is_playable(self, sent: Sent) -> bool:
        """Return whether the manifest of an upload is stored."""
        manifest = f"{sent.job_id}/manifest.mpd"
        return bool(self._blobs.get_blob_client(container_for(sent.title_id), manifest).exists())

    def files_of(self, title_id: str) -> list[str]:
        """Return the names of the files of a title that has been encoded."""
        return list(self._blobs.get_container_client(container_for(title_id)).list_blob_names())

    def playable(self, sent: Sent, *, within_s: float) -> None:
        """Wait until an upload can be watched."""
        deadline = time.monotonic() + within_s
        while not self.is_playable(sent):
            if time.monotonic() > deadline:
                raise TimeoutError(f"After {within_s:.0f} s {sent.blob} cannot be watched: {self.job(sent)}")
            time.sleep(POLL_S)

    def ended(self, uploads: Iterable[Sent], *, within_s: float) -> dict[str, dict[str, Any]]:
        """Wait until every job is ready or failed; return the jobs by blob.

        One job after the other is followed, so that waiting for many jobs costs no more than waiting for one.
        """
        began = time.monotonic()
        jobs: dict[str, dict[str, Any]] = {}
        for sent in uploads:
            while (job := self.job(sent)) is None or job["status"] not in ("ready", "failed"):
                waited_s = time.monotonic() - began
                if waited_s > (JOB_WITHIN_S if job is None else within_s):
                    raise TimeoutError(f"After {waited_s:.0f} s, {sent.blob} has not ended: {job or 'there is no job'}")
                time.sleep(pause_after(waited_s))
            jobs[sent.blob] = job
        return jobs

    def fetch(self, sent: Sent, folder: Path) -> Path:
        """Download all files that the job published; return the folder with the manifest."""
        container = self._blobs.get_container_client(container_for(sent.title_id))
        target = folder / sent.title_id
        for name in container.list_blob_names(name_starts_with=f"{sent.job_id}/"):
            path = target / name.removeprefix(f"{sent.job_id}/")
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("wb") as file:
                container.download_blob(name).readinto(file)
        return target
