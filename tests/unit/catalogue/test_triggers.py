"""The functions of the catalogue answer as documented, and a message that fails records the reason on the title."""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from functions import bootstrap
from functions.catalogue import triggers
from functions.catalogue.model import Artwork, PlayableSubtitles, Rating, Status
from functions.catalogue.schemas import FAILED
from functions.platform.errors import StoreUnavailable
from tests.support.api import call
from tests.support.catalogue import World, make_playback, make_title
from tests.support.owners import AS_ADMINISTRATOR, AS_OPERATOR, FakeAccess
from tests.support.queues import MemoryQueues, handle


@dataclass
class Progress:
    """The progress of an encode."""

    status: str = "encoding"
    reason: str | None = None
    percent: float = 41.5
    front_s: float = 24.0
    duration_s: float | None = 120.0
    eta_s: float | None = 33.0
    uploaded_percent: float | None = None


@dataclass
class Encodes:
    """The newest job of every title."""

    latest: Progress | None = None
    ended: list[str] = field(default_factory=list)

    def end_withdrawn(self, title_id: str) -> None:
        self.ended.append(title_id)

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
    monkeypatch.setattr(bootstrap, "access", FakeAccess)
    return made


@pytest.fixture
def queues(monkeypatch: pytest.MonkeyPatch) -> MemoryQueues:
    made = MemoryQueues()
    monkeypatch.setattr(bootstrap.resources, "queues", lambda: made)
    return made


def message(body: object) -> bytes:
    return body if isinstance(body, bytes) else json.dumps(body).encode()


def tick(function: Any) -> None:
    function._function.get_user_function()(None)


def test_titles_are_listed_page_by_page(world: World) -> None:
    status, first = call(triggers.list_titles, "titles?limit=1")
    assert (status, [title["id"] for title in first["titles"]]) == (200, ["full"])
    status, second = call(triggers.list_titles, f"titles?limit=1&cursor={first['cursor']}")
    assert [title["id"] for title in second["titles"]] == ["bare"] and second["cursor"] is None


@pytest.mark.parametrize(
    "asked",
    [
        "limit=0",
        "limit=-1",
        "limit=101",
        "limit=x",
        "cursor=x",
        "cursor=9999-12-31T23:59:59-14:00",
        "q=$",
        "genre={}",
        f"q={'x' * 201}",
    ],
)
def test_a_question_of_the_wrong_form_is_malformed(world: World, asked: str) -> None:
    status, body = call(triggers.list_titles, f"titles?{asked}")
    assert (status, body["error"]) == (422, "malformed")


def test_a_title_tells_how_far_its_encode_is(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    status, body = call(triggers.get_title, "titles/full", route={"id": "full"})
    assert status == 200 and body["progress"] is None
    monkeypatch.setattr(bootstrap, "encodes", lambda: Encodes(Progress(uploaded_percent=71.0)))
    _, body = call(triggers.get_title, "titles/full", route={"id": "full"})
    assert body["progress"]["percent"] == 41.5
    assert body["progress"]["uploaded_percent"] == 71.0


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


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"revision": 9},
        {"name": {"$set": 1}},
        {"kind": None},
        {"kind": "film"},
        {"imdb_votes": 2**63},
        {"imdb_votes": 10**400},
        {"name": "Sin\0tel"},
        {"name": "Sin\u202etel"},
        {"name": "Sin\u2028tel"},
        {"name": " "},
        {"plot": "Sin\0tel"},
        {"genres": ["Sin\0tel"]},
        {"genres": "Drama, Sin\u202etel"},
        {"ratings": [{"source": "\u202e", "value": "1"}]},
        b"{",
        b"[]",
        b"[" * 5000,
    ],
)
def test_an_edit_of_the_wrong_form_is_malformed(world: World, body: object) -> None:
    status, answer = call(triggers.edit_title, "titles/full", route={"id": "full"}, body=body, headers=AS_OPERATOR)
    assert (status, answer["error"]) == (422, "malformed")


