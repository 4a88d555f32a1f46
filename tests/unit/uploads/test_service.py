"""A ticket permits one upload, and the processing of an uploaded blob is started once."""

from __future__ import annotations

from datetime import timedelta

import pytest

from functions.catalogue.model import Status
from functions.encoding.lifecycle import JobLifecycle
from functions.encoding.model import JobStatus, SourceRef
from functions.encoding.service import EncodeService
from functions.platform.errors import Malformed
from functions.platform.identifiers import job_id_for, title_id_for
from functions.uploads.ports import StoredUpload
from functions.uploads.service import LONGEST_NAME, TICKET_LASTS, Arrival, Uploads
from tests.support.arrivals import MemoryArrivals, MemoryUploads
from tests.support.catalogue import NOON, World, make_playback
from tests.support.encoding import MemoryEncodeJobs, make_job
from tests.support.queues import MemoryQueues


class Gate:
    """Uploads with everything they depend on in memory."""

    def __init__(self) -> None:
        self.world = World()
        self.clock = self.world.clock
        self.jobs = MemoryEncodeJobs(self.clock)
        self.lifecycle = JobLifecycle(self.jobs, self.world.catalogue, self.clock)
        self.encodes = EncodeService(self.jobs, self.lifecycle, lambda _: None, self.clock)
        self.store = MemoryUploads()
        self.arrivals = MemoryArrivals()
        self.queues = MemoryQueues()
        self.uploads = Uploads(
            self.store,
            self.arrivals,
            self.world.catalogue,
            self.encodes,
            lambda messages: self.queues.send_all(messages),
            self.clock,
            largest_gb=60,
        )

    def put(self, blob: str, etag: str = "0x1") -> str:
        """Store a version of a blob; return the id of the job for this version."""
        self.clock.forward(seconds=1)
        self.store.blobs[blob] = StoredUpload(etag, 1000, self.clock())
        return job_id_for(blob, etag)

    def status(self, blob: str) -> Status:
        return self.world.catalogue.get(title_id_for(blob)).status


@pytest.fixture
def gate() -> Gate:
    return Gate()


def test_ticket_is_for_that_file_and_ends(gate: Gate) -> None:
    ticket = gate.uploads.issue_ticket("folder/My film.mkv", size=1000)
    assert ticket.upload_url.startswith("http://storage.invalid/uploads/folder/My film.mkv?")
    assert ticket.title_id == title_id_for("folder/My film.mkv")
    assert ticket.expires_at == NOON + TICKET_LASTS
    assert not ticket.replaces


def test_ticket_says_when_a_film_of_that_name_is_there(gate: Gate) -> None:
    gate.put("film.mkv")
    assert gate.uploads.issue_ticket("film.mkv", size=1000).replaces


@pytest.mark.parametrize(
    "name",
    [
        "",
        ".",
        "..",
        "a/./b.mp4",
        "a//b.mp4",
        "folder/",
        "film.",
        "a\\b.mkv",
        "/film.mkv",
        "../film.mkv",
        "a/../../film.mkv",
        "a\nb.mkv",
        "a\0.mkv",
        "a\u202e.mkv",
        "\ud800.mkv",
        "a" * 513,
    ],
)
def test_name_that_no_blob_can_bear_is_refused(gate: Gate, name: str) -> None:
    with pytest.raises(Malformed, match="is not the name of a file"):
        gate.uploads.issue_ticket(name, size=1000)


def test_file_above_the_limit_is_refused(gate: Gate) -> None:
    assert gate.uploads.issue_ticket("film.mkv", size=60 << 30)
    with pytest.raises(Malformed, match="MAX_UPLOAD_GB allows 60 GB"):
        gate.uploads.issue_ticket("film.mkv", size=(60 << 30) + 1)


def test_longest_name_is_taken(gate: Gate) -> None:
    assert gate.uploads.issue_ticket("a" * LONGEST_NAME, size=1000).blob


def test_film_opens_its_title_and_its_job(gate: Gate) -> None:
    job_id = gate.put("Sintel (2010).mkv")
    arrival = gate.uploads.record_arrival("Sintel (2010).mkv")
    title_id = title_id_for("Sintel (2010).mkv")
    assert arrival == Arrival(title_id, "Sintel (2010)", job_id, version=job_id, uploaded_at=gate.clock())
    assert gate.status("Sintel (2010).mkv") is Status.ENCODING
    job = gate.jobs.get_job(job_id)
    assert (job.status, job.size, job.etag, job.upload.blob) == (JobStatus.QUEUED, 1000, "0x1", "Sintel (2010).mkv")


