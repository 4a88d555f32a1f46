"""The limit of streams: who is admitted and refused, what survives an outage, and what a ticket permits."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from functions.platform.errors import NotFound, StoreUnavailable, StreamStopped, TooManyStreams, Unauthenticated
from functions.platform.signed_tokens import SignedTokens
from tests.support.catalogue import make_title
from tests.support.clock import Clock
from tests.support.playback import (
    LAPTOP,
    LIFETIME,
    PHONE,
    SIGNING_KEY,
    TABLET,
    TELEVISION,
    MemoryStreams,
    make_streams,
)
from tests.support.stream_contract import StreamContract

if TYPE_CHECKING:
    from datetime import timedelta

    from functions.playback.model import Device
    from functions.playback.streams import Streams
    from tests.support.stream_contract import Passing

USER = "5" * 32
FILM = make_title("film", name="Ringfall")


class TestMemoryStreams(StreamContract):
    """The fake follows the contract."""

    @pytest.fixture
    def clock(self) -> Clock:
        return Clock()

    @pytest.fixture
    def store(self, clock: Clock) -> MemoryStreams:
        return MemoryStreams(clock)

    @pytest.fixture
    def passing(self, clock: Clock) -> Passing:
        def passing(span: timedelta) -> None:
            clock.now += span

        return passing


def play(streams: Streams, device: Device, ticket: str = "") -> str:
    """Open or renew a stream of the film; return its ticket."""
    return streams.sign(streams.admit(USER, device, FILM, ticket=ticket, lifetime=LIFETIME))


def test_the_refusal_names_who_watches_where_since_when_and_what_to_do() -> None:
    streams = make_streams()
    for device in (LAPTOP, PHONE, TELEVISION):
        play(streams, device)
    with pytest.raises(TooManyStreams) as refusal:
        play(streams, TABLET)
    assert refusal.value.detail.startswith("You can watch on 3 devices at a time, and you already are: ")
    assert "Ringfall on Chrome on a television, since 12:00 UTC" in refusal.value.detail
    assert refusal.value.detail.endswith("Stop one to watch here.")


def test_who_may_watch_on_one_device_is_told_so() -> None:
    streams = make_streams(limit=1)
    play(streams, LAPTOP)
    with pytest.raises(TooManyStreams) as refusal:
        play(streams, PHONE)
    assert refusal.value.detail == (
        "You can watch on one device at a time, and you already are: Ringfall on Firefox on Linux, since 12:00 UTC. "
        "Stop one to watch here."
    )


def test_what_a_viewer_is_told_says_what_to_do(caplog: pytest.LogCaptureFixture) -> None:
    store = MemoryStreams(Clock())
    streams = make_streams(store)
    play(streams, LAPTOP)
    (stream,) = streams.list_streams(USER)
    streams.stop(USER, stream.stream_id, by=PHONE)
    with pytest.raises(NotFound, match=r"^This device .+\.$"):
        streams.stop(USER, stream.stream_id, by=PHONE)
    with pytest.raises(Unauthenticated, match=r"^This playback .+\.$"):
        streams.require_open(USER, stream.stream_id)
    with pytest.raises(Unauthenticated, match=r"^This playback .+\.$"):
        streams.leave("forged")
    store.away = True
    streams.require_open(USER, stream.stream_id)
    streams.admit(USER, LAPTOP, FILM, ticket="", lifetime=LIFETIME)
    assert f"A stream of {USER} is not checked: Redis does not answer; try again in a moment." in caplog.text
    assert f"A stream of {USER} is not counted: Redis does not answer; try again in a moment." in caplog.text


def test_a_place_that_is_freed_is_given_to_the_next() -> None:
    streams = make_streams(limit=1)
    ticket = play(streams, LAPTOP)
    (stream,) = streams.list_streams(USER)
    with pytest.raises(TooManyStreams, match="one device"):
        play(streams, PHONE)
    streams.stop(USER, stream.stream_id, by=PHONE)
    play(streams, PHONE)
    with pytest.raises(StreamStopped, match="Safari on iPhone"):
        play(streams, LAPTOP, ticket)
    with pytest.raises(NotFound):
        streams.stop(USER, stream.stream_id, by=PHONE)


def test_a_ticket_of_another_login_session_account_or_signer_opens_a_stream_of_its_own() -> None:
    streams = make_streams(limit=2)
    mine = play(streams, LAPTOP)
    forged = SignedTokens("x" * 32, Clock()).sign("stream", {}, until=Clock()() + LIFETIME)
    assert play(streams, LAPTOP, forged) != ""
    assert len(streams.list_streams(USER)) == 1  # the same device and title
    play(streams, PHONE, mine)
    assert len(streams.list_streams(USER)) == 2
    with pytest.raises(TooManyStreams):
        play(streams, TABLET, mine)
    other = streams.admit("6" * 32, LAPTOP, FILM, ticket=mine, lifetime=LIFETIME)
    assert other.stream_id not in {one.stream_id for one in streams.list_streams(USER)}


def test_titles_play_while_streams_cannot_be_counted_and_are_counted_afterwards() -> None:
    store = MemoryStreams(Clock())
    streams = make_streams(store, limit=1)
    store.away = True
    opened = streams.admit(USER, LAPTOP, FILM, ticket="", lifetime=LIFETIME)
    play(streams, PHONE)
    with pytest.raises(StoreUnavailable):
        streams.list_streams(USER)
    store.away = False
    assert streams.list_streams(USER) == []
    play(streams, LAPTOP, streams.sign(opened))
    assert [(one.stream_id, one.device) for one in streams.list_streams(USER)] == [(opened.stream_id, LAPTOP.name)]


def test_a_late_message_of_a_closed_page_does_not_end_the_page_that_replaced_it() -> None:
    streams = make_streams()
    closed = play(streams, LAPTOP)
    reloaded = play(streams, LAPTOP, closed)
    streams.leave(closed)
    assert len(streams.list_streams(USER)) == 1
    streams.leave(reloaded)
    assert streams.list_streams(USER) == []


@pytest.mark.parametrize("ticket", ["", "x", "a.b"])
def test_a_page_is_left_only_with_its_ticket(ticket: str) -> None:
    with pytest.raises(Unauthenticated):
        make_streams().leave(ticket)


def test_a_ticket_expires_after_a_day() -> None:
    clock = Clock()
    streams = make_streams(clock=clock)
    ticket = play(streams, LAPTOP)
    clock.forward(hours=23)
    streams.leave(ticket)
    clock.forward(hours=1)
    with pytest.raises(Unauthenticated):
        streams.leave(ticket)


def test_a_ticket_for_heartbeats_is_not_a_ticket_for_streams() -> None:
    ticket = SignedTokens(SIGNING_KEY, Clock()).sign("usage", {"u": USER}, until=Clock()() + LIFETIME)
    with pytest.raises(Unauthenticated):
        make_streams().leave(ticket)
