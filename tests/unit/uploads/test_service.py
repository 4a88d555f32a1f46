"""A ticket permits one upload, and the processing of an uploaded blob is started once."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any, cast

import pytest

from functions.catalogue.model import Status
from functions.encoding.claims import Claims
from functions.encoding.late_subtitles.service import SubtitleArrivals
from functions.encoding.lifecycle import JobLifecycle
from functions.encoding.model import JobStatus, SourceRef
from functions.encoding.service import EncodeService
from functions.encoding.spending.budget import EncodeBudget
from functions.encoding.spending.costs import month_of, replica_s_for
from functions.encoding.upkeep.sweep import TitleSweep
from functions.platform.errors import Malformed, StoreUnavailable
from functions.platform.identifiers import job_id_for, title_id_for
from functions.platform.messages import FetchMetadata
from functions.uploads.model import Arrival
from functions.uploads.ports import StoredUpload
from functions.uploads.service import LONGEST_NAME, TICKET_LASTS, Uploads
from tests.support.arrivals import MemoryArrivals, MemoryUploads
from tests.support.catalogue import World, make_playback
from tests.support.clock import NOON
from tests.support.encoding_claims import MemoryClaims
from tests.support.encoding_jobs import MemoryEncodeJobs
from tests.support.encoding_plans import make_job
from tests.support.encoding_spending import MemorySpending
from tests.support.encoding_storage import MemoryFolders
from tests.support.encoding_world import no_front
from tests.support.late_subtitles import MemoryLateSubtitles
from tests.support.queues import MemoryQueues

if TYPE_CHECKING:
    from functions.platform.queues import Queues

LIMIT_USD = 20


class Gate:
    """Uploads with everything they depend on in memory."""

    def __init__(self) -> None:
        self.world = World()
        self.clock = self.world.clock
        self.jobs = MemoryEncodeJobs(self.clock)
        self.lifecycle = JobLifecycle(self.jobs, self.world.catalogue, self.clock)
        self.queues = MemoryQueues()
        claims, queues = Claims(MemoryClaims(), self.clock, beat_s=None), cast("Queues", MemoryQueues())
        sweep = TitleSweep(self.jobs, self.jobs, MemoryFolders, self.world.catalogue, self.clock)
        self.spending = MemorySpending(self.jobs)
        budget = EncodeBudget(self.spending, self.clock, limit_usd=lambda: LIMIT_USD)
        self.encodes = EncodeService(
            self.jobs,
            claims,
            self.lifecycle,
            lambda: queues,
            self.clock,
            self.jobs,
            sweep,
            budget,
            list[str]().append,
            no_front,
            SubtitleArrivals(MemoryLateSubtitles(self.jobs), self.world.catalogue, self._sent, self.clock),
        )
        self.store = MemoryUploads()
        self.arrivals = MemoryArrivals()
        self.uploads = Uploads(
            self.store,
            self.arrivals,
            self.world.catalogue,
            self.encodes,
            lambda messages: self.queues.send_all(messages),
            self.clock,
            largest_gb=60,
            in_steps=True,
        )

    def _sent(self) -> Queues:
        return cast("Queues", self.queues)

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


def test_title_that_is_saved_but_not_announced_after_its_job_has_failed_says_so(
    gate: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    job_id = gate.put("film.mkv")
    gate.uploads.start_upload("film.mkv")
    claim = gate.world.catalogue.claim_title

    def claim_late(*given: Any, **named: Any) -> None:
        gate.lifecycle.fail(gate.jobs.get_job(job_id), "It is text.")
        claim(*given, **named)
        raise StoreUnavailable("The queues do not answer.")

    monkeypatch.setattr(gate.world.catalogue, "claim_title", claim_late)
    with pytest.raises(StoreUnavailable):
        gate.uploads.record_arrival("film.mkv")
    assert gate.status("film.mkv") is Status.FAILED


@pytest.mark.parametrize("held_up_at", ["get", "add", "save"])
def test_start_that_is_held_up_until_its_title_was_withdrawn_does_not_bring_it_back(
    gate: Gate, monkeypatch: pytest.MonkeyPatch, held_up_at: str
) -> None:
    job_id = gate.put("film.mkv")
    title_id = title_id_for("film.mkv")
    titles = gate.world.titles
    call = getattr(titles, held_up_at)

    def late(*given: Any, **named: Any) -> Any:
        monkeypatch.undo()
        gate.uploads.start_upload("film.mkv")
        gate.jobs.set_status(job_id, JobStatus.READY)
        gate.world.catalogue.withdraw_title(title_id)
        return call(*given, **named)

    monkeypatch.setattr(titles, held_up_at, late)
    arrival = gate.uploads.record_arrival("film.mkv")
    assert arrival
    assert arrival.job_id is None
    title = titles.get(title_id)
    assert title
    assert title.status is Status.WITHDRAWN


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
    assert (job.status, job.size, job.etag, job.upload.blob) == (JobStatus.QUEUED, 1000, '"0x1"', "Sintel (2010).mkv")


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
    assert gate.jobs.get_job(older).reason == "film.mkv was uploaded later and has replaced this file."
    assert gate.jobs.get_job(newer).is_open
    assert gate.status("film.mkv") is Status.ENCODING


def test_event_of_an_older_film_that_comes_again_does_not_end_the_newer_one(gate: Gate) -> None:
    gate.put("film.mp4")
    gate.uploads.record_arrival("film.mp4")
    gate.uploads.issue_ticket("film.mkv", size=1000, replace_film=True)
    newer = gate.put("film.mkv")
    gate.uploads.record_arrival("film.mkv")
    gate.uploads.record_arrival("film.mp4")
    assert gate.jobs.get_job(newer).is_open


def publish(gate: Gate, blob: str) -> str:
    """Upload and publish a film; return the id of its job."""
    job_id = gate.put(blob)
    gate.uploads.record_arrival(blob)
    gate.world.catalogue.mark_playable(title_id_for(blob), make_playback(job_id), complete=True)
    gate.jobs.set_status(job_id, JobStatus.READY)
    return job_id


@pytest.mark.parametrize("is_ready", [False, True])
def test_film_that_differs_only_in_its_extension_takes_nothing_from_the_first(gate: Gate, is_ready: bool) -> None:
    if is_ready:
        first = publish(gate, "old.flv")
    else:
        first = gate.put("old.flv")
        gate.uploads.record_arrival("old.flv")
    before = gate.world.catalogue.get(title_id_for("old.flv"))
    for blob in ("old.ogv", "old.wmv"):
        job_id = gate.put(blob)
        arrival = gate.uploads.record_arrival(blob)
        assert arrival and arrival.job_id is None
        assert gate.uploads.record_arrival(blob) == arrival
        assert gate.jobs.get_job(job_id).reason == (
            f"old.flv is already the film of this title, so {blob} was not used. To replace it, upload {blob} in the "
            f"Studio and confirm; to keep both, rename one of them."
        )
    assert gate.jobs.get_job(first).status is (JobStatus.READY if is_ready else JobStatus.QUEUED)
    assert gate.world.catalogue.get(title_id_for("old.flv")) == before
    newest = gate.encodes.latest_for(title_id_for("old.flv"))
    assert newest and newest.job_id == first


def test_of_films_that_arrive_at_the_same_moment_one_has_the_title(gate: Gate, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both look before either has claimed the title; the claim itself decides."""
    gate.put("old.ogv")
    gate.put("old.flv")
    monkeypatch.setattr(gate.world.catalogue, "find_title", lambda _: None)
    gate.uploads.record_arrival("old.ogv")
    gate.uploads.record_arrival("old.flv")
    jobs = {job.name: job for job in gate.jobs.list_summaries(below=None, limit=9)}
    assert jobs["old.ogv"].status is JobStatus.QUEUED
    assert "old.ogv is already the film" in (jobs["old.flv"].reason or "")


