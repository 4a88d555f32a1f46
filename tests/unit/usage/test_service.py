"""Watching on one or more screens, clearing, listing and rating: which data is stored or sent to the graph."""

from __future__ import annotations

from datetime import timedelta

import pytest

from functions.platform.errors import Forbidden, ListFull, Malformed, NotFound, StoreUnavailable, Unauthenticated
from functions.platform.messages import UpdateGraph
from functions.usage.service import HEARTBEAT_LIFE, MOST_LISTED, TICKET_LIFE
from tests.support.catalogue import make_title
from tests.support.clock import NOON
from tests.support.usage import ADA, BOB, FILM_S, Cinema, Screen


def test_one_goes_on_on_another_device_where_one_stopped() -> None:
    cinema = Cinema()
    sofa = cinema.opens()
    assert sofa.resume_s == 0.0
    sofa.at(15.0)
    sofa.at(30.0)
    assert cinema.opens().resume_s == 30.0
    assert cinema.opens(BOB).resume_s == 0.0


def test_a_late_message_moves_nobody_back() -> None:
    cinema = Cinema()
    screen = cinema.opens()
    for sequence, position_s in ((0, 15.0), (2, 45.0), (1, 30.0), (2, 44.0)):
        screen.at(position_s, sequence=sequence)
    assert cinema.position() == 45.0


def test_of_two_devices_the_one_opened_last_has_the_word() -> None:
    cinema = Cinema()
    sofa, train = cinema.opens(), cinema.opens()
    sofa.at(50.0)
    train.at(20.0)
    sofa.at(65.0)
    assert cinema.position() == 20.0


def test_a_player_that_renews_its_key_stays_the_same_sitting() -> None:
    cinema = Cinema()
    screen = cinema.opens()
    other = cinema.opens()
    renewed = cinema.opens(ticket=screen.ticket)
    other.at(20.0)
    Screen(cinema.usage, "film", renewed.ticket, 0.0, sequence=7).at(90.0)
    assert cinema.position() == 20.0


def test_a_ticket_is_not_prolonged_for_another_viewer_or_title() -> None:
    cinema = Cinema()
    adas = cinema.opens(ADA)
    bobs = cinema.opens(BOB, ticket=adas.ticket)
    bobs.at(40.0)
    assert (cinema.position(ADA), cinema.position(BOB)) == (None, 40.0)
    cinema.opens(ADA, "other", ticket=adas.ticket).at(10.0)
    assert (cinema.position(ADA, "film"), cinema.position(ADA, "other")) == (None, 10.0)
    assert cinema.opens(ADA, ticket="rubbish").ticket


def test_a_ticket_is_good_for_its_title_and_for_an_hour_of_heartbeats() -> None:
    cinema = Cinema()
    screen = cinema.opens()
    with pytest.raises(Forbidden):
        Screen(cinema.usage, "other", screen.ticket, 0.0).at(10.0)
    with pytest.raises(Unauthenticated):
        Screen(cinema.usage, "film", screen.ticket + "x", 0.0).at(10.0)
    cinema.clock.now += HEARTBEAT_LIFE
    with pytest.raises(Unauthenticated):
        screen.at(10.0)


def test_a_ticket_continues_its_session_for_a_day_though_its_heartbeats_end_earlier() -> None:
    cinema = Cinema()
    screen = cinema.opens()
    screen.at(10.0)
    cinema.clock.now += TICKET_LIFE - timedelta(seconds=1)
    renewed = cinema.opens(ticket=screen.ticket)
    renewed.at(20.0)
    (view,) = (seen.view for seen in [cinema.store.view(ADA, "film")] if seen)
    assert view.earlier_s == 0.0, "the renewal began another session"
    cinema.clock.now += TICKET_LIFE
    other = cinema.opens(ticket=renewed.ticket)
    assert other.ticket != renewed.ticket


def test_a_ticket_of_another_purpose_is_none_here() -> None:
    cinema = Cinema()
    session = {"u": ADA, "t": "film", "p": "0" * 16, "o": "2026-11-24T12:00:00.000Z", "d": FILM_S}
    ticket = cinema.tickets.sign("hls", session, until=cinema.clock() + timedelta(hours=1))
    with pytest.raises(Unauthenticated):
        Screen(cinema.usage, "film", ticket, 0.0).at(10.0)


def test_a_position_that_the_film_does_not_have_is_refused() -> None:
    cinema = Cinema()
    screen = cinema.opens()
    screen.at(FILM_S + 20)
    with pytest.raises(Malformed, match=r"lasts 120\.0 s"):
        screen.at(FILM_S + 31)


