"""A film named like an announced title becomes that title's film; if the match is not certain, the owner decides."""

from __future__ import annotations

import pytest

from functions.catalogue.model import Status
from functions.platform.errors import Conflict, NotFound
from functions.platform.identifiers import title_id_for
from tests.support.catalogue import make_title
from tests.unit.uploads.test_service import Gate

STEM = "Coming/The Sea (2010)"
SEA = title_id_for(f"{STEM}.json")


@pytest.fixture
def gate() -> Gate:
    """Return uploads with one announced title, "The Sea" of 2010."""
    gate = Gate()
    gate.world.with_titles([make_title(SEA, stem=STEM, name="The Sea", year=2010, status=Status.ANNOUNCED)])
    return gate


@pytest.mark.parametrize(
    ("name", "blob"),
    [
        ("the.sea.2010.1080p.WEB.mkv", f"{STEM}.mkv"),
        ("The Sea (2010).MP4", f"{STEM}.MP4"),
        ("the.sea.2010.1080p.WEB.en.forced.srt", f"{STEM}.en.forced.srt"),
        ("the.sea.2010.1080p.WEB.backdrop.jpg", f"{STEM}.backdrop.jpg"),
        ("the.sea.2011.mkv", "the.sea.2011.mkv"),
    ],
)
def test_file_of_an_announced_title_gets_its_name(gate: Gate, name: str, blob: str) -> None:
    ticket = gate.uploads.issue_ticket(name, size=1000)
    assert (ticket.blob, ticket.title_id, ticket.announced) == (blob, title_id_for(blob), ())
    assert f"/uploads/{blob}?" in ticket.upload_url


def test_film_becomes_that_of_the_announced_title(gate: Gate) -> None:
    ticket = gate.uploads.issue_ticket("the.sea.2010.mkv", size=1000)
    gate.put(ticket.blob)
    gate.uploads.start_upload(ticket.blob)
    title = gate.world.catalogue.get(SEA)
    assert (title.status, title.film, title.details.name) == (Status.ENCODING, f"{STEM}.mkv", "The Sea")
    assert gate.world.catalogue.count_titles() == 1


def test_film_that_may_be_that_of_an_announced_title_has_its_own_name_until_the_owner_says_so(gate: Gate) -> None:
    ticket = gate.uploads.issue_ticket("the sea.mkv", size=1000)
    assert (ticket.blob, [title.id for title in ticket.announced]) == ("the sea.mkv", [SEA])
    assert gate.uploads.issue_ticket("the sea.srt", size=9).announced == ()
    assert gate.uploads.issue_ticket("the sea.mkv", size=1000, for_title=SEA).blob == f"{STEM}.mkv"
    own = gate.uploads.issue_ticket("the sea.mkv", size=1000, for_title="")
    assert (own.blob, own.announced) == ("the sea.mkv", ())


def test_owner_may_say_that_a_film_of_the_same_name_is_another_one(gate: Gate) -> None:
    assert gate.uploads.issue_ticket("the.sea.2010.mkv", size=1000, for_title="").blob == "the.sea.2010.mkv"


def test_film_is_only_for_a_title_that_is_announced(gate: Gate) -> None:
    gate.world.catalogue.mark_encoding(SEA)
    assert gate.uploads.issue_ticket("the.sea.2010.mkv", size=1000).blob == "the.sea.2010.mkv"
    with pytest.raises(Conflict, match="already has a film"):
        gate.uploads.issue_ticket("the sea.mkv", size=1000, for_title=SEA)
    with pytest.raises(NotFound):
        gate.uploads.issue_ticket("the sea.mkv", size=1000, for_title="unknown-1a2b3c")


def test_new_version_of_a_title_of_its_own_stays_with_it(gate: Gate) -> None:
    gate.put("the sea.mkv")
    gate.uploads.start_upload("the sea.mkv")
    ticket = gate.uploads.issue_ticket("the sea.mkv", size=1000)
    assert (ticket.blob, ticket.replaces, ticket.announced) == ("the sea.mkv", True, ())
