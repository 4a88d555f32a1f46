"""A view is updated by heartbeats in any order, and gives the position where its viewer resumes."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.usage.model import (
    KEPT_FOR,
    UNWATCHED_KEPT_FOR,
    Heartbeat,
    Milestone,
    Quality,
    View,
)
from tests.support.clock import NOON
from tests.support.usage import FILM_S, make_session, make_view

FIRST = make_session()
SECOND = make_session(opened_s=60, playback_id="fedcba9876543210")


def test_a_heartbeat_carries_the_view_on() -> None:
    quality = Quality(startup_ms=800, rebuffers=1, rebuffer_ms=400, bitrate_kbps=3000, dropped_frames=2)
    view = View(FIRST).after(Heartbeat(3, 42.0, 40.0, quality), FIRST, NOON)
    assert (view.sequence, view.position_s, view.played_s, view.watched_at) == (3, 42.0, 40.0, NOON)
    assert view.quality == quality


def test_a_heartbeat_that_comes_late_or_twice_changes_nothing() -> None:
    view = View(FIRST).after(Heartbeat(5, 60.0), FIRST, NOON)
    for late in (Heartbeat(5, 61.0), Heartbeat(4, 90.0), Heartbeat(0, 1.0)):
        assert view.after(late, FIRST, NOON + timedelta(minutes=1)) is view


def test_a_view_remembers_when_it_was_made_whatever_sittings_follow() -> None:
    view = View(FIRST).after(Heartbeat(0, 10.0), FIRST, NOON).after(Heartbeat(0, 30.0), SECOND, NOON)
    assert (view.session, view.made_at) == (SECOND, FIRST.opened_at)
    assert View(FIRST, made_at=NOON + timedelta(hours=1)).made_at == NOON + timedelta(hours=1)


def test_a_viewer_may_go_back() -> None:
    view = View(FIRST).after(Heartbeat(5, 60.0), FIRST, NOON).after(Heartbeat(6, 10.0), FIRST, NOON)
    assert view.position_s == 10.0


def test_the_sitting_opened_last_has_the_word() -> None:
    view = View(FIRST).after(Heartbeat(9, 100.0), FIRST, NOON).after(Heartbeat(0, 30.0), SECOND, NOON)
    assert (view.session, view.position_s) == (SECOND, 30.0)
    assert view.after(Heartbeat(10, 110.0), FIRST, NOON) is view


@given(st.permutations([(session, number) for session in (FIRST, SECOND) for number in range(4)]))
def test_in_whatever_order_they_come_the_last_heartbeat_of_the_last_sitting_decides(
    order: list[tuple[object, int]],
) -> None:
    view = View(FIRST)
    for session, number in order:
        for _ in range(2):
            position_s = number * 10.0 + (5.0 if session == SECOND else 0.0)
            view = view.after(Heartbeat(number, position_s), SECOND if session == SECOND else FIRST, NOON)
    assert (view.session, view.sequence, view.position_s) == (SECOND, 3, 35.0)


def test_a_position_past_the_end_is_the_end() -> None:
    view = make_view(position_s=FILM_S + 3)
    assert (view.position_s, view.progress, view.finished) == (FILM_S, 1.0, True)


@pytest.mark.parametrize(
    ("position_s", "resume_s"), [(0.0, 0.0), (4.9, 0.0), (5.0, 5.0), (113.9, 113.9), (114.0, 0.0), (120.0, 0.0)]
)
def test_one_goes_on_where_one_stopped_unless_that_is_the_beginning_or_the_credits(
    position_s: float, resume_s: float
) -> None:
    view = make_view(position_s=position_s)
    assert (view.resume_s, view.unfinished) == (resume_s, resume_s > 0)


def test_a_view_that_was_never_watched_is_nowhere_and_soon_gone() -> None:
    view = View(FIRST)
    assert (view.place, view.unfinished, view.resume_s, view.kept_for) == (None, False, 0.0, UNWATCHED_KEPT_FOR)
    assert make_view().kept_for == KEPT_FOR


def test_a_film_of_no_length_has_no_progress() -> None:
    assert make_view(duration_s=0.0).progress == 0.0


def after(view: View, sequence: int, position_s: float, watched_s: float | None = FILM_S) -> View:
    return view.after(Heartbeat(sequence, position_s, watched_s), view.session, NOON)


def test_the_graph_is_due_at_half_and_at_the_end_once_each() -> None:
    view = after(View(FIRST), 0, 59.0)
    assert view.due is Milestone.NONE
    view = after(view, 1, 60.0)
    assert view.due is Milestone.HALF
    view = after(view.with_reported(Milestone.HALF), 2, 80.0)
    assert view.due is Milestone.NONE
    view = after(view, 3, 115.0)
    assert view.due is Milestone.END
    assert after(view.with_reported(Milestone.END), 4, 120.0).due is Milestone.NONE


def test_who_only_leaps_to_the_end_has_not_watched() -> None:
    assert after(View(FIRST), 0, 118.0, watched_s=2.0).due is Milestone.NONE
    assert after(View(FIRST), 0, 118.0, watched_s=12.0).due is Milestone.END
    assert after(View(FIRST), 0, 118.0, watched_s=None).due is Milestone.END


def test_what_was_played_in_earlier_sittings_counts() -> None:
    view = after(View(FIRST), 0, 20.0, watched_s=10.0)
    view = view.after(Heartbeat(0, 70.0, 3.0), SECOND, NOON)
    assert (view.earlier_s, view.played_s, view.due) == (10.0, 3.0, Milestone.HALF)


def test_a_film_watched_once_more_is_told_once_more() -> None:
    view = after(View(FIRST), 0, 120.0).with_reported(Milestone.END)
    view = view.after(Heartbeat(0, 10.0, 10.0), SECOND, NOON)
    assert (view.reported, view.due) == (Milestone.NONE, Milestone.NONE)
    assert view.after(Heartbeat(1, 61.0, 60.0), SECOND, NOON).due is Milestone.HALF
