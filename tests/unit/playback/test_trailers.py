"""Everybody may play the trailer of a title whose page everybody may see; it counts as neither viewing nor stream."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

import pytest

from functions import bootstrap
from functions.catalogue.model import Status
from functions.platform.errors import AgeLimited, NotFound, Unauthenticated
from functions.platform.film_keys import FilmKeys
from functions.platform.identifiers import trailer_id_of
from functions.platform.settings import Settings
from functions.platform.signed_tokens import SignedTokens
from functions.playback import triggers
from functions.playback.assembly import PlaybackParts
from functions.playback.hls import Playlists
from functions.playback.service import PlaybackService
from tests.support.account_world import World as People
from tests.support.api import call
from tests.support.catalogue import World, make_playback, make_title
from tests.support.clock import Clock
from tests.support.owners import ADMINISTRATOR, AS_CHILD, AS_VIEWER, FakeAccess
from tests.support.playback import LAPTOP, LIFETIME, SIGNING_KEY, Demand, Keys, MemoryPlaylists, make_streams
from tests.unit.playback.test_playback import VIEWER, Encodes, Entitlements, Usage

if TYPE_CHECKING:
    from functions.catalogue.model import Title

TRAILER = trailer_id_of("film")
CONTAINER = f"title-{TRAILER}"
KEYS = FilmKeys("f" * 32, encrypts="always")


class Theatre:
    """A film with a trailer, and nobody who may watch the film."""

    def __init__(self, trailer: dict[str, Any] | None = None, **film: Any) -> None:
        self.clock, self.usage, self.demand = Clock(), Usage(), Demand()
        self.streams = make_streams(clock=self.clock)
        title = make_title("film", name="The Sea", **{"playback": make_playback("job", complete=True), **film})
        clip = make_playback("clip", complete=True, on_demand=True, duration_s=90.0)
        made: Title = make_title(TRAILER, **{"trailer_of": "film", "playback": clip, **(trailer or {})})
        self.catalogue = World().with_titles([title, made]).catalogue
        texts = {(CONTAINER, "clip/master.m3u8"): "#EXTM3U\nv360.m3u8\n"}
        tokens = SignedTokens(SIGNING_KEY, self.clock)
        self.playlists = Playlists(tokens, MemoryPlaylists(texts), Keys(), self.streams, KEYS)
        parts = (self.catalogue, Encodes(), self.demand, Entitlements(entitled=False), self.usage, Keys())
        self.service = PlaybackService(*parts, self.playlists, self.streams, self.clock, KEYS)


def test_guest_plays_the_trailer_and_gets_a_key_for_nothing_else() -> None:
    theatre = Theatre()
    session = theatre.service.open_trailer("film", None)
    assert (session.title_id, session.job_id, session.name, session.status) == ("film", "clip", "The Sea", "ready")
    assert session.manifest_url == f"http://blobs/{CONTAINER}/clip/manifest.mpd"
    assert session.sas == f"sig={CONTAINER}&at=1200"
    assert session.expires_at == theatre.clock() + LIFETIME
    assert (session.duration_s, session.front_s, session.resume_s) == (90.0, 90.0, 0.0)


def test_trailer_counts_neither_as_viewing_nor_as_stream_and_begins_no_encode() -> None:
    theatre = Theatre()
    for viewer in (None, VIEWER, VIEWER, VIEWER, VIEWER):
        session = theatre.service.open_trailer("film", viewer)
        assert (session.usage_ticket, session.stream_ticket, session.licence_until) == (None, "", None)
    assert theatre.usage.opened == []
    assert theatre.streams.list_streams(VIEWER.user_id) == []
    assert theatre.demand.wanted == []


def test_native_player_reads_the_playlists_of_the_trailer_until_its_key_expires() -> None:
    theatre = Theatre()
    _, ticket, name = theatre.service.open_trailer("film", None).hls_ticket_url.split("/")
    assert "v360.m3u8" in theatre.playlists.read(ticket, name)
    theatre.clock.forward(hours=2)
    with pytest.raises(Unauthenticated):
        theatre.playlists.read(ticket, name)


def test_encrypted_trailer_comes_with_its_key() -> None:
    key_id = KEYS.new_key_id("clip") or ""
    theatre = Theatre({"playback": make_playback("clip", complete=True, key_id=key_id)})
    session = theatre.service.open_trailer("film", None)
    key = KEYS.key_of("clip", key_id).key
    assert session.clear_keys == {key_id: key.hex()}
    assert theatre.playlists.read_key(session.hls_ticket_url.split("/")[1]) == key


@pytest.mark.parametrize(
    ("trailer", "film"),
    [
        ({}, {"draft": True}),
        ({}, {"status": Status.WITHDRAWN, "playback": None}),
        ({"status": Status.WITHDRAWN, "playback": None}, {}),
        ({"status": Status.FAILED}, {}),
        ({"status": Status.ENCODING, "playback": make_playback("clip")}, {}),
        ({"trailer_of": None}, {}),
        ({"trailer_of": "another"}, {}),
    ],
)
def test_trailer_that_is_not_public_or_not_complete_is_refused(trailer: dict[str, Any], film: dict[str, Any]) -> None:
    theatre = Theatre(trailer, **film)
    for viewer in (None, VIEWER):
        with pytest.raises(NotFound):
            theatre.service.open_trailer("film", viewer)


@pytest.mark.parametrize("film", [{"status": Status.ANNOUNCED, "playback": None}, {"status": Status.FAILED}])
def test_trailer_needs_no_film(film: dict[str, Any]) -> None:
    assert Theatre(**film).service.open_trailer("film", None).job_id == "clip"


def test_owner_plays_the_trailer_of_a_draft() -> None:
    assert Theatre(draft=True).service.open_trailer("film", ADMINISTRATOR).job_id == "clip"


def test_age_limit_of_a_profile_applies() -> None:
    theatre = Theatre(rated="R")
    with pytest.raises(AgeLimited):
        theatre.service.open_trailer("film", replace(VIEWER, age_limit=12))
    assert theatre.service.open_trailer("film", replace(VIEWER, age_limit=18))
    assert theatre.service.open_trailer("film", VIEWER)


@pytest.mark.parametrize("viewer", [VIEWER, ADMINISTRATOR])
def test_trailer_is_not_opened_as_a_film(viewer: Any) -> None:
    theatre = Theatre()
    with pytest.raises(NotFound):
        theatre.service.open_title(TRAILER, viewer, LAPTOP)
    with pytest.raises(NotFound):
        theatre.service.open_trailer(TRAILER, viewer)
    with pytest.raises(NotFound):
        theatre.service.licence_of(TRAILER, viewer)


def test_route_serves_everybody_and_limits_guests_by_network(monkeypatch: pytest.MonkeyPatch) -> None:
    theatre, people = Theatre(rated="R"), People()
    parts = PlaybackParts(theatre.service, theatre.playlists, theatre.streams, cast("Any", None))
    monkeypatch.setattr(bootstrap, "playback", lambda: parts)
    monkeypatch.setattr(bootstrap, "access", FakeAccess)
    monkeypatch.setattr(bootstrap, "accounts", lambda: people.accounts)
    monkeypatch.setattr(bootstrap.resources, "settings", lambda: Settings(storage="", mongo_url="", front_hops=1))

    def ask(headers: dict[str, str] | None = None, ip: str = "203.0.113.7") -> tuple[int, Any]:
        sent = {"X-Forwarded-For": ip, **(headers or {})}
        return call(triggers.open_trailer, "titles/film/trailer", route={"id": "film"}, headers=sent)

    status, body = ask()
    assert (status, body["name"], body["usage_ticket"], body["stream_ticket"]) == (200, "The Sea", None, "")
    assert ask(AS_CHILD)[0] == 403
    assert ask({"Authorization": "Bearer ended"})[0] == 401
    statuses = [ask()[0] for _ in range(120)]
    assert (statuses.count(200), statuses[-1]) == (119, 429)
    assert ask(ip="203.0.113.8")[0] == 200
    assert ask(AS_VIEWER)[0] == 200
