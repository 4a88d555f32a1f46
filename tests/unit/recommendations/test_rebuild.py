"""Rebuilds at the same time as viewers watch, and by several processes at once."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

import pytest

from functions.catalogue.schemas import TitleEdit
from functions.platform.errors import StoreUnavailable
from functions.recommendations.rebuild import STALE, Phase
from functions.recommendations.rebuild_sources import graph_title
from functions.usage.model import Heartbeat, Mark, UsageKind
from tests.support.clock import NOON
from tests.support.graph import VIEWERS, during, forgotten, memory_theatre, rated, title_changed, unwatched
from tests.support.usage import make_usage

if TYPE_CHECKING:
    from collections.abc import Iterator

    from functions.platform.messages import UpdateGraph
    from functions.recommendations.rebuild import RebuildProgress
    from functions.usage.model import ViewerUsage
    from tests.support.graph import Theatre


def clear(made: Theatre, viewer: int, name: str) -> None:
    """Remove a title from a viewer's history, and update the graph."""
    made.store.remove(VIEWERS[viewer], UsageKind.VIEW, name)
    made.sync.update(unwatched(viewer, name))


@pytest.mark.parametrize("known", [True, False], ids=["of a known viewer", "of a new viewer"])
def test_a_viewing_that_is_recorded_while_a_rebuild_writes_viewers_stays(
    known: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = memory_theatre("a", "b")
    made.watches(1, "a")
    if known:
        made.watches(0, "a")
    during(made.graph, "write_viewers", lambda: made.watches(0, "b", from_s=7200), monkeypatch)
    made.rebuilds()
    assert made.content.viewings == made.expected.viewings
    assert (VIEWERS[0], "b") in made.content.viewings


def test_a_viewer_who_leaves_while_a_rebuild_writes_viewers_does_not_come_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made = memory_theatre("a")
    made.watches(0, "a")
    made.watches(1, "a")

    def leave() -> None:
        made.store.remove_all(VIEWERS[0], *UsageKind)
        made.sync.update(forgotten(0))

    during(made.graph, "write_viewers", leave, monkeypatch)
    made.rebuilds()
    assert made.graph.user_ids(after="", until=None) == [VIEWERS[1]]


def test_a_rating_of_a_viewer_whom_a_rebuild_removes_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    made = memory_theatre("a")
    made.watches(0, "a")
    made.store.remove_all(VIEWERS[0], *UsageKind)  # the message is lost

    def rate() -> None:
        made.store.put(Mark(UsageKind.RATED, VIEWERS[0], "a", NOON, 1))
        made.sync.update(rated(0, "a", NOON))

    during(made.graph, "remove_viewer", rate, monkeypatch)
    made.rebuilds()
    assert made.content == made.expected and made.content.opinions == {(VIEWERS[0], "a"): 1}


def test_a_viewer_with_nothing_but_a_list_is_removed_from_the_graph() -> None:
    made = memory_theatre("a")
    made.watches(0, "a")
    made.store.remove_all(VIEWERS[0], *UsageKind)
    made.store.put(Mark(UsageKind.LISTED, VIEWERS[0], "a", NOON))
    made.rebuilds()
    assert made.graph.user_ids(after="", until=None) == [] and not made.content.viewings


def test_a_rebuild_gives_up_on_viewers_who_never_stop_changing(monkeypatch: pytest.MonkeyPatch) -> None:
    made = memory_theatre("a")
    made.watches(0, "a")
    written = made.graph.write_viewers
    ratings = iter([1, -1] * 50)

    def changing(viewers: Any) -> None:
        written(viewers)
        made.rates(0, "a", next(ratings))

    monkeypatch.setattr(made.graph, "write_viewers", changing)
    begun = made.rebuild.start()
    with pytest.raises(StoreUnavailable):
        made.rebuild.advance(begun.id, within_s=60)


def test_a_change_of_a_title_whose_older_version_a_rebuild_forces_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    made = memory_theatre("a")
    catalogue, graph = made.world.catalogue, made.graph
    restored = catalogue.get("a")
    graph.write_titles([replace(graph_title(restored), revision=9)])  # the catalogue was restored from a backup
    forced = graph.write_titles

    def concurrently(titles: Any, *, force: bool = False) -> list[str]:
        if force:
            monkeypatch.undo()
            catalogue.edit_title("a", TitleEdit(year=1999))
            made.sync.update(title_changed("a"))
        return forced(titles, force=force)

    monkeypatch.setattr(graph, "write_titles", concurrently)
    made.rebuilds()
    assert made.content == made.expected


def test_a_viewing_stays_that_is_reported_but_not_yet_recorded_as_reported() -> None:
    made = memory_theatre("a")

    def handle(message: UpdateGraph) -> None:
        made.sync.update(message)
        made.rebuilds()

    usage = make_usage(made.store, made.world, send=handle)
    opened = usage.open(VIEWERS[0], "a", duration_s=120.0)
    made.world.clock.forward(seconds=90)
    assert opened.ticket
    usage.record_heartbeat("a", opened.ticket, Heartbeat(0, 90.0, watched_s=90.0))
    assert made.content.viewings == made.expected.viewings != {}


def test_a_viewing_that_is_cleared_while_a_rebuild_writes_it_does_not_come_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made = memory_theatre("a", "b")
    made.watches(0, "a", "b")
    during(made.graph, "write_viewers", lambda: clear(made, 0, "a"), monkeypatch)
    made.rebuilds()
    assert set(made.content.viewings) == {(VIEWERS[0], "b")}


def test_a_change_while_a_rebuild_reads_a_viewer_again_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    made = memory_theatre("a", "b")
    made.watches(0, "a", "b")

    def change() -> None:
        made.rates(0, "a", 1)
        during(made.graph, "write_viewers", lambda: clear(made, 0, "a"), monkeypatch)

    during(made.graph, "write_viewers", change, monkeypatch)
    made.rebuilds()
    assert made.content == made.expected and set(made.content.viewings) == {(VIEWERS[0], "b")}


def test_a_rebuild_reads_usage_once_and_again_only_who_changed(monkeypatch: pytest.MonkeyPatch) -> None:
    made = memory_theatre("a", "b")
    for viewer in range(9):
        made.watches(viewer, "a")
    read: list[str] = []
    usage: Any = made.usage
    viewers, find_viewer = usage.viewers, usage.find_viewer

    def all_viewers(*, after: str) -> Iterator[ViewerUsage]:
        read.append("all")
        yield from viewers(after=after)

    def one_viewer(user_id: str) -> ViewerUsage | None:
        read.append(user_id)
        return cast("ViewerUsage | None", find_viewer(user_id))

    usage.viewers, usage.find_viewer = all_viewers, one_viewer
    during(made.graph, "write_viewers", lambda: made.watches(4, "b", from_s=7200), monkeypatch)
    made.rebuilds()
    assert read == ["all", VIEWERS[4]]


def test_changes_are_recorded_only_while_a_rebuild_runs_and_deleted_at_its_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made = memory_theatre("a")
    made.watches(0, "a")
    begun = made.rebuild.start()
    made.watches(1, "a")
    changes = {VIEWERS[1]: 1}
    assert made.records.changes(begun.id, after="", until=None) == changes
    made.rebuild.advance(begun.id, within_s=60)
    made.watches(2, "a")
    assert made.records.changes(begun.id, after="", until=None) == {}

    failing = made.rebuild.start()
    made.watches(1, "a", from_s=7200)
    made.rebuild.fail(failing.id, "It could not go on.")
    assert made.records.changes(failing.id, after="", until=None) == {}
    made.records.record_change(failing.id, VIEWERS[1])  # by a message that was handled late
    made.rebuild.start()
    assert made.records.changes(failing.id, after="", until=None) == {}


def test_an_interrupted_rebuild_knows_the_changes_before_the_interruption(monkeypatch: pytest.MonkeyPatch) -> None:
    made = memory_theatre("a", "b")
    made.watches(0, "a", "b")
    begun = made.rebuild.start()

    def interrupted() -> None:
        clear(made, 0, "a")
        raise StoreUnavailable("The process ends here.")

    during(made.graph, "write_viewers", interrupted, monkeypatch)
    with pytest.raises(StoreUnavailable):
        made.rebuild.advance(begun.id, within_s=60)
    made.world.clock.forward(seconds=STALE.total_seconds())
    assert made.rebuild.start().id == begun.id
    assert made.records.changes(begun.id, after="", until=None) == {VIEWERS[0]: 1}
    assert made.rebuild.advance(begun.id, within_s=60)
    assert made.content == made.expected


def test_a_process_that_was_overtaken_changes_no_progress_and_makes_a_rebuild_due(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """While it was suspended, another process has ended the rebuild, so later changes were not recorded."""
    made = memory_theatre("a", "b")
    made.watches(0, "a", "b")
    begun = made.rebuild.start()

    def suspended() -> None:
        assert made.rebuild.advance(begun.id, within_s=60)
        clear(made, 0, "a")

    during(made.graph, "write_viewers", suspended, monkeypatch)
    assert made.rebuild.advance(begun.id, within_s=60)
    ended = made.rebuild.progress()
    assert ended and ended.phase is Phase.DONE
    assert made.content != made.expected
    assert made.rebuild.start_if_due()
    made.rebuild.advance(made.begun[-1], within_s=60)
    assert made.content == made.expected


def test_a_process_that_is_suspended_before_it_saves_does_not_set_a_rebuild_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made = memory_theatre("a")
    made.watches(0, "a")
    begun = made.rebuild.start()

    def suspended() -> None:
        assert made.rebuild.advance(begun.id, within_s=60)

    during(made.records, "save_progress", suspended, monkeypatch)
    assert made.rebuild.advance(begun.id, within_s=60)
    phases = [each.phase for each in made.records.kept]
    assert phases[-1] is Phase.DONE and phases.count(Phase.DONE) == 1


def test_of_two_rebuilds_that_start_at_once_one_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    made = memory_theatre("a")
    started: list[RebuildProgress] = []
    during(made.records, "save_progress", lambda: started.append(made.rebuild.start()), monkeypatch)
    assert made.rebuild.start() == started[0]
    assert made.begun == [started[0].id]


def test_a_rebuild_that_another_process_moved_on_does_not_fail(monkeypatch: pytest.MonkeyPatch) -> None:
    made = memory_theatre("a")
    begun = made.rebuild.start()
    during(made.records, "save_progress", lambda: made.rebuild.advance(begun.id, within_s=60), monkeypatch)
    made.rebuild.fail(begun.id, "It could not go on.")
    ended = made.rebuild.progress()
    assert ended and ended.phase is Phase.DONE
