"""The audit log: entries are listed newest first with names, and a deleted account leaves no id behind."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from functions import bootstrap, bootstrap_studio
from functions.audit import triggers
from functions.audit.service import AuditLog
from functions.platform.errors import Malformed, StoreUnavailable
from functions.platform.messages import RecordAction, encode
from tests.support.api import call
from tests.support.audit import MemoryAudit
from tests.support.catalogue import make_title
from tests.support.owners import ADMINISTRATOR, AS_OPERATOR, FakeAccess
from tests.support.queues import MemoryQueues, handle, tick

NOW = datetime(2026, 11, 27, 12, tzinfo=UTC)
PERSON = "d" * 32


def action(number: int, *, subject: str = "film", outcome: str = "", name: str = "withdraw_title") -> RecordAction:
    """Return the message of an action that began some seconds after noon."""
    at = NOW + timedelta(seconds=number)
    return RecordAction(f"{number:032x}", at, ADMINISTRATOR.user_id, name, subject, outcome)


@pytest.fixture
def store() -> MemoryAudit:
    return MemoryAudit(lambda: NOW)


@pytest.fixture
def log(store: MemoryAudit, monkeypatch: pytest.MonkeyPatch) -> AuditLog:
    made = AuditLog(store)
    names = {ADMINISTRATOR.user_id: ADMINISTRATOR.email, PERSON: "person@example.org"}
    accounts = SimpleNamespace(emails_of=lambda ids: {one: names[one] for one in ids if one in names})
    titles = SimpleNamespace(known=lambda ids, drafts: {one: make_title(one) for one in ids if one == "film"})
    monkeypatch.setattr(bootstrap_studio, "audit", lambda: made)
    monkeypatch.setattr(bootstrap, "accounts", lambda: accounts)
    monkeypatch.setattr(bootstrap, "catalogue", lambda: titles)
    monkeypatch.setattr(bootstrap, "access", FakeAccess)
    return made


def listed(cursor: str = "", limit: int = 24) -> tuple[list[dict[str, Any]], str | None]:
    """Return a page as the API answers it."""
    status, body = call(triggers.list_actions, f"audit?cursor={cursor}&limit={limit}", headers=AS_OPERATOR)
    assert status == 200
    return body["entries"], body["cursor"]


def test_an_action_is_listed_with_who_when_what_to_what_and_how_it_ended(log: AuditLog) -> None:
    for message in (action(1), action(1, outcome="done")):
        handle(triggers.record_action, encode(message))
    ([entry], cursor) = listed()
    assert entry == {
        "at": "2026-11-27T12:00:01Z",
        "actor": ADMINISTRATOR.user_id,
        "actor_email": ADMINISTRATOR.email,
        "action": "withdraw_title",
        "subject": "film",
        "subject_name": make_title("film").details.name,
        "outcome": "done",
    }
    assert cursor is None


def test_messages_may_arrive_twice_and_in_any_order(log: AuditLog) -> None:
    for message in (action(1, outcome="conflict"), action(1), action(1, outcome="conflict")):
        handle(triggers.record_action_poison, encode(message))
    ([entry], _) = listed()
    assert entry["outcome"] == "conflict"


def test_an_action_waits_until_it_is_recorded_however_long_the_store_is_away(
    log: AuditLog, store: MemoryAudit, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The host keeps a dead letter for seven days, so the message is sent anew."""
    queues = MemoryQueues()
    monkeypatch.setattr(bootstrap.resources, "queues", lambda: queues)
    store.unavailable = True
    with pytest.raises(StoreUnavailable):
        handle(triggers.record_action, encode(action(1)))
    handle(triggers.record_action_poison, encode(action(1)))
    assert queues.sent == [(action(1), triggers.RETRY_AFTER_S)]
    store.unavailable = False
    handle(triggers.record_action, encode(action(1)))
    assert len(listed()[0]) == 1


def test_an_action_that_was_interrupted_has_no_outcome(log: AuditLog) -> None:
    log.record(action(1))
    assert listed()[0][0]["outcome"] is None


def test_pages_are_newest_first(log: AuditLog) -> None:
    for number in range(5):
        log.record(action(number))
    first, cursor = listed(limit=3)
    assert cursor
    rest, end = listed(cursor, limit=3)
    assert [entry["at"][-3:-1] for entry in (*first, *rest)] == ["04", "03", "02", "01", "00"]
    assert end is None
    with pytest.raises(Malformed):
        log.page_of(cursor="nonsense", limit=3)


def test_a_deleted_account_is_no_longer_named_but_what_was_done_stays(log: AuditLog) -> None:
    log.record(action(1, subject=PERSON, name="erase_person", outcome="done"))
    assert listed()[0][0]["subject_name"] == "person@example.org"
    for _ in range(2):
        log.forget_viewer(PERSON)
    ([entry], _) = listed()
    assert (entry["action"], entry["subject"], entry["subject_name"]) == ("erase_person", None, None)
    log.forget_viewer(ADMINISTRATOR.user_id)
    assert listed()[0][0]["actor"] == ADMINISTRATOR.user_id


def test_the_timer_deletes_what_is_older_than_a_year(log: AuditLog) -> None:
    log.record(action(-366 * 86_400))
    log.record(action(-364 * 86_400))
    tick(triggers.tidy_audit)
    assert len(listed()[0]) == 1
