"""With real stores, uploads that arrive while the document store is unavailable are started once the store recovers."""

from __future__ import annotations

import json
import uuid
from contextlib import suppress
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from azure.core.exceptions import ResourceExistsError

from functions import bootstrap
from functions.catalogue.triggers import fetch_metadata
from functions.encoding.model import JobStatus
from functions.platform.errors import StoreUnavailable
from functions.platform.identifiers import job_id_for, title_id_for
from functions.platform.time import now
from functions.uploads import triggers
from functions.uploads.reference import BlobReference
from tests.support.queues import drain, empty, handle

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.integration.conftest import Stack

LATER = timedelta(minutes=2)


@pytest.fixture
def stem() -> str:
    return f"Film {uuid.uuid4().hex[:8]}"


def put(blob: str, content: bytes) -> str:
    """Upload a blob; return the id of the job for its version."""
    container = bootstrap.resources.blob_service().get_container_client("uploads")
    with suppress(ResourceExistsError):
        container.create_container()
    written = container.upload_blob(blob, content, overwrite=True)
    return job_id_for(blob, str(written.get_blob_properties().etag))


def arrive(blob: str) -> None:
    built: Any = triggers.start_title
    built._function.get_user_function()(BlobReference("uploads", blob))


def tick() -> None:
    built: Any = triggers.reconcile_work
    built._function.get_user_function()(None)


def lost(blob: str) -> bytes:
    """Return the dead letter that the Functions host sends when the function for a blob has failed in all attempts."""
    return json.dumps({"FunctionId": "start_title", "ContainerName": "uploads", "BlobName": blob}).encode()


@pytest.fixture
def away(wire: Callable[[str], None], refused_port: int) -> None:
    """Make the document store unavailable."""
    wire(f"mongodb://127.0.0.1:{refused_port}/?directConnection=true")


@pytest.fixture
def back(wire: Callable[[str], None], stack: Stack, monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Return a function that makes the document store available again and moves the clock forward by two minutes."""

    def start() -> None:
        wire(stack.environment["MONGO_URL"])
        monkeypatch.setattr(type(bootstrap.resources), "now", lambda _: now() + LATER)
        empty("fetch-metadata")
        empty("plan-encode")

    return start


@pytest.mark.usefixtures("away")
def test_film_is_started_by_the_timer(back: Callable[[], None], stem: str) -> None:
    blob = f"{stem}.mkv"
    job_id = put(blob, b"film")
    with pytest.raises(StoreUnavailable):
        arrive(blob)
    with pytest.raises(StoreUnavailable):
        tick()
    back()
    tick()
    job = bootstrap.encodes().progress(job_id)
    assert job and job.status is JobStatus.QUEUED
    assert bootstrap.catalogue().get(title_id_for(blob)).stem == stem
    tick()
    listed = bootstrap.encodes().list_jobs().entries
    assert [each.title_id for each in listed].count(title_id_for(blob)) == 1


@pytest.mark.usefixtures("away")
def test_sidecar_is_read_once_the_timer_has_run(back: Callable[[], None], stem: str) -> None:
    blob = f"{stem}.json"
    put(blob, json.dumps({"title": "The Sea", "year": 2021}).encode())
    with pytest.raises(StoreUnavailable):
        arrive(blob)
    back()
    tick()
    assert drain("fetch-metadata", fetch_metadata)
    details = bootstrap.catalogue().get(title_id_for(blob)).details
    assert (details.name, details.year) == ("The Sea", 2021)


@pytest.mark.usefixtures("away")
def test_film_is_started_by_the_dead_letter_of_its_event(back: Callable[[], None], stem: str) -> None:
    blob = f"{stem}.mkv"
    job_id = put(blob, b"film")
    with pytest.raises(StoreUnavailable):
        handle(triggers.start_title_poison, lost(blob))
    back()
    handle(triggers.start_title_poison, lost(blob))
    assert bootstrap.encodes().progress(job_id)
