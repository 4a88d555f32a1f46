"""A player asks for a position of a growing film: who may ask, how often, and what the function answers."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

from functions import bootstrap
from functions.platform.errors import TooManyAttempts, Unauthenticated
from functions.playback import triggers
from functions.playback.assembly import PlaybackParts
from functions.playback.positions import Positions
from functions.playback.streams import QUESTION_WINDOW, QUESTIONS
from tests.support.api import call
from tests.support.catalogue import make_title
from tests.support.clock import Clock
from tests.support.playback import LAPTOP, LIFETIME, PHONE, Keys, MemoryStreams, make_streams

if TYPE_CHECKING:
    from functions.playback.model import Device

USER = "5" * 32
FILM = make_title("film", name="Ringfall")
JOB = "0123456789ab"


@dataclass(frozen=True)
class WatchedSeconds:
    """A part of a film that can be watched."""

    from_s: float
    until_s: float
    manifest: str


@dataclass
class TwoParts:
    """A film of which two parts can be watched; records the requests."""

    asked: list[tuple[str, str, float, str]] = field(default_factory=list)

    def request_position(self, job_id: str, *, title_id: str, position_s: float, viewer: str) -> list[WatchedSeconds]:
        self.asked.append((job_id, title_id, position_s, viewer))
        return [WatchedSeconds(0.0, 24.0, "manifest.mpd"), WatchedSeconds(480.0, 508.0, "from00018.mpd")]


class Players:
    """Players of a film, and what they ask."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.store = MemoryStreams(self.clock)
        self.streams = make_streams(self.store, self.clock)
        self.audience = TwoParts()
        self.positions = Positions(self.audience, self.streams, Keys())

    def ticket(self, device: Device = LAPTOP) -> str:
        return self.streams.sign(self.streams.admit(USER, device, FILM, ticket="", lifetime=LIFETIME))

    def ask(self, ticket: str, title_id: str = "film") -> list[tuple[float, float, str]]:
        parts = self.positions.request_position(title_id, JOB, 490.0, stream_ticket=ticket)
        return [(part.from_s, part.until_s, part.manifest_url) for part in parts]


def test_the_player_learns_which_parts_can_be_watched() -> None:
    players = Players()
    assert players.ask(players.ticket()) == [
        (0.0, 24.0, f"http://blobs/title-film/{JOB}/manifest.mpd"),
        (480.0, 508.0, f"http://blobs/title-film/{JOB}/from00018.mpd"),
    ]
    (stream,) = players.store.streams_of(USER)
    assert players.audience.asked == [(JOB, "film", 490.0, stream.stream_id)]


def test_only_the_player_of_an_open_stream_of_the_title_may_ask() -> None:
    players = Players()
    ticket = players.ticket()
    for invalid, title_id in ((ticket, "other"), ("forged", "film"), (ticket[:-2] + "xx", "film"), ("", "film")):
        with pytest.raises(Unauthenticated):
            players.ask(invalid, title_id)
    players.ask(ticket)
    players.streams.leave(ticket)
    with pytest.raises(Unauthenticated):
        players.ask(ticket)
    expired = players.ticket()
    players.clock.now += LIFETIME
    with pytest.raises(Unauthenticated):
        players.ask(expired)
    assert len(players.audience.asked) == 1


def test_a_player_that_asks_too_often_waits_and_delays_no_other() -> None:
    players = Players()
    ticket = players.ticket()
    for _ in range(QUESTIONS):
        players.ask(ticket)
    with pytest.raises(TooManyAttempts) as refused:
        players.ask(ticket)
    assert refused.value.retry_after_s == QUESTION_WINDOW.total_seconds()
    players.ask(players.ticket(PHONE))
    players.clock.now += QUESTION_WINDOW
    players.ask(ticket)
    assert len(players.audience.asked) == QUESTIONS + 2


def test_the_function_answers_as_documented(monkeypatch: pytest.MonkeyPatch) -> None:
    players = Players()
    unused: Any = None
    parts = PlaybackParts(unused, unused, players.streams, players.positions)
    monkeypatch.setattr(bootstrap, "playback", lambda: parts)
    ticket = players.ticket()

    def ask(**changes: object) -> tuple[int, Any]:
        body = {"stream_ticket": ticket, "job_id": JOB, "position_s": 490, **changes}
        return call(triggers.request_position, "titles/film/playback/position", route={"id": "film"}, body=body)

    status, answer = ask()
    assert status == 200
    assert answer["parts"][1] == {
        "from_s": 480.0,
        "until_s": 508.0,
        "manifest_url": f"http://blobs/title-film/{JOB}/from00018.mpd",
    }
    assert ask(stream_ticket="forged")[0] == 401
    for wrong in ({"position_s": -1}, {"position_s": "x"}, {"job_id": "../x"}, {"stream_ticket": ""}):
        assert ask(**wrong)[0] == 422
    for _ in range(QUESTIONS):
        status, answer = ask()
    assert (status, answer["error"]) == (429, "too_many_attempts")
