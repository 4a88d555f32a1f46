"""Every upload ends as one title or one failed job, even if its event is lost, late or repeated."""

from __future__ import annotations

import random

import pytest

from functions.catalogue.model import Status
from functions.encoding.model import JobStatus
from functions.platform.errors import StoreUnavailable
from functions.platform.identifiers import title_id_for
from functions.platform.messages import FetchMetadata, PlanEncode
from functions.uploads import service
from functions.uploads.ports import Watermark
from tests.support.clock import NOON
from tests.unit.uploads.test_service import Gate

AWAY = StoreUnavailable("The document store does not answer.")


@pytest.fixture
def gate() -> Gate:
    return Gate()


def plans(gate: Gate) -> list[str]:
    return [message.job_id for message in gate.queues.messages if isinstance(message, PlanEncode)]


def descriptions(gate: Gate) -> list[str]:
    return [message.stem for message in gate.queues.messages if isinstance(message, FetchMetadata)]


def test_film_whose_event_was_lost_gets_title_job_and_messages(gate: Gate) -> None:
    job_id = gate.put("film.mkv")
    gate.clock.forward(seconds=61)
    assert gate.uploads.start_missed_uploads() == 1
    assert gate.status("film.mkv") is Status.ENCODING
    assert gate.jobs.get_job(job_id).is_open
    assert (plans(gate), descriptions(gate)) == ([job_id], ["film"])
    assert gate.uploads.start_missed_uploads() == 0
    assert plans(gate) == [job_id]


@pytest.mark.parametrize("blob", ["film.json", "film.jpg", "film.backdrop.jpg"])
def test_sidecar_whose_event_was_lost_refreshes_its_title_once(gate: Gate, blob: str) -> None:
    gate.put("film.mkv")
    gate.uploads.start_upload("film.mkv")
    gate.put(blob)
    gate.clock.forward(seconds=61)
    assert [gate.uploads.start_missed_uploads() for _ in range(3)] == [1, 0, 0]
    assert descriptions(gate) == ["film", "film"]


def test_upload_whose_event_arrived_is_left_alone(gate: Gate) -> None:
    for blob in ("film.mkv", "film.json", "film.en.srt"):
        gate.put(blob)
        gate.uploads.start_upload(blob)
    sent = len(gate.queues.messages)
    gate.clock.forward(seconds=61)
    assert gate.uploads.start_missed_uploads() == 0
    assert len(gate.queues.messages) == sent


def test_young_upload_is_left_to_its_event(gate: Gate) -> None:
    gate.put("film.mkv")
    gate.clock.forward(seconds=59)
    assert gate.uploads.start_missed_uploads() == 0
    gate.clock.forward(seconds=1)
    assert gate.uploads.start_missed_uploads() == 1


def test_second_version_whose_event_was_lost_is_started(gate: Gate) -> None:
    gate.put("film.mkv", "0x1")
    gate.uploads.start_upload("film.mkv")
    gate.clock.forward(seconds=61)
    gate.uploads.start_missed_uploads()
    newer = gate.put("film.mkv", "0x2")
    gate.clock.forward(seconds=61)
    assert gate.uploads.start_missed_uploads() == 1
    assert gate.jobs.get_job(newer).is_open


def test_messages_that_were_never_sent_are_sent_by_the_timer(gate: Gate) -> None:
    """The function for the event opened the job, but the queue was unavailable in all attempts."""
    job_id = gate.put("film.mkv")
    gate.uploads.record_arrival("film.mkv")
    gate.clock.forward(seconds=61)
    assert gate.uploads.start_missed_uploads() == 1
    assert (plans(gate), descriptions(gate)) == ([job_id], ["film"])


def test_store_that_is_away_ends_the_pass_and_the_next_one_continues(gate: Gate) -> None:
    first = gate.put("a.mkv")
    gate.uploads.start_upload("a.mkv")
    second, third = gate.put("b.mkv"), gate.put("c.mkv")
    gate.clock.forward(seconds=61)
    gate.jobs.away = AWAY
    with pytest.raises(StoreUnavailable):
        gate.uploads.start_missed_uploads()
    assert gate.arrivals.place == Watermark(gate.store.blobs["a.mkv"].uploaded_at, "a.mkv")
    gate.jobs.away = None
    assert gate.uploads.start_missed_uploads() == 2
    assert plans(gate) == [first, second, third]


