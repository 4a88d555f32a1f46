"""A subtitle file that arrives has an encoder add it to the titles that play its film already."""

from __future__ import annotations

import pytest

from functions.encoding.model import JobStatus
from functions.platform.errors import StoreUnavailable
from functions.platform.identifiers import title_id_for
from functions.platform.messages import PublishTitle
from tests.support.catalogue import make_playback
from tests.support.queues import MemoryQueues
from tests.unit.uploads.test_service import Gate


def ready(gate: Gate, blob: str = "film.mkv", etag: str = "0x1") -> str:
    """Upload a film and publish it; return the id of its job."""
    job_id = gate.put(blob, etag)
    gate.uploads.start_upload(blob)
    gate.jobs.set_status(job_id, JobStatus.READY)
    gate.world.catalogue.mark_playable(title_id_for(blob), make_playback(job_id), complete=True)
    gate.queues.sent.clear()
    return job_id


@pytest.fixture
def gate() -> Gate:
    return Gate()


@pytest.mark.parametrize("blob", ["film.srt", "film.de.ass", "film.en.forced.vtt", "film.pt-BR.sdh.ssa"])
def test_subtitles_of_a_ready_film_have_it_verified_and_repaired(gate: Gate, blob: str) -> None:
    job_id = ready(gate)
    gate.put(blob)
    gate.uploads.start_upload(blob)
    assert gate.queues.messages == [PublishTitle(job_id, verify=True)]
    job = gate.jobs.get_job(job_id)
    assert (job.verify_at, job.verify_repairs, job.late_asked) == (gate.clock(), True, 1)
    gate.clock.forward(seconds=61)
    assert gate.uploads.start_missed_uploads() == 0


def test_subtitles_whose_event_was_lost_are_found_by_the_timer_once(gate: Gate) -> None:
    job_id = ready(gate)
    gate.put("film.de.srt")
    gate.clock.forward(seconds=61)
    assert [gate.uploads.start_missed_uploads() for _ in range(3)] == [1, 0, 0]
    assert gate.queues.messages == [PublishTitle(job_id, verify=True)]


def test_each_version_is_added(gate: Gate) -> None:
    job_id = ready(gate)
    for etag in ("0x1", "0x2"):
        gate.put("film.de.srt", etag)
        gate.uploads.start_upload("film.de.srt")
    assert gate.jobs.get_job(job_id).late_asked == 2


def test_a_name_that_fits_two_films_concerns_both(gate: Gate) -> None:
    jobs = {ready(gate, "The.Big.Sea.mkv"), ready(gate, "The.Big.mkv")}
    gate.put("The.Big.Sea.srt")
    gate.uploads.start_upload("The.Big.Sea.srt")
    assert {message.job_id for message in gate.queues.messages if isinstance(message, PublishTitle)} == jobs


def test_subtitles_of_a_trailer_concern_the_trailer(gate: Gate) -> None:
    ready(gate)
    trailer = ready(gate, "film-trailer.mp4")
    gate.put("film-trailer.de.srt")
    gate.uploads.start_upload("film-trailer.de.srt")
    assert gate.queues.messages == [PublishTitle(trailer, verify=True)]


@pytest.mark.parametrize("status", [JobStatus.RECEIVING, JobStatus.QUEUED, JobStatus.ENCODING, JobStatus.FAILED])
def test_a_film_that_is_not_ready_is_left_to_its_plan(gate: Gate, status: JobStatus) -> None:
    job_id = gate.put("film.mkv")
    gate.uploads.start_upload("film.mkv")
    gate.jobs.set_status(job_id, status)
    gate.world.catalogue.mark_playable(title_id_for("film.mkv"), make_playback(job_id), complete=False)
    gate.queues.sent.clear()
    gate.put("film.de.srt")
    gate.uploads.start_upload("film.de.srt")
    assert gate.queues.messages == []
    assert gate.jobs.get_job(job_id).late_asked == 0
    gate.clock.forward(seconds=61)
    assert gate.uploads.start_missed_uploads() == 0


def test_a_film_that_is_replaced_plays_with_them_meanwhile(gate: Gate) -> None:
    played = ready(gate)
    gate.put("film.mkv", "0x2")
    gate.uploads.start_upload("film.mkv")
    gate.queues.sent.clear()
    gate.put("film.de.srt")
    gate.uploads.start_upload("film.de.srt")
    assert gate.queues.messages == [PublishTitle(played, verify=True)]


def test_subtitles_without_a_film_or_of_a_withdrawn_title_start_nothing(gate: Gate) -> None:
    ready(gate)
    gate.world.catalogue.withdraw_title(title_id_for("film.mkv"))
    for blob in ("film.de.srt", "other.de.srt"):
        gate.put(blob)
        gate.uploads.start_upload(blob)
    gate.uploads.start_upload("gone.de.srt")
    assert [message for message in gate.queues.messages if isinstance(message, PublishTitle)] == []


def test_an_event_is_repeated_while_the_message_cannot_be_sent(gate: Gate) -> None:
    class Away(MemoryQueues):
        def send(self, message: object, *, delay_s: int = 0) -> None:
            raise StoreUnavailable("The queue does not answer.")

    job_id = ready(gate)
    answering, gate.queues = gate.queues, Away()
    gate.put("film.de.srt")
    with pytest.raises(StoreUnavailable):
        gate.uploads.start_upload("film.de.srt")
    gate.queues = answering
    gate.clock.forward(seconds=61)
    assert gate.uploads.start_missed_uploads() == 1
    assert gate.queues.messages == [PublishTitle(job_id, verify=True)]
