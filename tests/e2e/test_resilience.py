"""Two encoders share the encoding of each film; crashes and duplicate messages neither lose nor change a segment."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
import shutil
import signal
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import requests
from azure.storage.blob import BlobServiceClient
from azure.storage.queue import QueueServiceClient

from functions.catalogue.assembly import assemble as assemble_catalogue
from functions.encoding.assembly import assemble as assemble_encodes
from functions.platform.identifiers import container_for
from functions.platform.resources import Resources
from functions.platform.settings import load_settings
from infra.local.stores.credentials import load_or_make
from infra.local.stores.services import settings_of, stores_of
from tests.support.homes import free_home
from tests.support.media import Film, Sound, make_film
from tests.support.product import ENCODE_ALL, Product
from tests.support.published import Published
from tests.support.uploads import Sent, Storefront
from tests.support.viewers import make_subscriber
from tests.support.waiting import eventually

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.viewers import SomeViewer

ENDED_WITHIN_S = 300
ENCODERS = ("encoder-1", "encoder-2")
HALF_A_MINUTE = Film("film.mkv", frames=821, width=640, height=360)
"""A film with two rungs, 9 segments and, after the first chunk, one chunk for each encoder."""

A_MINUTE = Film("film.mkv", frames=1441, width=640, height=360)
THREE_MINUTES = Film(frames=4321)
"""A film with more chunks than two encoders process at the same time."""

SHORT = Film(frames=221, sounds=(Sound(440),))
SHORTER = Film(frames=121)


@dataclass(frozen=True, slots=True)
class Studio:
    """A running product with two encoders, clients of its storage, and a cache of generated films."""

    product: Product
    storefront: Storefront
    blobs: BlobServiceClient
    queues: QueueServiceClient
    folder: Path

    def film(self, film: Film) -> Path:
        """Return the path of a film; generate it on first use."""
        folder = self.folder / f"{film.frames}-{film.width}"
        if not folder.exists():
            folder.mkdir()
            make_film(film, folder)
        return folder / film.name

    def job(self, sent: Sent) -> dict[str, Any]:
        """Wait until the job of an upload exists; return it."""
        found = eventually(lambda: self.storefront.job(sent))
        assert found is not None
        return found

    def ended(self, sent: Sent) -> dict[str, Any]:
        """Wait until the job of an upload is ready or failed; return it."""
        return self.storefront.ended([sent], within_s=ENDED_WITHIN_S)[sent.blob]

    def jobs_of(self, sent: Sent) -> list[dict[str, Any]]:
        """Return all jobs of a title, newest first."""
        jobs: list[dict[str, Any]] = self._ask("GET", "/api/jobs")["jobs"]
        return [job for job in jobs if job["title_id"] == sent.title_id]

    def playback(self, sent: Sent, viewer: SomeViewer | None = None) -> dict[str, Any]:
        """Open the title as a viewer, a new one unless one is given; return the response."""
        viewer = viewer or make_subscriber(self.product.endpoints)
        answer = viewer.ask("POST", f"titles/{sent.title_id}/playback")
        assert answer.ok, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def title(self, sent: Sent) -> dict[str, Any]:
        """Return the title's entry in the catalogue."""
        return self._ask("GET", f"/api/titles/{sent.title_id}")

    def say(self, queue: str, **message: object) -> None:
        """Send a message to a queue."""
        text = base64.b64encode(json.dumps(message).encode()).decode()
        self.queues.get_queue_client(queue).send_message(text)

    def end(self, sent: Sent, reason: str) -> None:
        """Fail the job of an upload, as an encoder does if it cannot encode the film."""
        credentials = load_or_make(self.product.home.secrets_file)
        stores = stores_of(self.product.home, credentials, {})
        settings = load_settings(settings_of(self.product.home, credentials, stores))
        resources = Resources()
        vars(resources)["settings"] = lambda: settings
        assemble_encodes(resources, assemble_catalogue(resources), list).cancel(sent.title_id, reason)
        resources.close()

    def announce(self, sent: Sent) -> None:
        """Post the event of an upload to the API's webhook, as Event Grid does."""
        blob = self.blobs.get_blob_client("uploads", sent.blob)
        event = {
            "eventType": "Microsoft.Storage.BlobCreated",
            "subject": f"/blobServices/default/containers/uploads/blobs/{sent.blob}",
            "data": {"eTag": blob.get_blob_properties().etag, "url": blob.url, "blobType": "BlockBlob"},
        }
        answer = requests.post(
            f"{self.product.endpoints['api']}/runtime/webhooks/blobs",
            params={"functionName": "Host.Functions.start_title"},
            headers={
                "aeg-event-type": "Notification",
                "x-functions-key": load_or_make(self.product.home.secrets_file).blobs_key,
            },
            json=[event],
            timeout=30,
        )
        assert answer.status_code == 202, answer.text

    def wait_until_idle(self) -> None:
        """Wait until no queue contains a message."""

        def empty() -> bool:
            names = [queue.name for queue in self.queues.list_queues()]
            counts = (self.queues.get_queue_client(n).get_queue_properties().approximate_message_count for n in names)
            return not any(counts)

        eventually(empty, within_s=300, every_s=0.2)

    def versions(self, sent: Sent) -> dict[str, str]:
        """Return the ETag of every blob of the title; each write changes it."""
        return {blob.name: blob.etag for blob in self._container(sent).list_blobs()}

    def segments(self, sent: Sent) -> dict[str, str]:
        """Return the SHA-256 of every init and media segment of a job, by its name inside the job's folder."""
        container = self._container(sent)
        names = [name for name in container.list_blob_names() if name.endswith((".m4s", ".mp4"))]
        return {
            name.removeprefix(f"{sent.job_id}/"): hashlib.sha256(container.download_blob(name).readall()).hexdigest()
            for name in names
        }

    def encodes_of(self, sent: Sent) -> list[int]:
        """Return the chunk indexes of a job from the encoders' logs, with one entry per encode of a chunk."""
        said = "".join(self.product.home.log(name).read_text(encoding="utf-8") for name in ENCODERS)
        return sorted(int(index) for index in re.findall(rf"job {sent.job_id} chunk (\d+):", said))

    def _container(self, sent: Sent) -> Any:
        return self.blobs.get_container_client(container_for(sent.title_id))

    def _ask(self, method: str, path: str) -> dict[str, Any]:
        endpoints = self.product.endpoints
        answer = requests.request(
            method, f"{endpoints['api']}{path}", headers={"x-operator-key": endpoints["api_key"]}, timeout=30
        )
        answer.raise_for_status()
        body: dict[str, Any] = answer.json()
        return body


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Studio]:
    """Start a separate copy of the product with two encoders."""
    folder = Path(tempfile.mkdtemp(prefix="notflix-studio-"))
    product = Product(free_home(folder), ENCODE_ALL)
    began = product.run("up", "--detach", "--empty", "--encoders", "2")
    try:
        assert began.returncode == 0, began.stdout + began.stderr
        connection = product.endpoints["storage_connection"]
        with (
            BlobServiceClient.from_connection_string(connection) as blobs,
            QueueServiceClient.from_connection_string(connection) as queues,
        ):
            storefront = Storefront(product.endpoints)
            yield Studio(product, storefront, blobs, queues, tmp_path_factory.mktemp("films"))
            storefront.close()
    finally:
        ended = product.run("down")
        assert ended.returncode == 0, ended.stdout + ended.stderr
        shutil.rmtree(folder)