def test_what_was_cleared_stays_cleared_until_the_title_is_opened_again() -> None:
    cinema = Cinema()
    screen = cinema.opens()
    screen.at(30.0)
    cinema.usage.clear_view(ADA, "film")
    screen.at(45.0)
    assert cinema.position() is None
    again = cinema.opens()
    assert again.resume_s == 0.0
    screen.at(60.0)
    assert cinema.position() is None
    again.at(8.0)
    assert cinema.position() == 8.0


def test_a_view_that_a_renewal_brings_back_is_younger_than_the_clearing() -> None:
    cinema = Cinema()
    screen = cinema.opens()
    screen.at(30.0)
    cinema.clock.forward(seconds=5)
    cinema.usage.clear_view(ADA, "film")
    cleared_at = cinema.clock()
    cinema.opens(ticket=screen.ticket)
    kept = cinema.store.view(ADA, "film")
    assert kept and kept.view.made_at > cleared_at > kept.view.session.opened_at


def test_a_viewer_who_left_is_forgotten_though_their_player_goes_on() -> None:
    cinema = Cinema()
    screen = cinema.opens()
    screen.at(30.0)
    cinema.usage.list_title(ADA, "other")
    cinema.usage.rate_title(ADA, "film", 1)
    for _ in range(2):
        cinema.usage.forget(ADA)
    screen.at(45.0)
    assert cinema.usage.history(ADA).entries == ()
    assert not cinema.usage.watch_list(ADA).entries and not cinema.usage.ratings(ADA).entries


def test_heartbeats_that_come_at_once_never_overwrite_each_other() -> None:
    cinema = Cinema()
    screen = cinema.opens()

    def come_in() -> None:
        cinema.store.after_reading = lambda: None
        screen.at(60.0, sequence=2)

    cinema.store.after_reading = come_in
    screen.at(30.0, sequence=1)
    assert cinema.position() == 60.0


def test_a_view_that_others_change_all_the_time_is_given_up_in_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    cinema = Cinema()
    screen = cinema.opens()
    monkeypatch.setattr(cinema.store, "change", lambda view, *, over: False)
    with pytest.raises(StoreUnavailable):
        screen.at(30.0)


def test_a_store_that_is_away_keeps_nobody_from_watching_and_loses_no_place(monkeypatch: pytest.MonkeyPatch) -> None:
    cinema = Cinema()
    cinema.opens().at(70.0)

    def away(*asked: object) -> None:
        raise StoreUnavailable("It is away.")

    with monkeypatch.context() as patch:
        patch.setattr(cinema.store, "view", away)
        opening = cinema.usage.open(ADA, "film", duration_s=FILM_S)
        assert (opening.resume_s, opening.ticket) == (0.0, None)
    assert cinema.position() == 70.0


def watched(cinema: Cinema) -> list[float | None]:
    return [message.progress for message in cinema.sent if message.change == "watched"]


def test_the_graph_is_told_at_half_and_at_the_end_and_not_at_each_heartbeat() -> None:
    cinema = Cinema()
    screen = cinema.opens()
    for number in range(9):
        screen.at(number * 15.0, watched_s=number * 15.0)
        screen.at(number * 15.0, sequence=screen.sequence)
    assert watched(cinema) == [0.5, 1.0]
    at = NOON + timedelta(seconds=1)
    assert cinema.sent[0] == UpdateGraph("watched", title_id="film", user_id=ADA, progress=0.5, at=at)


def test_what_the_graph_could_not_be_told_is_told_by_the_next_heartbeat() -> None:
    cinema = Cinema()
    screen = cinema.opens()
    cinema.queue_is_away = True
    with pytest.raises(StoreUnavailable):
        screen.at(61.0)
    assert cinema.position() == 61.0
    cinema.queue_is_away = False
    screen.at(62.0)
    screen.at(63.0)
    assert watched(cinema) == [0.517]


def test_clearing_is_told_to_the_graph() -> None:
    cinema = Cinema()
    cinema.opens().at(30.0)
    cinema.usage.clear_view(ADA, "film")
    cinema.usage.clear_history(ADA)
    assert cinema.sent == [
        UpdateGraph("unwatched", title_id="film", user_id=ADA),
        UpdateGraph("unwatched", user_id=ADA),
    ]


def test_history_shows_the_latest_first_in_pages_and_only_ones_own() -> None:
    cinema = Cinema()
    for title_id, position_s in (("film", 30.0), ("other", 120.0), ("third", 2.0)):
        cinema.opens(title_id=title_id).at(position_s)
    cinema.opens(BOB).at(50.0)
    first = cinema.usage.history(ADA, limit=2)
    assert [entry.view.title_id for entry in first.entries] == ["third", "other"]
    assert first.cursor
    rest = cinema.usage.history(ADA, limit=2, cursor=first.cursor)
    assert ([entry.view.title_id for entry in rest.entries], rest.cursor) == (["film"], None)
    going_on = cinema.usage.history(ADA, unfinished=True)
    assert [entry.view.title_id for entry in going_on.entries] == ["film"]


