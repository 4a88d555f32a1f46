"""An upload whose name ends with "trailer" is the trailer of the title with the rest of the name."""

from __future__ import annotations

import pytest

from functions.catalogue.model import Status
from functions.encoding.model import JobStatus
from functions.platform.errors import Conflict
from functions.platform.identifiers import title_id_for, title_id_of, trailer_id_of
from functions.platform.messages import FetchMetadata, PlanEncode
from tests.support.catalogue import make_title
from tests.unit.uploads.test_service import Gate

STEM = "Coming/The Sea (2010)"
SEA = title_id_of(STEM)


@pytest.fixture
def gate() -> Gate:
    return Gate()


def test_trailer_is_encoded_like_a_film_but_not_described(gate: Gate) -> None:
    job_id = gate.put("sea-trailer.mp4")
    gate.uploads.start_upload("sea-trailer.mp4")
    title = gate.world.catalogue.find_title(title_id_for("sea-trailer.mp4"))
    assert title and (title.trailer_of, title.status) == (title_id_of("sea"), Status.ENCODING)
    assert gate.jobs.get_job(job_id).title_id == title.id
    messages = gate.queues.messages
    assert [message.job_id for message in messages if isinstance(message, PlanEncode)] == [job_id]
    assert not [message for message in messages if isinstance(message, FetchMetadata)]
    assert gate.world.catalogue.find_title(title_id_of("sea")) is None


def test_repeated_event_of_a_trailer_that_is_ready_changes_nothing(gate: Gate) -> None:
    job_id = gate.put("sea-trailer.mp4")
    gate.uploads.start_upload("sea-trailer.mp4")
    gate.jobs.set_status(job_id, JobStatus.READY)
    before = gate.world.catalogue.find_title(title_id_for("sea-trailer.mp4"))
    gate.uploads.start_upload("sea-trailer.mp4")
    assert gate.world.catalogue.find_title(title_id_for("sea-trailer.mp4")) == before
    assert not [message for message in gate.queues.messages if isinstance(message, FetchMetadata)]


@pytest.mark.parametrize("name", ["sea-trailer.json", "sea.trailer.jpg", "sea-trailer.backdrop.png"])
def test_description_of_a_trailer_starts_nothing(gate: Gate, name: str) -> None:
    gate.put(name)
    gate.uploads.start_upload(name)
    assert gate.queues.sent == []
    assert gate.world.catalogue.count_titles() == 0
    gate.clock.forward(minutes=5)
    assert gate.uploads.start_missed_uploads() == 0


def test_both_spellings_are_the_same_trailer(gate: Gate) -> None:
    gate.put("sea-trailer.mp4")
    gate.uploads.start_upload("sea-trailer.mp4")
    ticket = gate.uploads.issue_ticket("sea.trailer.mkv", size=9)
    assert (ticket.title_id, ticket.existing) == (title_id_for("sea-trailer.mp4"), "sea-trailer.mp4")


@pytest.mark.parametrize(
    ("name", "blob"),
    [
        ("the.sea.2010.1080p-trailer.mp4", f"{STEM}-trailer.mp4"),
        ("The Sea (2010).Trailer.MP4", f"{STEM}.Trailer.MP4"),
        ("the.sea.2011-trailer.mp4", "the.sea.2011-trailer.mp4"),
    ],
)
def test_trailer_of_an_announced_title_gets_its_name(gate: Gate, name: str, blob: str) -> None:
    gate.world.with_titles([make_title(SEA, stem=STEM, name="The Sea", year=2010, status=Status.ANNOUNCED)])
    ticket = gate.uploads.issue_ticket(name, size=1000)
    assert (ticket.blob, ticket.announced) == (blob, ())
    assert (ticket.title_id == trailer_id_of(STEM)) == (blob != "the.sea.2011-trailer.mp4")


def test_trailer_may_be_uploaded_for_a_title_that_has_its_film(gate: Gate) -> None:
    gate.world.with_titles([make_title(SEA, stem=STEM, name="The Sea", status=Status.READY)])
    assert gate.uploads.issue_ticket("clip-trailer.mp4", size=9, for_title=SEA).blob == f"{STEM}-trailer.mp4"
    with pytest.raises(Conflict):
        gate.uploads.issue_ticket("clip.mp4", size=9, for_title=SEA)
