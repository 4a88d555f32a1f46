"""The functions of recommendations: requests, responses and messages."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from functions import bootstrap
from functions.catalogue.schemas import Card
from functions.platform.deferrals import DEFERRALS_S
from functions.platform.errors import NotFound, StoreUnavailable
from functions.platform.messages import RebuildGraph, UpdateGraph, encode
from functions.recommendations import triggers
from functions.recommendations.model import Pick, Reason, ReasonKind, Shelf
from functions.recommendations.rebuild import Phase, RebuildProgress
from tests.support.api import call
from tests.support.catalogue import make_title
from tests.support.clock import NOON
from tests.support.owners import ADMINISTRATOR, AS_ADMINISTRATOR, AS_CHILD, AS_OPERATOR, AS_VIEWER, FakeAccess
from tests.support.queues import MemoryQueues, handle

PROGRESS = RebuildProgress("0123456789abcdef", NOON, NOON, titles_in_all=9)


def pick(name: str) -> Pick:
    return Pick(Card.of(make_title(name)), Reason(ReasonKind.DIRECTED, "Also directed by Ada Lindt"))


@dataclass
class GraphSettings:
    """The one setting that the functions read."""

    neo4j_uri: str


@dataclass
class Parts:
    """One in-memory object in place of all the services that the functions use."""

    latest: RebuildProgress | None = None
    handled: list[UpdateGraph] = field(default_factory=list)
    lost: int = 0
    failed: list[str] = field(default_factory=list)
    over: bool = True
    asked_for: list[str] = field(default_factory=list)
    age_limits: list[int | None] = field(default_factory=list)

    @property
    def recommendations(self) -> Parts:
        return self

    @property
    def sync(self) -> Parts:
        return self

    @property
    def rebuild(self) -> Parts:
        return self

    def home(self, user_id: str, *, age_limit: int | None) -> list[Shelf]:
        self.asked_for.append(user_id)
        self.age_limits.append(age_limit)
        return [Shelf("for-you", "For you", "From what you watched last", (pick("a"),))]

    def similar(self, title_id: str, *, age_limit: int | None) -> list[Pick]:
        self.age_limits.append(age_limit)
        if title_id != "a":
            raise NotFound(f"There is no title {title_id!r}.")
        return [pick("b")]

    def start(self) -> RebuildProgress:
        self.latest = PROGRESS
        return PROGRESS

    def start_if_due(self) -> bool:
        self.start()
        return True

    def progress(self) -> RebuildProgress | None:
        return self.latest

    def update(self, message: UpdateGraph) -> None:
        self.handled.append(message)

    def record_loss(self) -> None:
        self.lost += 1

    def advance(self, rebuild_id: str, *, within_s: float) -> bool:
        assert rebuild_id == "r1" and within_s == triggers.REBUILD_S
        return self.over

    def fail(self, rebuild_id: str, reason: str) -> None:
        self.failed.append(rebuild_id)


@pytest.fixture
def parts(monkeypatch: pytest.MonkeyPatch) -> Parts:
    made = Parts()
    monkeypatch.setattr(bootstrap, "graph", lambda: made)
    monkeypatch.setattr(bootstrap, "access", FakeAccess)
    monkeypatch.setattr(bootstrap.resources, "settings", lambda: GraphSettings("bolt://graph"))
    return made


@pytest.fixture
def no_graph(monkeypatch: pytest.MonkeyPatch, parts: Parts) -> None:
    """Leave the graph out, as an owner may."""
    monkeypatch.setattr(bootstrap.resources, "settings", lambda: GraphSettings(""))


@pytest.fixture
def queues(monkeypatch: pytest.MonkeyPatch) -> MemoryQueues:
    made = MemoryQueues()
    monkeypatch.setattr(bootstrap.resources, "queues", lambda: made)
    return made


def test_the_age_limit_of_the_profile_holds_for_shelves_and_similar_titles(parts: Parts) -> None:
    for headers in (AS_VIEWER, AS_CHILD):
        assert call(triggers.recommend, "recommendations", headers=headers)[0] == 200
    for headers in ({}, AS_VIEWER, AS_CHILD):
        assert call(triggers.similar_titles, "titles/a/similar", route={"id": "a"}, headers=headers)[0] == 200
    assert parts.age_limits == [None, 9, None, None, 9]


def test_a_viewer_gets_their_own_shelves(parts: Parts) -> None:
    status, said = call(triggers.recommend, "recommendations", headers=AS_ADMINISTRATOR)
    assert status == 200
    [shelf] = said["shelves"]
    assert shelf["heading"] == "For you"
    assert shelf["titles"][0]["reason"] == {"kind": "directed", "words": "Also directed by Ada Lindt"}
    assert parts.asked_for == [ADMINISTRATOR.user_id]


def test_without_a_session_there_are_no_shelves(parts: Parts) -> None:
    status, said = call(triggers.recommend, "recommendations")
    assert (status, said["error"]) == (401, "unauthenticated")
    assert not parts.asked_for


def test_anyone_may_ask_what_is_like_a_title(parts: Parts) -> None:
    status, said = call(triggers.similar_titles, "titles/a/similar", route={"id": "a"})
    assert (status, [title["id"] for title in said["titles"]]) == (200, ["b"])
    assert call(triggers.similar_titles, "titles/x/similar", route={"id": "x"})[0] == 404


@pytest.mark.parametrize("headers", [AS_OPERATOR, AS_ADMINISTRATOR])
def test_the_owner_begins_a_rebuild_and_sees_how_far_it_is(parts: Parts, headers: dict[str, str]) -> None:
    assert call(triggers.get_rebuild, "graph/rebuild", headers=headers)[0] == 404
    status, said = call(triggers.start_rebuild, "graph/rebuild", headers=headers)
    assert (status, said["phase"], said["titles_in_all"]) == (202, "titles", 9)
    parts.latest = replace(PROGRESS, phase=Phase.DONE, finished_at=NOON, titles=9)
    status, said = call(triggers.get_rebuild, "graph/rebuild", headers=headers)
    assert (status, said["phase"], said["finished_at"]) == (200, "done", "2026-11-24T12:00:00Z")


@pytest.mark.parametrize(("headers", "status"), [({}, 401), (AS_VIEWER, 403)])
def test_nobody_else_does(parts: Parts, headers: dict[str, str], status: int) -> None:
    assert call(triggers.start_rebuild, "graph/rebuild", headers=headers)[0] == status
    assert call(triggers.get_rebuild, "graph/rebuild", headers=headers)[0] == status
    assert parts.latest is None


@pytest.mark.parametrize(
    "body",
    [
        b"no json",
        b"[]",
        b"7",
        b"{}",
        b'{"title": "a"}',
        b'{"change": "burnt", "title_id": "a"}',
        b'{"change": "title", "title_id": "../x"}',
        b'{"change": "title", "title_id": "a\' OR 1=1"}',
        b'{"change": "forgotten", "user_id": "everybody"}',
        b'{"change": "watched", "title_id": "a", "progress": 2}',
        b'{"change": "rated", "title_id": "a", "at": "yesterday"}',
        b'{"change": "rated", "title_id": "a", "at": "2026-11-24T12:00:00"}',
    ],
)
@pytest.mark.parametrize("function", [triggers.update_graph, triggers.update_graph_poison])
def test_malformed_update_is_parked(parts: Parts, queues: MemoryQueues, function: Any, body: bytes) -> None:
    handle(function, body)
    assert [(queue, parked) for queue, parked, _ in queues.parked] == [("update-graph", body)]
    assert not parts.handled and not parts.lost


def test_update_is_written(parts: Parts) -> None:
    message = UpdateGraph("title", title_id="a")
    handle(triggers.update_graph, encode(message))
    assert parts.handled == [message]


def test_without_a_graph_messages_are_let_go_and_no_rebuild_begins(parts: Parts, no_graph: None) -> None:
    handle(triggers.update_graph, encode(UpdateGraph("title", title_id="a")))
    status, said = call(triggers.start_rebuild, "graph/rebuild", headers=AS_OPERATOR)
    assert (status, said["error"]) == (409, "conflict")
    assert "Neo4j is not set up" in said["detail"]
    assert not parts.handled and parts.latest is None


def test_change_is_deferred_during_an_outage_and_makes_a_rebuild_due_after_it(
    parts: Parts, queues: MemoryQueues
) -> None:
    message = UpdateGraph("title", title_id="a")
    for deferrals in range(len(DEFERRALS_S)):
        handle(triggers.update_graph_poison, encode(replace(message, deferrals=deferrals)))
    assert queues.sent == [
        (replace(message, deferrals=each + 1), DEFERRALS_S[each]) for each in range(len(DEFERRALS_S))
    ]
    losses = [parts.lost]
    handle(triggers.update_graph_poison, encode(queues.sent[-1][0]))
    assert [*losses, parts.lost] == [0, 1]


def test_rest_of_a_rebuild_is_left_to_the_next_message(parts: Parts, queues: MemoryQueues) -> None:
    message = RebuildGraph("r1")
    parts.over = False
    handle(triggers.rebuild_graph, encode(message))
    assert queues.messages == [message]
    parts.over = True
    handle(triggers.rebuild_graph, encode(message))
    assert queues.messages == [message]


def test_rebuild_whose_message_fails_has_failed(parts: Parts, queues: MemoryQueues) -> None:
    handle(triggers.rebuild_graph_poison, encode(RebuildGraph("r1")))
    handle(triggers.rebuild_graph_poison, b"no json")
    assert parts.failed == ["r1"] and len(queues.parked) == 1


def tick() -> None:
    built: Any = triggers.repair_graph
    built._function.get_user_function()(None)


def test_the_timer_begins_what_is_due(parts: Parts) -> None:
    tick()
    assert parts.latest == PROGRESS


def test_the_timer_begins_nothing_without_a_graph(parts: Parts, no_graph: None) -> None:
    tick()
    assert parts.latest is None


def test_a_graph_that_is_away_is_no_error_of_whoever_asks(parts: Parts, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(message: object) -> None:
        raise StoreUnavailable("The graph does not answer.")

    monkeypatch.setattr(parts, "update", away)
    with pytest.raises(StoreUnavailable):
        handle(triggers.update_graph, encode(UpdateGraph("title", title_id="a")))
