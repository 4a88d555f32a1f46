"""Guarantees for other slices: titles are opened once, keep a playable version, and are published when they change."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import fields, replace
from datetime import timedelta
from typing import Any

import msgspec
import pytest

from functions.catalogue import service
from functions.catalogue.model import DescriptionSource, Details, Metadata, Status
from functions.catalogue.omdb import Found, Miss, Missed
from functions.catalogue.schemas import SidecarForm, TitleEdit, TitleFields
from functions.catalogue.sidecar import Sidecars, read_description
from functions.platform.errors import Malformed, NotFound
from tests.support.catalogue import World, make_picture, make_playback, make_title
from tests.support.clock import NOON

SINTEL = "sintel-1a2b3c"


def edit_of(changes: dict[str, object]) -> TitleEdit:
    """Return the edit parsed from a request with these fields."""
    return msgspec.convert(changes, TitleEdit)


def opened(status: Status = Status.ENCODING, stem: str = "Sintel.2010.1080p") -> World:
    world = World()
    world.catalogue.open_title(SINTEL, stem=stem, status=status)
    return world


def test_a_new_title_carries_what_its_file_name_says() -> None:
    title = opened().catalogue.get(SINTEL)
    assert (title.details.name, title.details.year, title.status) == ("Sintel", 2010, Status.ENCODING)
    assert title.metadata.source is DescriptionSource.FILENAME and not title.metadata.matched


def test_opening_twice_changes_nothing() -> None:
    world = opened()
    before = world.catalogue.get(SINTEL)
    assert world.catalogue.open_title(SINTEL, stem="Sintel.2010.1080p", status=Status.ENCODING) == before


def test_the_film_of_an_announced_title_brings_it_to_encoding_but_an_announcement_takes_nothing_back() -> None:
    world = opened(Status.ANNOUNCED)
    assert world.catalogue.open_title(SINTEL, stem="Sintel", status=Status.ENCODING).status is Status.ENCODING
    assert world.catalogue.open_title(SINTEL, stem="Sintel", status=Status.ANNOUNCED).status is Status.ENCODING


def test_a_title_plays_while_it_encodes_and_is_ready_when_complete() -> None:
    world = opened()
    playing = world.catalogue.mark_playable(SINTEL, make_playback(), complete=False)
    assert playing.status is Status.ENCODING and playing.watchable
    ready = world.catalogue.mark_playable(SINTEL, make_playback(), complete=True)
    assert ready.status is Status.READY and ready.playback == make_playback(complete=True)


def test_an_earlier_version_stays_until_the_new_one_is_complete() -> None:
    world = opened()
    world.catalogue.mark_playable(SINTEL, make_playback("old"), complete=True)
    world.catalogue.mark_encoding(SINTEL)
    during = world.catalogue.mark_playable(SINTEL, make_playback("new"), complete=False)
    assert during.status is Status.READY and during.playback and during.playback.job_id == "old"
    failed = world.catalogue.mark_failed(SINTEL, "The disk is full.")
    assert failed.status is Status.READY and failed.failure == "The disk is full." and failed.watchable
    after = world.catalogue.mark_playable(SINTEL, make_playback("new"), complete=True)
    assert after.playback and after.playback.job_id == "new" and after.failure is None


def test_a_publication_of_an_earlier_job_that_ends_late_replaces_nothing() -> None:
    world = opened()
    old = make_playback("old", opened_at=NOON)
    new = make_playback("new", opened_at=NOON + timedelta(seconds=1))
    world.catalogue.mark_playable(SINTEL, new, complete=True)
    after = world.catalogue.mark_playable(SINTEL, old, complete=True)
    assert after.playback and after.playback.job_id == "new"
    assert world.catalogue.mark_playable(SINTEL, replace(new, thumbnails=True), complete=True).playback != new


def test_a_late_message_of_a_finished_job_does_not_make_it_unfinished() -> None:
    world = opened()
    world.catalogue.mark_playable(SINTEL, make_playback(), complete=True)
    assert world.catalogue.mark_playable(SINTEL, make_playback(), complete=False).status is Status.READY


def test_a_failure_without_an_earlier_version_shows_its_reason() -> None:
    failed = opened().catalogue.mark_failed(SINTEL, "The file has no video.")
    assert (failed.status, failed.failure, failed.listed) == (Status.FAILED, "The file has no video.", False)


def test_a_change_nobody_sees_is_not_published_and_one_that_is_seen_is_asked_for_until_done() -> None:
    world = opened()
    world.publisher.publish()
    world.catalogue.mark_encoding(SINTEL)
    assert world.announced == 1  # requested when the title was opened
    world.catalogue.mark_playable(SINTEL, make_playback(), complete=False)
    assert world.announced == 2
    world.catalogue.mark_playable(SINTEL, make_playback(), complete=False)
    assert world.announced == 3  # still not published, so the request for publication is repeated


def test_a_change_that_comes_in_between_is_kept() -> None:
    world = opened().with_rival(lambda: world.catalogue.edit_title(SINTEL, edit_of({"rated": "12"})))
    title = world.catalogue.mark_playable(SINTEL, make_playback(), complete=True)
    assert world.rivals == 1
    assert (title.details.rated, title.status) == ("12", Status.READY)


def test_changes_made_at_once_are_all_kept() -> None:
    world = opened()
    world.films.answers["Sintel", 2010] = Found(Details("Sintel", 2010, plot="A dragon."), None)
    changes: list[Any] = [
        lambda: world.catalogue.mark_playable(SINTEL, make_playback(), complete=False),
        lambda: world.catalogue.refresh_metadata(SINTEL, "Sintel.2010.1080p"),
        lambda: world.catalogue.edit_title(SINTEL, edit_of({"rated": "12"})),
        lambda: world.catalogue.attach_frame(SINTEL, make_picture()),
    ]
    with ThreadPoolExecutor(8) as pool:
        for done in [pool.submit(change) for change in changes * 5]:
            done.result()
    title = world.catalogue.get(SINTEL)
    assert title.playback and title.details.plot == "A dragon." and title.details.rated == "12"
    assert title.artwork.card


def test_an_edit_outlives_every_refresh() -> None:
    world = opened()
    world.films.answers["Sintel", 2010] = Found(Details("Sintel", 2010, rated="PG", plot="A dragon."), None)
    world.catalogue.edit_title(SINTEL, edit_of({"name": "Sintel: The Film", "rated": None}))
    details = world.catalogue.refresh_metadata(SINTEL, "Sintel.2010.1080p").details
    assert (details.name, details.rated, details.plot) == ("Sintel: The Film", None, "A dragon.")


@pytest.mark.parametrize(
    "edit", [{}, {"status": "ready"}, {"name": None}, {"name": ""}, {"year": "soon"}, {"genres": [1]}, {"_id": "x"}]
)
def test_an_edit_of_the_wrong_form_is_refused_and_changes_nothing(edit: dict[str, object]) -> None:
    world = opened()
    before = world.catalogue.get(SINTEL)
    with pytest.raises((Malformed, msgspec.ValidationError)):
        world.catalogue.edit_title(SINTEL, edit_of(edit))
    assert world.catalogue.get(SINTEL) == before


def test_a_match_is_not_given_up_when_omdb_is_away_later() -> None:
    world = opened()
    world.films.answers["Sintel", 2010] = Found(Details("Sintel", 2010, plot="A dragon."), None)
    world.catalogue.refresh_metadata(SINTEL, "Sintel.2010.1080p")
    world.films.answers["Sintel", 2010] = Missed(Miss.UNREACHABLE, "OMDb did not answer in time.")
    title = world.catalogue.refresh_metadata(SINTEL, "Sintel.2010.1080p")
    assert title.details.plot == "A dragon." and title.metadata.matched
    assert title.metadata.reason == "OMDb did not answer in time." and title.metadata.retry_at is None


def test_descriptions_that_are_due_are_asked_for_once() -> None:
    world = opened()
    assert world.catalogue.request_due() == 0
    world.clock.forward(minutes=20)
    assert world.catalogue.request_due() == 1
    assert world.fetched == [(SINTEL, "Sintel.2010.1080p")]
    assert world.catalogue.request_due() == 0


def test_a_metadata_message_for_an_unknown_title_opens_it_as_announced() -> None:
    world = World()
    world.sidecars.films["soon"] = Sidecars(read_description(b'{"title": "Soon", "plot": "It will come."}'))
    title = world.catalogue.refresh_metadata("soon-123456", "soon")
    assert (title.status, title.details.name, title.metadata.source) == (
        Status.ANNOUNCED,
        "Soon",
        DescriptionSource.SIDECAR,
    )


def test_a_broken_still_is_a_reason_and_no_failure() -> None:
    title = opened().catalogue.attach_frame(SINTEL, b"no picture")
    assert title.artwork.card is None and title.metadata.reason and "still" in title.metadata.reason


def test_a_note_of_failed_metadata_sets_a_later_try() -> None:
    world = opened()
    world.catalogue.record_metadata_failure(SINTEL, "The store was away.")
    metadata = world.catalogue.get(SINTEL).metadata
    assert metadata.reason == "The store was away." and metadata.retry_at == NOON + timedelta(days=1)


def test_a_withdrawn_title_is_gone_until_it_is_uploaded_anew() -> None:
    world = opened()
    world.catalogue.attach_frame(SINTEL, make_picture())
    world.catalogue.mark_playable(SINTEL, make_playback(), complete=True)
    world.publisher.publish()
    world.catalogue.withdraw_title(SINTEL)
    world.publisher.publish()
    assert sorted(world.site.files) == ["catalogue/home.json", "catalogue/index.json", "catalogue/search.json"]
    with pytest.raises(NotFound):
        world.catalogue.get(SINTEL)
    late = world.catalogue.mark_playable(SINTEL, make_playback(), complete=True)
    assert late.status is Status.WITHDRAWN and late.playback is None
    world.catalogue.attach_frame(SINTEL, make_picture())
    assert not [path for path in world.site.files if path.startswith("art/")]
    assert world.catalogue.open_title(SINTEL, stem="Sintel", status=Status.ENCODING).status is Status.ENCODING


def test_withdrawing_twice_is_the_same_as_once_but_not_of_what_never_was() -> None:
    world = opened()
    world.catalogue.withdraw_title(SINTEL)
    world.catalogue.withdraw_title(SINTEL)
    with pytest.raises(NotFound):
        world.catalogue.withdraw_title("nothing-000000")


def test_pages_follow_each_other_without_gap_or_repeat_while_titles_come_in() -> None:
    world = World().with_titles(make_title(f"film-{n}", added_s=n) for n in range(7))
    first = world.catalogue.list_titles(limit=3)
    world.with_titles([make_title("newer", added_s=99)])
    second = world.catalogue.list_titles(limit=3, cursor=first.cursor or "")
    third = world.catalogue.list_titles(limit=3, cursor=second.cursor or "")
    seen = [title.id for page in (first, second, third) for title in page.entries]
    assert seen == [f"film-{n}" for n in reversed(range(7))] and third.cursor is None


def test_titles_without_a_known_age_rating_are_found_however_many_others_there_are(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(service, "UNRATED_BATCH", 4)
    ratings = (None, "PG", "R", "FSK 12", "Approved", "PG", "PG", "PG", "PG", "", "PG", "PG", None)
    world = World().with_titles(
        make_title(f"film-{number:02}", name=f"film {number}", added_s=number, rated=rated, draft=number == 4)
        for number, rated in enumerate(ratings)
    )
    seen: list[list[str]] = []
    cursor: str | None = ""
    while cursor is not None:
        page = world.catalogue.list_titles("film", cursor=cursor, limit=2, drafts=True, unrated=True)
        seen.append([title.id for title in page.entries])
        cursor = page.cursor
    assert seen == [["film-12", "film-09"], ["film-04", "film-00"]]
    assert [title.id for title in world.catalogue.list_titles(unrated=True).entries] == [
        "film-12",
        "film-09",
        "film-00",
    ]
    assert not world.catalogue.list_titles("another", unrated=True).entries


def test_the_attempts_of_a_hopeless_search_grow_apart() -> None:
    world = opened()
    waits = []
    for _ in range(5):
        title = world.catalogue.refresh_metadata(SINTEL, "Sintel.2010.1080p")
        assert title.metadata.retry_at is not None
        waits.append((title.metadata.retry_at - world.clock.now).days)
    assert waits == [1, 2, 4, 7, 7]
    assert title.metadata == Metadata(
        DescriptionSource.FILENAME,
        reason="OMDb does not know the film: Movie not found!",
        retry_at=NOON + timedelta(days=7),
        attempts=5,
    )


def test_reading_titles_imports_nothing_that_only_new_titles_need() -> None:
    code = "import sys, functions.catalogue.assembly, functions.catalogue.schemas; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert {"PIL", "guessit", "pydantic"}.isdisjoint(done.stdout.split())


def test_every_field_of_a_description_is_shown_and_can_be_set() -> None:
    described = {field.name for field in fields(Details)}
    assert set(TitleFields.__struct_fields__) == described
    assert set(TitleEdit.__struct_fields__) == described
    assert set(SidecarForm.__struct_fields__) == described - {"name"} | {"title"}