@pytest.fixture(scope="module")
def survivor(studio: Studio) -> Sent:
    """Upload a film of half a minute, kill the encoder that writes the first segment, and wait for a ready job."""
    pids = {name: service(studio, name)["pid"] for name in ENCODERS}
    work = studio.product.home.path / "work"
    sent = studio.storefront.send("the survivor.mp4", studio.film(HALF_A_MINUTE))
    segment = eventually(lambda: next(work.glob("encoder-*/notflix-work-chunk-*/v*/*.m4s*"), None), every_s=0.05)
    assert segment is not None
    name, chunk = segment.parts[-4], segment.parents[1]
    os.kill(pids[name], signal.SIGKILL)
    job = studio.job(sent)
    assert job["status"] == "encoding"
    assert job["chunks"]["done"] < job["chunks"]["total"]
    assert chunk.exists(), "the chunk was finished before its encoder was killed"
    assert studio.ended(sent)["status"] == "ready"
    assert eventually(lambda: service(studio, name)["state"] == "ready")
    assert service(studio, name)["restarts"] == 1
    return sent


@pytest.fixture(scope="module")
def twin(studio: Studio) -> Sent:
    """Upload the same film under another name, and request each of its chunks and tracks three times."""
    sent = studio.storefront.send("the twin.mp4", studio.film(HALF_A_MINUTE))
    chunks = eventually(lambda: studio.job(sent)["chunks"]["total"])
    for _ in range(2):
        studio.say("plan-encode", job_id=sent.job_id)
        studio.say("encode-front", job_id=sent.job_id)
        for _ in range(chunks):
            studio.say("encode-chunk")
        studio.say("encode-audio", job_id=sent.job_id, track="a0")
    assert studio.ended(sent)["status"] == "ready"
    studio.wait_until_idle()
    return sent