def test_upload_that_cannot_be_started_is_retried_and_does_not_stop_the_others(
    gate: Gate, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    broken, other = gate.put("broken.mkv"), gate.put("other.mkv")
    gate.clock.forward(seconds=61)
    start = gate.uploads.start_upload
    with monkeypatch.context() as patched:

        def refuse(blob: str) -> None:
            if blob == "broken.mkv":
                raise ValueError(blob)
            start(blob)

        patched.setattr(gate.uploads, "start_upload", refuse)
        assert [gate.uploads.start_missed_uploads() for _ in range(2)] == [1, 0]
    assert "broken.mkv could not be started" in caplog.text
    assert gate.uploads.start_missed_uploads() == 1
    assert plans(gate) == [other, broken]


@pytest.mark.parametrize("blob", ["broken.mkv", "broken.json"])
def test_upload_that_never_starts_is_reported_after_a_day_and_holds_no_other_back(
    gate: Gate, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, blob: str
) -> None:
    monkeypatch.setattr(service, "MOST_IN_A_PASS", 3)
    broken = gate.put(blob)
    others = [gate.put(f"{number}.mkv") for number in range(4)]
    start = gate.uploads.start_upload

    def refuse(name: str) -> None:
        if name == blob:
            raise ValueError(name)
        start(name)

    monkeypatch.setattr(gate.uploads, "start_upload", refuse)
    gate.clock.forward(seconds=61)
    assert [gate.uploads.start_missed_uploads() for _ in range(3)] == [2, 0, 0], "the others wait behind it"
    gate.clock.forward(days=1)
    assert [gate.uploads.start_missed_uploads() for _ in range(3)] == [0, 2, 0]
    assert plans(gate) == others
    assert f"{blob} could not be started for a day" in caplog.text
    if blob == "broken.mkv":
        job = gate.jobs.get_job(broken)
        assert job.status is JobStatus.FAILED
        assert job.reason and job.reason.endswith("Upload broken.mkv again.")


def test_finished_uploads_are_not_compared_again(gate: Gate) -> None:
    for number in range(40):
        gate.put(f"{number}.mkv")
        gate.uploads.start_upload(f"{number}.mkv")
    gate.clock.forward(seconds=61)
    gate.uploads.start_missed_uploads()
    asked, reads = len(gate.arrivals.asked), gate.jobs.calls.total()
    gate.uploads.start_missed_uploads()
    assert (len(gate.arrivals.asked), gate.jobs.calls.total()) == (asked, reads)
    assert len(gate.arrivals.marks) == 1


def test_passes_are_bounded_and_lose_nothing_at_their_borders(gate: Gate, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "MOST_IN_A_PASS", 3)
    for number in range(8):  # all within the same second
        gate.put(f"{number}.mkv")
        gate.clock.forward(seconds=-1)
    gate.clock.forward(seconds=100)
    assert [gate.uploads.start_missed_uploads() for _ in range(4)] == [3, 3, 2, 0]
    assert len(set(plans(gate))) == 8


def test_films_of_an_earlier_version_are_not_started_again(gate: Gate) -> None:
    """Their jobs have ended, and there is neither a mark nor a watermark."""
    job_id = gate.put("film.mkv")
    gate.uploads.record_arrival("film.mkv")
    gate.jobs.set_status(job_id, JobStatus.READY)
    gate.clock.forward(seconds=61)
    assert gate.uploads.start_missed_uploads() == 0
    assert gate.queues.messages == []


@pytest.mark.parametrize("later_is_over", [False, True])
def test_late_event_of_a_replaced_film_ends_as_a_failed_job(gate: Gate, *, later_is_over: bool) -> None:
    older = gate.put("film.mp4")
    newer = gate.put("film.mkv")
    gate.uploads.start_upload("film.mkv")
    if later_is_over:
        gate.lifecycle.fail(gate.jobs.get_job(newer), "It is cut off.")
    before = gate.world.catalogue.get(title_id_for("film.mkv"))
    gate.clock.forward(seconds=61)
    assert gate.uploads.start_missed_uploads() == 1
    job = gate.jobs.get_job(older)
    assert job.status is JobStatus.FAILED
    why = (
        "film.mkv was uploaded later and had already replaced this file"
        if later_is_over
        else "film.mkv is already the film of this title"
    )
    assert (job.reason or "").startswith(why)
    newest = gate.jobs.latest_summary(title_id_for("film.mkv"))
    assert newest and newest.id == newer
    assert gate.jobs.get_job(newer).is_open is not later_is_over
    assert gate.world.catalogue.get(title_id_for("film.mkv")) == before
    assert older not in plans(gate)


@pytest.mark.parametrize("seed", range(20))
def test_events_dropped_repeated_delayed_and_reordered_give_one_job_each(gate: Gate, seed: int) -> None:
    chance = random.Random(seed)
    versions: dict[str, str] = {}  # blob -> its current version
    events: list[str] = []
    for number in range(12):
        blob = f"{number % 5}.{chance.choice(['mkv', 'mp4', 'json'])}"
        version = gate.put(blob, f"0x{number}")
        if not blob.endswith("json"):
            versions[blob] = version
        events += [blob] * chance.choice([0, 1, 1, 3])
        chance.shuffle(events)
        gate.jobs.away = AWAY if chance.random() < 0.3 else None
        for event in [events.pop() for _ in range(chance.randint(0, len(events)))]:
            try:
                gate.uploads.start_upload(event)
            except StoreUnavailable:
                events += [event] if chance.random() < 0.5 else []
        if chance.random() < 0.4:
            gate.clock.forward(seconds=chance.choice([5, 90]))
            try:
                gate.uploads.start_missed_uploads()
            except StoreUnavailable:
                continue
    gate.jobs.away = None
    gate.clock.forward(seconds=61)
    gate.uploads.start_missed_uploads()
    for event in events:
        gate.uploads.start_upload(event)
    gate.clock.forward(seconds=61)
    assert gate.uploads.start_missed_uploads() == 0

    jobs = gate.jobs.list_summaries(below=None, limit=99)
    assert {job.id for job in jobs} >= set(versions.values())
    for title_id in {job.title_id for job in jobs}:
        of_title = [job for job in jobs if job.title_id == title_id]
        latest = max(of_title, key=lambda job: job.uploaded_at or NOON)
        assert [job.id for job in of_title if job.status is not JobStatus.FAILED] == [latest.id]
        assert gate.world.catalogue.get(title_id).status is Status.ENCODING
