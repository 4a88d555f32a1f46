"""Viewing by day: every minute, start and stall is counted once, and never more than can have happened."""

from __future__ import annotations

from datetime import timedelta

from functions.usage.days import NO_VIEWING, DayViewing
from functions.usage.model import Quality
from functions.usage.schemas import ViewingReport
from tests.support.usage import BOB, Cinema, Screen


def watch(cinema: Cinema, screen: Screen, played_s: float, *, until_s: float, every_s: float = 15) -> None:
    """Play from `played_s` to `until_s`, with a heartbeat every few seconds."""
    while played_s < until_s:
        step_s = min(every_s, until_s - played_s)
        played_s += step_s
        cinema.clock.forward(seconds=step_s)
        screen.at(min(played_s, 100), watched_s=played_s)


def counted(cinema: Cinema) -> DayViewing:
    """Return what was counted on all days."""
    return sum(cinema.days.days.values(), NO_VIEWING)


def test_the_minutes_of_all_viewers_are_added_up() -> None:
    cinema = Cinema()
    watch(cinema, cinema.opens(), 0, until_s=600)
    watch(cinema, cinema.opens(BOB), 0, until_s=150)
    assert counted(cinema).minutes == 10 + 3  # each session is rounded to whole minutes
    assert list(cinema.days.days) == [cinema.clock().date()]


def test_a_minute_is_counted_once_however_often_it_is_reported() -> None:
    cinema = Cinema()
    screen = cinema.opens()
    watch(cinema, screen, 0, until_s=90)
    for _ in range(3):
        screen.at(90, sequence=screen.sequence, watched_s=90)
        screen.at(30, sequence=0, watched_s=30)
    assert counted(cinema).minutes == 2


def test_a_new_session_begins_at_zero() -> None:
    cinema = Cinema()
    watch(cinema, cinema.opens(), 0, until_s=120)
    watch(cinema, cinema.opens(), 0, until_s=60)
    assert counted(cinema).minutes == 3


def test_nobody_watches_longer_than_time_passes() -> None:
    cinema = Cinema()
    screen = cinema.opens()
    cinema.clock.forward(seconds=30)
    screen.at(10, watched_s=900_000, quality=Quality(rebuffers=2_000_000, rebuffer_ms=2_000_000_000))
    assert counted(cinema).minutes <= 1
    assert counted(cinema).stalls <= 60
    assert counted(cinema).stalled_ms <= 30_000


def test_a_start_is_counted_once_and_stalls_as_they_grow() -> None:
    cinema = Cinema()
    screen = cinema.opens()
    for rebuffers, rebuffer_ms in ((0, 0), (1, 800), (3, 2000)):
        cinema.clock.forward(seconds=15)
        screen.at(10, quality=Quality(startup_ms=900, rebuffers=rebuffers, rebuffer_ms=rebuffer_ms))
    assert counted(cinema) == DayViewing(starts=1, startup_ms=900, stalls=3, stalled_ms=2000)


def test_a_player_that_does_not_count_time_adds_none() -> None:
    cinema = Cinema()
    screen = cinema.opens()
    for position_s in (15, 30, 90):
        cinema.clock.forward(seconds=60)
        screen.at(position_s)
    assert cinema.days.days == {}


def test_a_heartbeat_is_kept_while_the_counts_are_unavailable() -> None:
    cinema = Cinema()
    cinema.days.unavailable = True
    watch(cinema, cinema.opens(), 0, until_s=90)
    assert cinema.position() == 90
    cinema.days.unavailable = False
    assert counted(cinema) == NO_VIEWING


def test_a_report_has_every_day_and_averages_start_ups() -> None:
    cinema = Cinema()
    today = cinema.clock().date()
    cinema.days.count(today, DayViewing(minutes=90, starts=2, startup_ms=1000, stalls=1, stalled_ms=1234))
    cinema.days.count(today - timedelta(days=2), DayViewing(minutes=30, starts=1, startup_ms=2000))
    cinema.days.count(today - timedelta(days=3), DayViewing(minutes=1000))  # before the report
    report = ViewingReport.of(cinema.usage.viewing(3))
    assert [one.day for one in report.days] == [(today - timedelta(days=ago)).isoformat() for ago in (2, 1, 0)]
    assert [one.watched_min for one in report.days] == [30, 0, 90]
    assert [one.startup_ms for one in report.days] == [2000, None, 500]
    assert report.startup_ms == 1000
    assert report.days[-1].stalled_s == 1.2


def test_minutes_on_devices_that_play_av1_are_counted_by_title() -> None:
    cinema = Cinema()
    for title, plays_av1 in (("film", True), ("other", False), ("film", True)):
        screen = cinema.opens(title_id=title)
        cinema.clock.forward(seconds=600)
        screen.at(100, watched_s=600, plays_av1=plays_av1)
    assert cinema.usage.watched_av1_min("film") == 20
    assert cinema.usage.watched_av1_min("other") == 0
    assert counted(cinema).minutes == 30