def test_a_withdrawn_title_stays_in_the_history_without_its_card() -> None:
    cinema = Cinema()
    cinema.opens().at(30.0)
    cinema.world.catalogue.withdraw_title("film")
    assert [entry.title for entry in cinema.usage.history(ADA).entries] == [None]


def test_a_list_keeps_its_order_and_takes_what_there_is() -> None:
    cinema = Cinema()
    for title_id in ("film", "other", "film"):
        cinema.clock.forward(seconds=1)
        cinema.usage.list_title(ADA, title_id)
    assert [item.mark.title_id for item in cinema.usage.watch_list(ADA).entries] == ["other", "film"]
    assert not cinema.usage.watch_list(BOB).entries
    with pytest.raises(NotFound):
        cinema.usage.list_title(ADA, "nothing")
    cinema.usage.unlist_title(ADA, "film")
    cinema.usage.unlist_title(ADA, "film")
    assert [item.mark.title_id for item in cinema.usage.watch_list(ADA).entries] == ["other"]


def test_a_list_is_full_one_day() -> None:
    cinema = Cinema()
    cinema.world.with_titles(make_title(f"t{number}") for number in range(MOST_LISTED + 1))
    for number in range(MOST_LISTED):
        cinema.usage.list_title(ADA, f"t{number}")
    with pytest.raises(ListFull):
        cinema.usage.list_title(ADA, f"t{MOST_LISTED}")
    cinema.usage.list_title(ADA, "t0")


def test_a_rating_replaces_the_one_before_and_the_graph_knows() -> None:
    cinema = Cinema()
    cinema.usage.rate_title(ADA, "film", 1)
    cinema.usage.rate_title(ADA, "film", -1)
    cinema.usage.rate_title(BOB, "film", 1)
    assert [(mark.title_id, mark.rating) for mark in cinema.usage.ratings(ADA).entries] == [("film", -1)]
    cinema.usage.unrate_title(ADA, "film")
    assert not cinema.usage.ratings(ADA).entries and cinema.usage.title_state(BOB, "film").rating == 1
    assert [(message.change, message.user_id) for message in cinema.sent] == [
        ("rated", ADA),
        ("rated", ADA),
        ("rated", BOB),
        ("rated", ADA),
    ]
    with pytest.raises(NotFound):
        cinema.usage.rate_title(ADA, "nothing", 1)


def test_list_and_ratings_come_in_pages() -> None:
    cinema = Cinema()
    for title_id in ("film", "other", "third"):
        cinema.usage.list_title(ADA, title_id)
        cinema.usage.rate_title(ADA, title_id, 1)
    cursor, listed, rated = "", [], []
    for _ in range(3):
        page = cinema.usage.watch_list(ADA, cursor=cursor, limit=1)
        listed += [item.mark.title_id for item in page.entries]
        thumbs = cinema.usage.ratings(ADA, cursor=cursor, limit=1)
        rated += [mark.title_id for mark in thumbs.entries]
        assert thumbs.cursor == page.cursor
        cursor = page.cursor or ""
    assert listed == rated == ["third", "other", "film"] and not cursor


@pytest.mark.parametrize("cursor", ["x", "MjAyNg", "9999-12-31T23:59:59-14:00", "é"])
def test_cursor_that_no_page_returned_is_malformed(cursor: str) -> None:
    usage = Cinema().usage
    for read in (usage.history, usage.watch_list, usage.ratings):
        with pytest.raises(Malformed):
            read(ADA, cursor=cursor)


def test_a_milestone_whose_message_was_lost_is_reported_before_another_device_takes_over() -> None:
    cinema = Cinema()
    sofa = cinema.opens()
    cinema.queue_is_away = True
    with pytest.raises(StoreUnavailable):
        sofa.at(70.0)
    cinema.queue_is_away = False
    cinema.opens().at(20.0)
    assert [(message.change, message.progress) for message in cinema.sent] == [("watched", 0.583)]
    assert cinema.position() == 20.0
    kept = cinema.store.view(ADA, "film")
    assert kept and kept.view.seen


def test_a_title_that_is_watched_again_was_watched_before() -> None:
    cinema = Cinema()
    cinema.opens().at(118.0)
    again = cinema.opens()
    again.at(10.0)
    kept = cinema.store.view(ADA, "film")
    assert kept and kept.view.seen and kept.view.finished_before and not kept.view.reported
    again.at(118.0)
    assert [message.progress for message in cinema.sent] == [0.983, 0.983]
