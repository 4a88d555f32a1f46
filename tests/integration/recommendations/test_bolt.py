"""Calls of the graph that are never answered: they end after a time, change nothing later, and leave nothing behind."""

from __future__ import annotations

import threading
from contextlib import closing
from typing import TYPE_CHECKING

import pytest
from neo4j import Session

from functions.platform.errors import StoreUnavailable
from functions.recommendations import bolt as bolts
from functions.recommendations.bolt import Bolt
from tests.support.links import Link, Silent
from tests.support.waiting import eventually

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from neo4j import Transaction

    from tests.integration.conftest import Stack

SHORT_S = 0.3
"""A limit for calls that cannot be answered."""

MANY = 20


@pytest.fixture(autouse=True)
def patient_reads() -> None:
    """Keep the product's limit for reads, instead of the longer one of the other tests of this folder."""


def patiently[Answer](call: Callable[[], Answer]) -> Answer:
    """Repeat a call until the graph answers it: on a busy machine, connecting can take too long."""

    def answered() -> tuple[Answer] | None:
        try:
            return (call(),)
        except StoreUnavailable:
            return None

    return eventually(answered)[0]


def add_probe(tx: Transaction) -> None:
    tx.run("MERGE (n:Probe {id: 1})").consume()


def probes(bolt: Bolt) -> int:
    """Return the number of probes."""

    def count(tx: Transaction) -> int:
        found: int = tx.run("MATCH (n:Probe) RETURN count(n) AS n").single(strict=True)["n"]
        return found

    return patiently(lambda: bolt.write(count))


@pytest.fixture
def link(stack: Stack) -> Iterator[Link]:
    with Link(int(stack.settings.neo4j_uri.rpartition(":")[2])) as made:
        yield made


@pytest.fixture
def linked(link: Link, stack: Stack) -> Iterator[Bolt]:
    """Return a connection to the graph through the link, which has already been used."""
    settings = stack.settings
    with closing(Bolt(f"bolt://127.0.0.1:{link.port}", settings.neo4j_user, settings.neo4j_password)) as made:
        patiently(lambda: made.write(lambda tx: tx.run("MATCH (n:Probe) DELETE n").consume()))
        yield made


@pytest.fixture
def await_threads(linked: Bolt) -> Callable[[], None]:
    """Return a function that waits until the threads have ended that the graph's calls have started since."""
    before = set(threading.enumerate())

    def await_threads() -> None:
        eventually(lambda: not any(each.name.startswith("graph") for each in set(threading.enumerate()) - before))

    return await_threads


def test_write_on_a_silent_connection_fails_and_the_next_one_uses_another(link: Link, linked: Bolt) -> None:
    with link.under(Silent()), pytest.raises(StoreUnavailable, match=r"within 0\.3 s"):
        linked.write(add_probe, within_s=SHORT_S)
    patiently(lambda: linked.write(add_probe))
    assert probes(linked) == 1


def test_threads_of_unanswered_calls_end_while_the_connection_stays_silent(
    link: Link, linked: Bolt, await_threads: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bolts, "READ_S", SHORT_S)
    with link.under(Silent()):
        with pytest.raises(StoreUnavailable):
            linked.write(add_probe, within_s=SHORT_S)
        with pytest.raises(StoreUnavailable):
            linked.read(lambda ask: ask("RETURN 1 AS n"))
        await_threads()


def test_write_that_was_given_up_changes_nothing_later(
    link: Link, linked: Bolt, bolt: Bolt, await_threads: Callable[[], None]
) -> None:
    """Repeating it on another connection would be wrong: the message may have been handled again by then."""
    with link.under(Silent()), pytest.raises(StoreUnavailable):
        linked.write(add_probe, within_s=SHORT_S)
    await_threads()
    assert probes(bolt) == 0


def test_write_whose_work_ends_too_late_is_rolled_back(
    linked: Bolt, bolt: Bolt, await_threads: Callable[[], None]
) -> None:
    given_up = threading.Event()

    def work(tx: Transaction) -> None:
        add_probe(tx)
        given_up.wait()

    with pytest.raises(StoreUnavailable):
        linked.write(work, within_s=SHORT_S)
    given_up.set()
    await_threads()
    assert probes(bolt) == 0


def test_many_reads_without_an_answer_leave_room_for_others(
    link: Link, linked: Bolt, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bolts, "REST_S", 0.0)
    with monkeypatch.context() as impatient, link.under(Silent()):
        impatient.setattr(bolts, "READ_S", 0.1)
        for _ in range(MANY):
            with pytest.raises(StoreUnavailable):
                linked.read(lambda ask: ask("RETURN 1 AS n"))
    assert patiently(lambda: linked.read(lambda ask: ask("RETURN 1 AS n"))) == [{"n": 1}]


def test_session_that_fails_to_close_is_closed_again(linked: Bolt, monkeypatch: pytest.MonkeyPatch) -> None:
    """The sockets of a driver that another thread has closed fail in any call, the first time."""
    sessions: list[Session] = []
    close = Session.close

    def close_at_the_second_attempt(session: Session) -> None:
        sessions.append(session)
        if len(sessions) == 1:
            raise OSError("The socket is closed.")
        close(session)

    monkeypatch.setattr(Session, "close", close_at_the_second_attempt)
    assert patiently(lambda: linked.read(lambda ask: ask("RETURN 1 AS n"))) == [{"n": 1}]
    assert sessions.count(sessions[0]) == 2
    assert sessions[0].closed()
