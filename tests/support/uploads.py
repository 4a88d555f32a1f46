"""Upload films to a running product as any blob tool does, follow their jobs, and download the published titles."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import requests
from azure.storage.blob import BlobServiceClient

from functions.platform.identifiers import container_for, job_id_for, title_id_for

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

POLL_S = 0.5
JOB_WITHIN_S = 90


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
            timeout=30,
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

    def playable(self, sent: Sent, *, within_s: float) -> None:
        """Wait until an upload can be watched."""
        deadline = time.monotonic() + within_s
        while not self.is_playable(sent):
            if time.monotonic() > deadline:
                raise TimeoutError(f"After {within_s:.0f} s {sent.blob} cannot be watched: {self.job(sent)}")
            time.sleep(POLL_S)

    def ended(self, uploads: Iterable[Sent], *, within_s: float) -> dict[str, dict[str, Any]]:
        """Wait until every job is ready or failed; return the jobs by blob."""
        began = time.monotonic()
        waiting = list(uploads)
        jobs: dict[str, dict[str, Any]] = {}
        while waiting:
            unknown = []
            for sent in list(waiting):
                job = self.job(sent)
                if job is None:
                    unknown.append(sent)
                elif job["status"] in ("ready", "failed"):
                    jobs[sent.blob] = job
                    waiting.remove(sent)
            waited_s = time.monotonic() - began
            if waiting and waited_s > within_s:
                raise TimeoutError(f"After {within_s:.0f} s there is no end of {[sent.blob for sent in waiting]}.")
            if unknown and waited_s > JOB_WITHIN_S:
                raise TimeoutError(f"After {JOB_WITHIN_S:.0f} s there is no job for {[sent.blob for sent in unknown]}.")
            time.sleep(POLL_S if waiting else 0)
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