def service(studio: Studio, name: str) -> dict[str, Any]:
    told = json.loads(studio.product.run("status", "--json").stdout)
    found: dict[str, Any] = next(each for each in told["services"] if each["name"] == name)
    return found


def assert_complete(studio: Studio, sent: Sent, film: Film, folder: Path) -> None:
    """Assert that every rung has every frame once, in contiguous segments that match the manifest."""
    published = Published(studio.storefront.fetch(sent, folder))
    assert published.mpd.get("type") == "static"
    assert published.faults() == []
    for rung in published.of("video"):
        assert published.numbers(rung.name) == list(range(film.frames))


@pytest.mark.extended
def test_film_is_complete_although_an_encoder_was_killed(studio: Studio, survivor: Sent, tmp_path: Path) -> None:
    assert_complete(studio, survivor, HALF_A_MINUTE, tmp_path)


def test_same_film_gives_the_same_bytes_even_if_its_chunks_are_requested_repeatedly(
    studio: Studio, survivor: Sent, twin: Sent
) -> None:
    assert len(studio.jobs_of(twin)) == 1
    segments = studio.segments(twin)
    assert len([name for name in segments if name.endswith(".m4s")]) == 3 * 9
    assert segments == studio.segments(survivor)


def test_both_encoders_had_a_share(studio: Studio, twin: Sent) -> None:
    def was_shared(sent: Sent) -> bool:
        return all(sent.job_id in studio.product.home.log(name).read_text(encoding="utf-8") for name in ENCODERS)

    if not was_shared(twin):  # one of them may have been late for so few chunks
        longer = studio.storefront.send("shared.mp4", studio.film(THREE_MINUTES))
        assert studio.ended(longer)["status"] == "ready"
        assert was_shared(longer)


def test_repeated_messages_after_the_end_change_nothing(studio: Studio, twin: Sent) -> None:
    before, job = studio.versions(twin), studio.job(twin)
    for _ in range(job["chunks"]["total"]):
        studio.say("encode-chunk")
    studio.say("encode-audio", job_id=twin.job_id, track="a0")
    for queue in ("plan-encode", "encode-front", "publish-title", "encode-front-poison"):
        studio.say(queue, job_id=twin.job_id)
    studio.say("encode-chunk-poison")
    studio.wait_until_idle()
    assert studio.versions(twin) == before
    assert studio.jobs_of(twin) == [job]


def test_repeated_event_of_an_upload_creates_no_other_job(studio: Studio, twin: Sent) -> None:
    before, job = studio.versions(twin), studio.job(twin)
    for _ in range(2):
        studio.announce(twin)
    studio.wait_until_idle()
    assert studio.jobs_of(twin) == [job]
    assert studio.versions(twin) == before
    assert studio.title(twin)["status"] == "ready"


