"""Playlists for native players: addresses of segments and subtitles are signed; a ticket is for one title."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import azure.functions as func
import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions import bootstrap
from functions.encoding.publication.hls import write_master, write_media
from functions.encoding.publication.presentation import TextTrack
from functions.platform.errors import NotFound, Unauthenticated
from functions.platform.signed_tokens import SignedTokens
from functions.playback import triggers
from functions.playback.assembly import PlaybackParts
from functions.playback.hls import PURPOSE, Playlists, signed
from tests.support.api import call
from tests.support.catalogue import make_title
from tests.support.clock import NOON, Clock
from tests.support.playback import (
    LAPTOP,
    LIFETIME,
    SIGNING_KEY,
    MemoryPlaylists,
    MemoryStreams,
    make_playlists,
    make_streams,
)
from tests.support.presentations import growing, make_audio_track, make_presentation

if TYPE_CHECKING:
    from functions.playback.streams import Streams, StreamTicket

LONGEST_SEGMENT = 260
"""The maximum length of a path segment that http.sys, which runs in front of many apps, accepts."""


def shelf() -> MemoryPlaylists:
    """Return a store with the playlists of two films."""
    film = make_presentation(text=(TextTrack("t0", "en", "English"),))
    texts = {("title-film", f"job/{name}.m3u8"): write_media(film, name) for name in film.tracks}
    texts["title-film", "job/master.m3u8"] = write_master(film)
    texts["title-film", "job/manifest.mpd"] = texts["title-film", "secret.m3u8"] = "not for this ticket"
    texts["title-other", "job/master.m3u8"] = "#EXTM3U\nother.m3u8\n"
    return MemoryPlaylists(texts)


def admit(streams: Streams, title_id: str = "film") -> StreamTicket:
    """Open a stream of the title on the laptop of one viewer."""
    return streams.admit("5" * 32, LAPTOP, make_title(title_id), ticket="", lifetime=LIFETIME)


def ticket_of(playlists: Playlists, title_id: str = "film") -> str:
    stream = admit(playlists._streams, title_id)
    address = playlists.address(title_id, "job", until=NOON + LIFETIME, stream=stream)
    found = re.fullmatch(r"hls/([\w.-]+)/master\.m3u8", address)
    assert found
    return found[1]


def test_playlists_are_named_relatively_and_all_else_by_address_and_key() -> None:
    playlists = make_playlists(shelf())
    ticket = ticket_of(playlists)
    assert playlists.read(ticket, "master.m3u8") == write_master(
        make_presentation(text=(TextTrack("t0", "en", "English"),))
    )
    lines = playlists.read(ticket, "v480.m3u8").splitlines()
    key = "?sig=title-film&at=1200"
    assert f'#EXT-X-MAP:URI="http://blobs/title-film/job/v480/init.mp4{key}"' in lines
    assert [line for line in lines if not line.startswith("#")] == [
        f"http://blobs/title-film/job/v480/s{number:05d}.m4s{key}" for number in range(4)
    ]
    assert f"http://blobs/title-film/job/t0.vtt{key}" in playlists.read(ticket, "t0.m3u8").splitlines()


def test_addresses_stay_while_a_title_grows_and_the_next_bucket_begins() -> None:
    clock, store = Clock(), shelf()
    playlists = make_playlists(store, clock)
    ticket = ticket_of(playlists)
    film = make_presentation()
    store.texts["title-film", "job/v480.m3u8"] = write_media(growing(film, 2), "v480")
    first = playlists.read(ticket, "v480.m3u8")
    clock.forward(minutes=50)
    store.texts["title-film", "job/v480.m3u8"] = write_media(film, "v480")
    later = playlists.read(ticket, "v480.m3u8")
    listed = [line for line in first.splitlines() if line.startswith("http")]
    assert len(listed) == 2
    assert [line for line in later.splitlines() if line.startswith("http")][:2] == listed
    assert "ENDLIST" in later and "ENDLIST" not in first


def test_a_ticket_dies_with_the_key() -> None:
    clock = Clock()
    playlists = make_playlists(shelf(), clock)
    ticket = ticket_of(playlists)
    clock.forward(minutes=59, seconds=59)
    playlists.read(ticket, "master.m3u8")
    clock.forward(seconds=1)
    with pytest.raises(Unauthenticated):
        playlists.read(ticket, "master.m3u8")


def test_a_ticket_dies_with_its_stream_but_not_while_streams_cannot_be_read() -> None:
    store = MemoryStreams(Clock())
    streams = make_streams(store)
    playlists = make_playlists(shelf(), streams=streams)
    ticket = ticket_of(playlists)
    store.away = True
    playlists.read(ticket, "master.m3u8")
    store.away = False
    store.end_streams_of("5" * 32, session_id=LAPTOP.session_id)
    with pytest.raises(Unauthenticated):
        playlists.read(ticket, "master.m3u8")


def test_a_film_that_was_opened_while_streams_could_not_be_counted_plays_on_when_they_can_again() -> None:
    clock = Clock()
    store = MemoryStreams(clock)
    playlists = make_playlists(shelf(), clock, make_streams(store, clock))
    store.away = True
    ticket = ticket_of(playlists)
    store.away = False
    assert playlists.read(ticket, "v480.m3u8").startswith("#EXTM3U")
    clock.forward(hours=1)
    with pytest.raises(Unauthenticated):
        playlists.read(ticket, "v480.m3u8")


def test_only_our_own_tickets_for_playlists_open_any() -> None:
    playlists = make_playlists(shelf())
    ticket = ticket_of(playlists)
    content = {"t": "film", "j": "job", "u": "5" * 32, "s": "stream"}
    until = NOON.replace(hour=23)
    foreign = SignedTokens("x" * 32, Clock()).sign(PURPOSE, content, until=until)
    usage = SignedTokens(SIGNING_KEY, Clock()).sign("usage", content, until=until)
    for wrong in ("", "x", ticket[:-1], ticket.replace(".", "x."), foreign, usage):
        with pytest.raises(Unauthenticated):
            playlists.read(wrong, "master.m3u8")


@pytest.mark.parametrize(
    "name",
    [
        "manifest.mpd",
        "none.m3u8",
        "../secret.m3u8",
        "..%2Fsecret.m3u8",
        "../../title-other/job/master.m3u8",
        "v480/../../secret.m3u8",
        "master.m3u8\n",
        "master.m3u8/",
        "MASTER.M3U8",
        "",
        ".m3u8",
        "v480/s00000.m4s",
        "master.m3u8?x=.m3u8",
    ],
)
def test_a_ticket_opens_playlists_of_its_job_and_nothing_else(name: str) -> None:
    playlists = make_playlists(shelf())
    with pytest.raises(NotFound, match=r"^There is no .+\.$"):
        playlists.read(ticket_of(playlists), name)


def test_a_ticket_opens_its_own_title() -> None:
    playlists = make_playlists(shelf())
    assert "other.m3u8" in playlists.read(ticket_of(playlists, "other"), "master.m3u8")
    with pytest.raises(NotFound):
        playlists.read(ticket_of(playlists, "other"), "v480.m3u8")


def test_the_longest_ticket_fits_into_an_address() -> None:
    longest = f"{'x' * 40}-{'f' * 6}"
    streams = make_streams()
    address = make_playlists().address(longest, "0" * 12, until=NOON + LIFETIME, stream=admit(streams, longest))
    assert max(map(len, address.split("/"))) < LONGEST_SEGMENT


@given(st.text(), st.sampled_from(["en", "und"]))
def test_no_name_of_a_track_is_taken_for_an_address(label: str, language: str) -> None:
    film = make_presentation(audio=(make_audio_track("a0", language, label),), text=(TextTrack("t0", language, label),))
    assert signed(write_master(film), lambda path: f"http://signed/{path}") == write_master(film)


@pytest.mark.parametrize("label", ['URI="x', 'a,URI="b.vtt"', "URI=", ',URI="', "#EXT-X-MAP:URI=x"])
def test_not_even_a_name_that_looks_like_one(label: str) -> None:
    film = make_presentation(audio=(make_audio_track("a0", "en", label),))
    assert signed(write_master(film), lambda path: f"http://signed/{path}") == write_master(film)


def test_the_function_answers_as_documented(monkeypatch: pytest.MonkeyPatch) -> None:
    store: Any = shelf()
    streams = make_streams()
    playlists = make_playlists(store, streams=streams)
    opener: Any = None
    positions: Any = None
    monkeypatch.setattr(bootstrap, "playback", lambda: PlaybackParts(opener, playlists, streams, positions))
    ticket = ticket_of(playlists)

    def ask(ticket: str, name: str) -> tuple[int, Any]:
        route = {"ticket": ticket, "playlist": name}
        return call(triggers.hls_playlist, f"hls/{ticket}/{name}", route=route)

    status, text = ask(ticket, "v480.m3u8")
    assert status == 200 and text.startswith("#EXTM3U")
    assert ask("forged", "v480.m3u8")[0] == 401
    assert ask(ticket, "x.m3u8")[0] == 404
    store.away = True
    assert ask(ticket, "v480.m3u8")[0] == 503


def test_a_failure_inside_logs_neither_ticket_nor_key(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    ticket = ticket_of(make_playlists())

    def broken() -> PlaybackParts:
        raise RuntimeError("broken")

    monkeypatch.setattr(bootstrap, "playback", broken)
    handler: Any = triggers.hls_playlist
    route = {"ticket": ticket, "playlist": "master.m3u8"}
    request = func.HttpRequest(method="GET", url=f"http://x/api/hls/{ticket}/master.m3u8", route_params=route, body=b"")
    assert handler._function.get_user_function()(request).status_code == 500
    assert "hls_playlist failed" in caplog.text and ticket not in caplog.text