def test_reasons_of_failures_are_shown_to_the_owner_only(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    secret = "ffmpeg: https://storage/?sig=secret"
    world.catalogue.mark_failed("full", secret)
    world.catalogue.record_metadata_failure("full", secret)
    monkeypatch.setattr(bootstrap, "encodes", lambda: Encodes(Progress(status="failed", reason=secret)))
    for address, function, route in (
        ("titles", triggers.list_titles, {}),
        ("titles/full", triggers.get_title, {"id": "full"}),
    ):
        status, body = call(function, address, route=route)
        assert status == 200 and "secret" not in json.dumps(body)
    assert body["failure"] == body["progress"]["reason"] == FAILED
    status, body = call(triggers.list_owner_titles, "catalogue/titles?limit=1", headers=AS_ADMINISTRATOR)
    [shown] = body["titles"]
    assert (status, shown["failure"], shown["metadata"]["reason"]) == (200, secret, secret)
    assert call(triggers.list_owner_titles, "catalogue/titles")[0] == 401


def test_the_owner_can_list_only_titles_without_an_age_rating(world: World) -> None:
    rated = call(triggers.edit_title, "titles/full", route={"id": "full"}, body={"rated": "PG-13"}, headers=AS_OPERATOR)
    assert rated[0] == 200
    whole, unrated = (
        {title["id"] for title in call(triggers.list_owner_titles, address, headers=AS_ADMINISTRATOR)[1]["titles"]}
        for address in ("catalogue/titles", "catalogue/titles?unrated=true")
    )
    assert "full" in whole and unrated == whole - {"full"} != set()


def test_owner_republishes_the_catalogue_and_sees_how_much_is_left(world: World) -> None:
    world.publisher.publish()
    assert call(triggers.republish_catalogue, "catalogue/republish", headers=AS_OPERATOR) == (202, {"waiting": 2})
    handle(triggers.publish_catalogue, message({}))
    assert call(triggers.get_republication, "catalogue/republish", headers=AS_OPERATOR) == (200, {"waiting": 0})
    assert call(triggers.republish_catalogue, "catalogue/republish")[0] == 401


def test_a_withdrawn_title_is_gone_and_its_encode_ends(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    encodes = Encodes()
    monkeypatch.setattr(bootstrap, "encodes", lambda: encodes)
    assert call(triggers.withdraw_title, "titles/full", route={"id": "full"}, headers=AS_ADMINISTRATOR)[0] == 204
    assert call(triggers.get_title, "titles/full", route={"id": "full"})[0] == 404
    assert encodes.ended == ["full"]


def test_a_store_that_is_away_is_answered_as_such(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(title_id: str) -> None:
        raise StoreUnavailable("The catalogue's store does not answer.")

    monkeypatch.setattr(world.catalogue, "get", away)
    assert call(triggers.get_title, "titles/full", route={"id": "full"})[0] == 503


def test_a_message_describes_its_title(world: World) -> None:
    handle(triggers.fetch_metadata, message({"title_id": "new-000001", "stem": "My.Film.2020"}))
    assert world.catalogue.get("new-000001").details.name == "My Film"


@pytest.mark.parametrize("body", [b"{", [], {}, {"title_id": "x"}, {"title_id": 1, "stem": "x"}])
@pytest.mark.parametrize("function", [triggers.fetch_metadata, triggers.fetch_metadata_poison])
def test_malformed_message_is_parked(world: World, queues: MemoryQueues, function: Any, body: object) -> None:
    handle(function, message(body))
    assert [(queue, parked) for queue, parked, _ in queues.parked] == [("fetch-metadata", message(body))]


def test_a_poisoned_message_leaves_its_reason_on_the_title(world: World) -> None:
    handle(triggers.fetch_metadata_poison, message({"title_id": "bare", "stem": "bare"}))
    metadata = world.catalogue.get("bare").metadata
    assert metadata.reason and "could not be fetched" in metadata.reason and metadata.retry_at


def test_dead_letter_for_an_unknown_title_is_logged(world: World, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.ERROR)
    handle(triggers.fetch_metadata_poison, message({"title_id": "nothing", "stem": "nothing"}))
    assert "there is no such title" in caplog.text


def test_dead_letter_of_a_publication_is_left_to_the_timer(world: World, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.ERROR)
    handle(triggers.publish_catalogue_poison, message({}))
    assert "the timer will retry" in caplog.text


def test_the_timer_asks_for_what_is_due_and_publishes_what_was_left(world: World) -> None:
    title = world.catalogue.get("bare")
    late = replace(title, metadata=replace(title.metadata, retry_at=world.clock.now), revision=2)
    assert world.titles.save(late, over=1)
    tick(triggers.repair_catalogue)
    assert world.fetched == [("bare", "bare")]
    assert "catalogue/home.json" in world.site.files


def test_a_message_publishes(world: World) -> None:
    handle(triggers.publish_catalogue, message({}))
    assert "catalogue/titles/full.json" in world.site.files
