"""The functions of recommendations at their edge."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from typing import Any

import azure.functions as func
import pytest

from functions import bootstrap
from functions.platform.errors import Malformed, NotFound, StoreUnavailable
from functions.recommendations import triggers
from functions.recommendations.model import Kind, Pick, Reason, Shelf
from functions.recommendations.rebuild import Phase, Progress
from tests.support.api import call
from tests.support.catalogue import NOON, make_title
from tests.support.owners import ADMINISTRATOR, AS_ADMINISTRATOR, AS_OPERATOR, AS_VIEWER, SomeAreLoggedIn, make_owners

PROGRESS = Progress("0123456789abcdef", NOON, NOON, titles_in_all=9)


def pick(name: str) -> Pick:
    from functions.catalogue.views import card

    return Pick(card(make_title(name)), Reason(Kind.DIRECTED, "Also directed by Ada Lindt"))


@dataclass
class Parts:
    """What the functions use, in memory; the parts are one."""

    latest: Progress | None = None
    handled: list[object] = field(default_factory=list)
    lost: int = 0
    failed: list[str] = field(default_factory=list)
    over: bool = True
    asked_for: list[str] = field(default_factory=list)

    @property
    def recommendations(self) -> Parts:
        return self

    @property
    def keeper(self) -> Parts:
        return self

    @property
    def rebuild(self) -> Parts:
        return self

    def home(self, user_id: str) -> list[Shelf]:
        self.asked_for.append(user_id)
        return [Shelf("for-you", "For you", "From what you watched last", (pick("a"),))]

    def similar(self, title_id: str) -> list[Pick]:
        if title_id != "a":
            raise NotFound(f"There is no title {title_id!r}.")
        return [pick("b")]

    def start(self) -> Progress:
        self.latest = PROGRESS
        return PROGRESS

    def start_if_due(self) -> bool:
        self.start()
        return True

    def progress(self) -> Progress | None:
        return self.latest

    def handle(self, message: object) -> None:
        self.handled.append(message)

    def note_loss(self) -> None:
        self.lost += 1

    def advance(self, rebuild_id: str, *, within_s: float) -> bool:
        self.handled.append((rebuild_id, within_s))
        return self.over

    def fail(self, rebuild_id: str, reason: str) -> None:
        self.failed.append(rebuild_id)


@pytest.fixture
def parts(monkeypatch: pytest.MonkeyPatch) -> Parts:
    made = Parts()
    monkeypatch.setattr(bootstrap, "graph", lambda: made)
    monkeypatch.setattr(bootstrap, "owners", make_owners)
    monkeypatch.setattr(bootstrap, "accounts", SomeAreLoggedIn)
    return made


def deliver(function: Any, body: object) -> None:
    text = body if isinstance(body, bytes) else json.dumps(body).encode()
    function._function.get_user_function()(func.QueueMessage(body=text))


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


def test_a_message_is_handed_on_and_one_that_is_none_is_refused(parts: Parts) -> None:
    deliver(triggers.update_graph, {"title": "a"})
    assert parts.handled == [{"title": "a"}]
    for broken in (b"no json", b"[]", b"7"):
        with pytest.raises(Malformed):
            deliver(triggers.update_graph, broken)


def test_a_lost_message_makes_a_rebuild_due(parts: Parts) -> None:
    deliver(triggers.update_graph_poison, b"no json")
    assert parts.lost == 1


def test_what_a_message_leaves_of_a_rebuild_is_for_the_next(parts: Parts, monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[tuple[str, object]] = []

    class Queues:
        def send(self, queue: str, message: object) -> None:
            sent.append((queue, message))

    monkeypatch.setattr(bootstrap.resources, "queues", Queues)
    parts.over = False
    deliver(triggers.rebuild_graph, {"rebuild_id": "r1"})
    assert sent == [("rebuild-graph", {"rebuild_id": "r1"})]
    parts.over = True
    deliver(triggers.rebuild_graph, {"rebuild_id": "r1"})
    assert len(sent) == 1


def test_a_rebuild_whose_message_fails_is_told_as_failed(parts: Parts) -> None:
    deliver(triggers.rebuild_graph_poison, {"rebuild_id": "r1"})
    deliver(triggers.rebuild_graph_poison, b"no json")
    assert parts.failed == ["r1"]


def test_the_timer_begins_what_is_due_where_there_is_a_graph(parts: Parts, monkeypatch: pytest.MonkeyPatch) -> None:
    @dataclass
    class Settings:
        neo4j_uri: str

    for uri, begun in (("", None), ("bolt://graph", PROGRESS)):
        monkeypatch.setattr(bootstrap.resources, "settings", lambda uri=uri: Settings(uri))
        built: Any = triggers.mend_graph
        built._function.get_user_function()(None)
        assert parts.latest == begun


def test_a_graph_that_is_away_is_no_error_of_whoever_asks(parts: Parts, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(message: object) -> None:
        raise StoreUnavailable("The graph does not answer.")

    monkeypatch.setattr(parts, "handle", away)
    with pytest.raises(StoreUnavailable):
        deliver(triggers.update_graph, {"title": "a"})
