"""Counts from players become metrics: the startup time once per playback, and each stall once."""

from __future__ import annotations

from datetime import timedelta

from functions.usage.model import Quality
from functions.usage.service import UsageService
from tests.support.telemetry import Listener
from tests.support.usage import Cinema


def make_cinema() -> tuple[Cinema, Listener]:
    """Return a cinema and the listener that receives its metrics."""
    cinema, listener = Cinema(), Listener()
    cinema.usage = UsageService(
        cinema.store,
        cinema.world.catalogue,
        cinema.tickets,
        cinema.days,
        send=lambda message: None,
        now=cinema.clock,
        telemetry=lambda: listener,
    )
    return cinema, listener


def test_the_wait_for_the_first_picture_is_told_once_a_playback() -> None:
    cinema, listener = make_cinema()
    screen = cinema.opens()
    opened = cinema.clock()
    screen.at(0)
    screen.at(15, quality=Quality(startup_ms=800))
    screen.at(30, quality=Quality(startup_ms=800))
    assert listener.metrics["notflix.playback.startup_s"] == [0.8]
    (whole,) = listener.root_spans
    assert whole.name == "click to first picture"
    assert whole.subject.startswith("playback:")
    assert (whole.began, whole.ended) == (opened, opened + timedelta(milliseconds=800))
    cinema.opens().at(0, quality=Quality(startup_ms=400))
    assert listener.metrics["notflix.playback.startup_s"] == [0.8, 0.4]


def test_each_stall_is_counted_once() -> None:
    cinema, listener = make_cinema()
    screen = cinema.opens()
    for position_s, rebuffers in ((15, 1), (30, 1), (45, 3)):
        screen.at(position_s, quality=Quality(rebuffers=rebuffers))
    screen.at(45, sequence=1, quality=Quality(rebuffers=9))  # arrives late
    assert listener.metrics["notflix.playback.rebuffers"] == [1, 2]


def test_what_no_player_can_have_seen_is_not_told() -> None:
    cinema, listener = make_cinema()
    cinema.opens().at(0, quality=Quality(startup_ms=2_000_000_000, rebuffers=2_000_000_000))
    assert "notflix.playback.startup_s" not in listener.metrics
    assert max(listener.metrics["notflix.playback.rebuffers"]) < 100
    assert not listener.root_spans
