"""Messages to the graph that come late, or while the viewer goes on."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from functions.usage.model import Heartbeat, UsageKind
from tests.support.clock import NOON
from tests.support.graph import VIEWERS, during, memory_theatre, unwatched, watched

if TYPE_CHECKING:
    import pytest

LATER = NOON + timedelta(hours=5)


def test_a_late_message_about_a_cleared_viewing_leaves_the_one_since() -> None:
    made = memory_theatre("a")
    made.views(0, "a", NOON)
    made.views(0, "a", LATER)  # cleared and watched again
    made.sync.update(watched(0, "a", LATER))
    made.sync.update(watched(0, "a", NOON))
    assert made.content.viewings == made.expected.viewings != {}


def test_a_late_message_about_a_cleared_viewing_is_replaced_by_the_one_since() -> None:
    made = memory_theatre("a")
    made.views(0, "a", LATER)
    made.sync.update(watched(0, "a", NOON))
    assert made.content.viewings == made.expected.viewings != {}


def test_a_late_message_about_a_cleared_history_leaves_what_was_watched_since() -> None:
    made = memory_theatre("a", "b", "c")
    made.watches(0, "a", "b")
    made.store.remove_all(VIEWERS[0], UsageKind.VIEW)
    made.watches(0, "c", from_s=7200)
    made.sync.update(unwatched(0, None))
    assert set(made.content.viewings) == {(VIEWERS[0], "c")}
    assert made.content == made.expected


def test_a_viewing_between_the_check_and_the_removal_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    made = memory_theatre("a")
    made.watches(0, "a")
    made.store.remove(VIEWERS[0], UsageKind.VIEW, "a")
    during(made.graph, "remove_viewings", lambda: made.watches(0, "a", from_s=7200), monkeypatch)
    made.sync.update(unwatched(0, "a"))
    assert made.content == made.expected and made.content.viewings


def test_a_viewing_that_is_cleared_between_its_check_and_its_writing_does_not_come_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made = memory_theatre("a")
    made.views(0, "a", LATER)

    def clear() -> None:
        made.store.remove(VIEWERS[0], UsageKind.VIEW, "a")
        made.sync.update(unwatched(0, "a"))

    during(made.graph, "record_viewing", clear, monkeypatch)
    made.sync.update(unwatched(0, "a"))  # a late message of an earlier clearing
    assert made.content.viewings == made.expected.viewings == {}


def test_a_title_that_is_begun_again_stays_watched() -> None:
    made = memory_theatre("a")
    made.watches(0, "a")
    again = made.usage.open(VIEWERS[0], "a", duration_s=120.0)
    assert again.ticket
    made.world.clock.forward(seconds=15)
    made.usage.record_heartbeat("a", again.ticket, Heartbeat(0, 9.0))
    made.sync.update(unwatched(0, None))  # a late message of an earlier clearing
    assert set(made.content.viewings) == {(VIEWERS[0], "a")}
    made.rebuilds()
    assert set(made.content.viewings) == {(VIEWERS[0], "a")}
