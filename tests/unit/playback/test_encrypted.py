"""Who may watch an encrypted film gets its key: pages in the session, native players by the ticket of playlists."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from functions import bootstrap
from functions.encoding.publication.hls import write_media
from functions.platform.errors import EntitlementRequired, NotFound, Unauthenticated
from functions.platform.film_keys import FilmKeyMissing, FilmKeys
from functions.platform.signed_tokens import SignedTokens
from functions.playback import triggers
from functions.playback.assembly import PlaybackParts
from functions.playback.hls import Playlists
from functions.playback.service import PlaybackService
from tests.support.api import respond
from tests.support.catalogue import World, make_playback, make_title
from tests.support.clock import Clock
from tests.support.playback import LAPTOP, PHONE, SIGNING_KEY, Demand, Keys, MemoryPlaylists, make_streams
from tests.support.presentations import make_presentation
from tests.unit.playback.test_playback import VIEWER, Encodes, Entitlements, Usage

if TYPE_CHECKING:
    from functions.playback.streams import Streams

KEYS = FilmKeys("f" * 32, encrypts="always")
KEY_ID = KEYS.new_key_id("job") or ""
KEY = KEYS.key_of("job", KEY_ID).key


class Watching:
    """The playback of one encrypted film."""

    def __init__(self, *, key_id: str | None = KEY_ID, keys: FilmKeys = KEYS, entitled: bool = True) -> None:
        self.clock = Clock()
        self.streams: Streams = make_streams(clock=self.clock)
        film = make_presentation(key_id=key_id)
        texts = {("title-film", f"job/{name}.m3u8"): write_media(film, name) for name in film.tracks}
        tokens = SignedTokens(SIGNING_KEY, self.clock)
        self.playlists = Playlists(tokens, MemoryPlaylists(texts), Keys(), self.streams, keys)
        playback = make_playback("job", complete=True, key_id=key_id)
        catalogue = World().with_titles([make_title("film", playback=playback)]).catalogue
        parts = (catalogue, Encodes(), Demand(), Entitlements(entitled), Usage(), Keys(), self.playlists, self.streams)
        self.service = PlaybackService(*parts, self.clock, keys)

    def ticket(self) -> str:
        """Open the film; return the ticket of its playlists."""
        return self.service.open_title("film", VIEWER, LAPTOP).hls_ticket_url.split("/")[1]


def test_session_has_the_key_by_its_id_and_does_not_show_it() -> None:
    session = Watching().service.open_title("film", VIEWER, LAPTOP)
    assert session.clear_keys == {KEY_ID: KEY.hex()}
    assert KEY.hex() not in repr(session)
    preview = Watching().service.preview_title("film")
    assert preview.clear_keys == session.clear_keys
    assert KEY.hex() not in repr(preview)
    download = Watching().service.open_title("film", VIEWER, LAPTOP, download=True)
    assert download.clear_keys == session.clear_keys


def test_film_that_is_not_encrypted_has_no_key() -> None:
    watching = Watching(key_id=None)
    assert watching.service.open_title("film", VIEWER, LAPTOP).clear_keys is None
    with pytest.raises(NotFound):
        watching.playlists.read_key(watching.ticket())


def test_whoever_may_not_watch_gets_no_key() -> None:
    with pytest.raises(EntitlementRequired):
        Watching(entitled=False).service.open_title("film", VIEWER, LAPTOP)


def test_a_film_whose_key_is_lost_takes_no_stream() -> None:
    watching = Watching(keys=FilmKeys("x" * 32))
    with pytest.raises(FilmKeyMissing, match="FILM_KEYS"):
        watching.service.open_title("film", VIEWER, LAPTOP)
    assert watching.streams.list_streams(VIEWER.user_id) == []


def test_playlists_say_where_a_native_player_gets_the_key() -> None:
    watching = Watching()
    ticket = watching.ticket()
    for track in ("v480", "a0"):
        lines = watching.playlists.read(ticket, f"{track}.m3u8").splitlines()
        (line,) = (line for line in lines if line.startswith("#EXT-X-KEY"))
        assert f'URI="../../film-keys/{ticket}"' in line
        assert "METHOD=SAMPLE-AES" in line
        assert 'KEYFORMAT="identity"' in line
        assert KEYS.key_of("job", KEY_ID).iv(track).hex() in line
        assert KEY.hex() not in "".join(lines)
    assert watching.playlists.read_key(ticket) == KEY


def test_key_is_refused_once_the_ticket_expires_or_its_stream_is_stopped() -> None:
    watching = Watching()
    ticket = watching.ticket()
    watching.clock.forward(hours=1)
    with pytest.raises(Unauthenticated):
        watching.playlists.read_key(ticket)
    again = watching.ticket()
    (stream,) = watching.streams.list_streams(VIEWER.user_id)
    watching.streams.stop(VIEWER.user_id, stream.stream_id, by=PHONE)
    with pytest.raises(Unauthenticated):
        watching.playlists.read_key(again)
    with pytest.raises(Unauthenticated):
        watching.playlists.read_key("forged")


def test_the_route_answers_with_the_bytes_of_the_key_and_no_cache_keeps_them(monkeypatch: pytest.MonkeyPatch) -> None:
    watching = Watching()
    nothing: Any = None
    parts = PlaybackParts(watching.service, watching.playlists, watching.streams, nothing)
    monkeypatch.setattr(bootstrap, "playback", lambda: parts)
    ticket = watching.ticket()
    response, _ = respond(triggers.film_key, f"film-keys/{ticket}", route={"ticket": ticket})
    assert (response.status_code, response.get_body(), response.mimetype) == (200, KEY, "application/octet-stream")
    assert response.headers["Cache-Control"] == "no-store"
    refused, _ = respond(triggers.film_key, "film-keys/forged", route={"ticket": "forged"})
    assert refused.status_code == 401
