"""The catalogue's functions: what they answer is documented, and a message that cannot be done is told to the title."""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass, field, replace
from typing import Any

import azure.functions as func
import pytest

from functions import bootstrap
from functions.catalogue import triggers
from functions.catalogue.model import Artwork, PlayableSubtitles, Rating, Status
from functions.platform.errors import Malformed, StoreUnavailable
from tests.support.api import call
from tests.support.catalogue import World, make_playback, make_title
from tests.support.owners import AS_ADMINISTRATOR, AS_OPERATOR, make_owners


@dataclass
class Progress:
    """How far an encode is."""

    status: str = "encoding"
    reason: str | None = None
    percent: float = 41.5
    front_s: float = 24.0
    duration_s: float | None = 120.0
    eta_s: float | None = 33.0


@dataclass
class Encodes:
    """The newest job of every title."""

    latest: Progress | None = None
    cancelled: list[str] = field(default_factory=list)

    def cancel(self, title_id: str, reason: str) -> None:
        self.cancelled.append(title_id)

    def latest_for(self, title_id: str) -> Progress | None:
        return self.latest


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    made = World().with_titles(
        [
            make_title("bare", status=Status.ANNOUNCED),
            make_title(
                "full",
                added_s=1,
                year=2010,
                genres=("Fantasy",),
                ratings=(Rating("Internet Movie Database", "7.4/10"),),
                imdb_rating=7.4,
                artwork=Artwork(poster="art/full/poster.jpg?v=1"),
                playback=make_playback(subtitles=(PlayableSubtitles("en", "en", "English"),), complete=True),
            ),
        ]
    )
    monkeypatch.setattr(bootstrap, "catalogue", lambda: made.catalogue)
    monkeypatch.setattr(bootstrap, "publisher", lambda: made.publisher)
    monkeypatch.setattr(bootstrap, "encodes", Encodes)
    monkeypatch.setattr(bootstrap, "owners", make_owners)
    return made


def message(body: object) -> func.QueueMessage:
    return func.QueueMessage(body=body if isinstance(body, bytes) else json.dumps(body).encode())


def run(function: Any, *arguments: object) -> None:
    function._function.get_user_function()(*arguments)


def test_titles_are_listed_page_by_page(world: World) -> None:
    status, first = call(triggers.list_titles, "titles?limit=1")
    assert (status, [title["id"] for title in first["titles"]]) == (200, ["full"])
    status, second = call(triggers.list_titles, f"titles?limit=1&cursor={first['cursor']}")
    assert [title["id"] for title in second["titles"]] == ["bare"] and second["cursor"] is None


@pytest.mark.parametrize("asked", ["limit=0", "limit=101", "limit=x", "cursor=x", "q=$", "genre={}", f"q={'x' * 201}"])
def test_a_question_of_the_wrong_form_is_malformed(world: World, asked: str) -> None:
    status, body = call(triggers.list_titles, f"titles?{asked}")
    assert (status, body["error"]) == (422, "malformed")


def test_a_title_tells_how_far_its_encode_is(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    status, body = call(triggers.get_title, "titles/full", route={"id": "full"})
    assert status == 200 and body["progress"] is None
    monkeypatch.setattr(bootstrap, "encodes", lambda: Encodes(Progress()))
    _, body = call(triggers.get_title, "titles/full", route={"id": "full"})
    assert body["progress"]["percent"] == 41.5


def test_an_unknown_title_is_not_found(world: World) -> None:
    for function in (triggers.get_title, triggers.edit_title, triggers.withdraw_title):
        status, body = call(
            function, "titles/nothing", route={"id": "nothing"}, body={"name": "x"}, headers=AS_OPERATOR
        )
        assert (status, body["error"]) == (404, "not_found")


def test_a_title_is_edited(world: World) -> None:
    changes = {"plot": "New.", "year": None}
    status, body = call(triggers.edit_title, "titles/full", route={"id": "full"}, body=changes, headers=AS_OPERATOR)
    assert (status, body["plot"], body["year"], body["genres"]) == (200, "New.", None, ["Fantasy"])


@pytest.mark.parametrize("body", [{}, {"revision": 9}, {"name": {"$set": 1}}, b"{", b"[]"])
def test_an_edit_of_the_wrong_form_is_malformed(world: World, body: object) -> None:
    status, answer = call(triggers.edit_title, "titles/full", route={"id": "full"}, body=body, headers=AS_OPERATOR)
    assert (status, answer["error"]) == (422, "malformed")


def test_a_withdrawn_title_is_gone_and_its_encode_ends(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    encodes = Encodes()
    monkeypatch.setattr(bootstrap, "encodes", lambda: encodes)
    assert call(triggers.withdraw_title, "titles/full", route={"id": "full"}, headers=AS_ADMINISTRATOR)[0] == 204
    assert call(triggers.get_title, "titles/full", route={"id": "full"})[0] == 404
    assert encodes.cancelled == ["full"]


def test_a_store_that_is_away_is_answered_as_such(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(title_id: str) -> None:
        raise StoreUnavailable("The catalogue's store does not answer.")

    monkeypatch.setattr(world.catalogue, "get", away)
    assert call(triggers.get_title, "titles/full", route={"id": "full"})[0] == 503


def test_a_message_describes_its_title(world: World) -> None:
    run(triggers.fetch_metadata, message({"title_id": "new-000001", "stem": "My.Film.2020"}))
    assert world.catalogue.get("new-000001").details.name == "My Film"


@pytest.mark.parametrize("body", [b"{", [], {}, {"title_id": "x"}, {"title_id": 1, "stem": "x"}])
def test_a_message_of_the_wrong_form_is_poison(world: World, body: object) -> None:
    with pytest.raises(Malformed):
        run(triggers.fetch_metadata, message(body))


def test_a_poisoned_message_leaves_its_reason_on_the_title(world: World) -> None:
    run(triggers.fetch_metadata_poison, message({"title_id": "bare", "stem": "bare"}))
    metadata = world.catalogue.get("bare").metadata
    assert metadata.reason and "could not be fetched" in metadata.reason and metadata.retry_at


@pytest.mark.parametrize("body", [b"{", {"title_id": "nothing", "stem": "nothing"}])
def test_a_poisoned_message_for_no_title_is_logged(
    world: World, body: object, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.ERROR)
    run(triggers.fetch_metadata_poison, message(body))
    assert "for no title" in caplog.text


def test_the_timer_asks_for_what_is_due_and_publishes_what_was_left(world: World) -> None:
    title = world.catalogue.get("bare")
    late = replace(title, metadata=replace(title.metadata, retry_at=world.clock.now), revision=2)
    assert world.titles.save(late, over=1)
    run(triggers.mend_catalogue, None)
    assert world.fetched == [("bare", "bare")]
    assert "catalogue/home.json" in world.site.files


def test_a_message_publishes(world: World) -> None:
    run(triggers.publish_catalogue, message({}))
    assert "catalogue/titles/full.json" in world.site.files