def test_ticket_says_which_film_there_is_and_with_consent_it_is_replaced(gate: Gate) -> None:
    first = publish(gate, "old.flv")
    ticket = gate.uploads.issue_ticket("old.wmv", size=1000)
    assert (ticket.replaces, ticket.existing) == (False, "old.flv")
    assert gate.uploads.issue_ticket("old.flv", size=1000).existing is None
    assert gate.uploads.issue_ticket("old.srt", size=1000).existing is None
    gate.uploads.issue_ticket("old.wmv", size=1000, replace_film=True)
    job_id = gate.put("old.wmv")
    gate.uploads.record_arrival("old.wmv")
    assert gate.jobs.get_job(job_id).is_open
    assert gate.jobs.get_job(first).status is JobStatus.READY
    title = gate.world.catalogue.get(title_id_for("old.wmv"))
    assert (title.film, title.status) == ("old.wmv", Status.READY)
    assert gate.uploads.issue_ticket("old.flv", size=1000).existing == "old.wmv"


@pytest.mark.parametrize("end", ["failed", "withdrawn", "deleted"])
def test_film_with_another_extension_replaces_one_with_which_nothing_is_lost(gate: Gate, end: str) -> None:
    first = gate.put("old.flv")
    gate.uploads.record_arrival("old.flv")
    if end == "failed":
        gate.lifecycle.fail(gate.jobs.get_job(first), "It is cut off.")
    elif end == "withdrawn":
        gate.world.catalogue.withdraw_title(title_id_for("old.flv"))
    else:
        del gate.store.blobs["old.flv"]
    assert gate.uploads.issue_ticket("old.mp4", size=1000).existing is None
    job_id = gate.put("old.mp4")
    gate.uploads.record_arrival("old.mp4")
    assert gate.jobs.get_job(job_id).is_open


def test_title_of_an_earlier_version_keeps_its_id_and_its_film(gate: Gate) -> None:
    """Such a title does not record its film; its film is that of its newest job."""
    publish(gate, "old.flv")
    title_id = title_id_for("old.flv")
    gate.world.catalogue._change(title_id, lambda title: replace(title, film=None))
    assert gate.uploads.issue_ticket("old.wmv", size=1000).existing == "old.flv"
    job_id = gate.put("old.wmv")
    gate.uploads.record_arrival("old.wmv")
    assert not gate.jobs.get_job(job_id).is_open
    again = gate.put("old.flv", "0x2")
    gate.uploads.record_arrival("old.flv")
    assert gate.jobs.get_job(again).is_open


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


def test_upload_beyond_the_limit_of_the_month_waits_without_waking_an_encoder(gate: Gate) -> None:
    gate.spending.add(month_of(gate.clock()), replica_s_for(LIMIT_USD))
    job_id = gate.put("film.mkv")
    gate.uploads.start_upload("film.mkv")
    assert [type(message) for message in gate.queues.messages] == [FetchMetadata]
    assert gate.jobs.get_job(job_id).status is JobStatus.QUEUED
    gate.clock.forward(seconds=61)
    assert gate.uploads.start_missed_uploads() == 0, "the upload counts as started"