def test_same_version_twice_is_one_job(gate: Gate) -> None:
    job_id = gate.put("film.mkv")
    first = gate.uploads.record_arrival("film.mkv")
    gate.clock.forward(seconds=5)
    assert gate.uploads.record_arrival("film.mkv") == first
    assert [job.id for job in gate.jobs.list_summaries(below=None, limit=9)] == [job_id]
    assert gate.jobs.get_job(job_id).is_open


@pytest.mark.parametrize("end", [JobStatus.FAILED, JobStatus.READY])
def test_event_that_comes_again_after_the_end_takes_nothing_up(gate: Gate, end: JobStatus) -> None:
    job_id = gate.put("film.mkv")
    gate.uploads.record_arrival("film.mkv")
    title_id = title_id_for("film.mkv")
    if end is JobStatus.FAILED:
        gate.lifecycle.fail(gate.jobs.get_job(job_id), "It is cut off.")
    else:
        gate.world.catalogue.mark_playable(title_id, make_playback(job_id), complete=True)
        gate.jobs.set_status(job_id, JobStatus.READY)
    before = gate.world.catalogue.get(title_id)
    arrival = gate.uploads.record_arrival("film.mkv")
    assert arrival and arrival.job_id is None
    assert gate.jobs.get_job(job_id).status is end
    assert gate.world.catalogue.get(title_id) == before


def test_newer_version_takes_the_place_of_an_open_job_and_the_title_goes_on(gate: Gate) -> None:
    older = gate.put("film.mkv", "0x1")
    gate.uploads.record_arrival("film.mkv")
    newer = gate.put("film.mkv", "0x2")
    gate.uploads.record_arrival("film.mkv")
    assert gate.jobs.get_job(older).reason == "A newer upload of film.mkv has taken its place."
    assert gate.jobs.get_job(newer).is_open
    assert gate.status("film.mkv") is Status.ENCODING


def test_event_of_an_older_film_that_comes_again_does_not_end_the_newer_one(gate: Gate) -> None:
    gate.put("film.mp4")
    gate.uploads.record_arrival("film.mp4")
    newer = gate.put("film.mkv")
    gate.uploads.record_arrival("film.mkv")
    gate.uploads.record_arrival("film.mp4")
    assert gate.jobs.get_job(newer).is_open


def test_older_job_ends_even_if_whoever_opened_the_newer_one_died_before_saying_so(gate: Gate) -> None:
    older = gate.put("film.mkv", "0x1")
    gate.uploads.record_arrival("film.mkv")
    newer = gate.put("film.mkv", "0x2")
    gate.clock.forward(seconds=1)
    upload = SourceRef("uploads", "film.mkv")
    title_id = title_id_for("film.mkv")
    assert gate.jobs.add_job(make_job(newer, title_id=title_id, upload=upload, created_at=gate.clock()))
    assert gate.jobs.get_job(older).is_open
    gate.uploads.record_arrival("film.mkv")
    assert not gate.jobs.get_job(older).is_open


def test_new_upload_brings_a_withdrawn_title_back_but_the_old_event_does_not(gate: Gate) -> None:
    job_id = gate.put("film.mkv")
    gate.uploads.record_arrival("film.mkv")
    gate.lifecycle.fail(gate.jobs.get_job(job_id), "It is cut off.")
    gate.world.catalogue.withdraw_title(title_id_for("film.mkv"))
    gate.uploads.record_arrival("film.mkv")
    assert not gate.world.catalogue.list_titles().entries
    gate.put("film.mkv", "0x2")
    gate.uploads.record_arrival("film.mkv")
    assert gate.status("film.mkv") is Status.ENCODING


@pytest.mark.parametrize("blob", ["film.json", "film.jpg", "film.backdrop.jpg"])
def test_sidecar_asks_for_a_description_and_for_no_job(gate: Gate, blob: str) -> None:
    version = gate.put(blob)
    expected = Arrival(title_id_for("film.mkv"), "film", None, version=version, uploaded_at=gate.clock())
    assert gate.uploads.record_arrival(blob) == expected
    assert not gate.jobs.list_summaries(below=None, limit=9)


def test_subtitles_wait_for_their_film(gate: Gate) -> None:
    gate.put("film.en.srt")
    assert gate.uploads.record_arrival("film.en.srt") is None


def test_blob_that_is_gone_by_now_asks_for_nothing(gate: Gate) -> None:
    assert gate.uploads.record_arrival("film.mkv") is None
    assert not gate.jobs.list_summaries(below=None, limit=9)


def test_time_of_the_upload_is_never_in_the_future(gate: Gate) -> None:
    job_id = gate.put("film.mkv")
    gate.store.blobs["film.mkv"] = StoredUpload("0x1", 1000, gate.clock() + timedelta(minutes=3))
    gate.uploads.record_arrival("film.mkv")
    assert gate.jobs.get_job(job_id).uploaded_at == gate.clock()