@pytest.mark.extended
def test_retry_of_a_failed_job_encodes_only_what_is_missing(studio: Studio, tmp_path: Path) -> None:
    sent = studio.storefront.send("tried again.mp4", studio.film(THREE_MINUTES))
    eventually(lambda: studio.job(sent)["chunks"]["done"], within_s=ENDED_WITHIN_S, every_s=0.05)
    studio.end(sent, "The encoder was taken away.")
    failed = studio.ended(sent)
    assert (failed["status"], failed["reason"]) == ("failed", "The encoder was taken away.")
    eventually(lambda: studio.title(sent)["status"] == "failed")  # an encoder may be about to publish what it has
    studio.announce(sent)
    studio.wait_until_idle()
    stopped = studio.job(sent)
    assert stopped["status"] == "failed"
    assert studio.title(sent)["status"] == "failed", "a repeated event must not restart a failed job"
    done = stopped["chunks"]["done"]
    assert 0 < done < stopped["chunks"]["total"]
    encoded = studio.encodes_of(sent)
    assert len(encoded) == done

    again = studio.product.run("retry", sent.job_id)
    assert again.returncode == 0, again.stderr
    assert studio.ended(sent)["status"] == "ready"
    assert studio.encodes_of(sent) == list(range(stopped["chunks"]["total"])), "each chunk was encoded once"
    assert studio.title(sent)["status"] == "ready"
    assert_complete(studio, sent, THREE_MINUTES, tmp_path)
    assert studio.product.run("retry", sent.job_id).returncode == 0
    eventually(lambda: not studio.job(sent)["verifying"])
    verified = studio.job(sent)
    assert (verified["status"], verified["verification"]["damaged"]) == ("ready", 0)
    assert studio.encodes_of(sent) == list(range(stopped["chunks"]["total"])), "nothing was encoded again"


def test_deleted_upload_fails_its_job_with_the_reason(studio: Studio) -> None:
    sent = studio.storefront.send("taken away.mp4", studio.film(THREE_MINUTES))
    eventually(lambda: studio.job(sent)["status"] in ("planning", "encoding"), every_s=0.05)
    studio.blobs.get_blob_client("uploads", sent.blob).delete_blob()
    job = studio.ended(sent)
    assert job["status"] == "failed"
    assert "storage" in job["reason"]
    assert "sig=" not in job["reason"]
    eventually(lambda: studio.title(sent)["status"] == "failed")


@pytest.mark.extended
def test_earlier_version_plays_until_the_newer_one_is_complete(studio: Studio, tmp_path: Path) -> None:
    first = studio.storefront.send("new cut.mp4", studio.film(SHORT))
    assert studio.ended(first)["status"] == "ready"
    assert studio.playback(first)["job_id"] == first.job_id

    viewer = make_subscriber(studio.product.endpoints)
    second = studio.storefront.send("new cut.mp4", studio.film(THREE_MINUTES))
    eventually(lambda: studio.job(second)["front_s"] > 0, within_s=ENDED_WITHIN_S, every_s=0.05)
    shown = studio.playback(second, viewer)
    assert (shown["job_id"], shown["status"]) == (first.job_id, "ready")

    third = studio.storefront.send("new cut.mp4", studio.film(SHORTER))
    overtaken = studio.ended(second)
    assert overtaken["status"] == "failed"
    assert overtaken["reason"] == "new cut.mp4 was uploaded later and has replaced this file."
    assert studio.ended(third)["status"] == "ready"
    shown = studio.playback(third)
    assert (shown["job_id"], shown["status"]) == (third.job_id, "ready")
    assert_complete(studio, third, SHORTER, tmp_path)
    assert [job["job_id"] for job in studio.jobs_of(third)] == [third.job_id, second.job_id, first.job_id]
    refused = studio.product.run("retry", second.job_id)
    assert refused.returncode == 1
    assert "has been replaced by" in refused.stderr
