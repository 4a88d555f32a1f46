"""The audit log in MySQL and in memory; in MySQL, no procedure changes or deletes an entry of the last year."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pymysql
import pytest

from functions.audit.model import AuditEntry
from functions.audit.repository import MySqlAuditStore
from functions.platform.bulkhead import PLACES
from functions.platform.errors import Malformed
from functions.platform.mysql import Database
from functions.platform.mysql_connections import Address, connect
from functions.platform.pagination import TimePosition
from tests.support.audit import MemoryAudit
from tests.support.mysql import UnansweredDatabase

if TYPE_CHECKING:
    from collections.abc import Iterator

    from functions.audit.ports import AuditStore
    from tests.integration.conftest import Stack

NOW = datetime.now(UTC).replace(microsecond=0)


def make_entry(**changes: Any) -> AuditEntry:
    """Return an entry of an action that has begun."""
    fields = {"at": NOW, "actor": "operator", "action": "withdraw_title", "subject": "film", "outcome": None}
    return AuditEntry(**{"entry_id": uuid4().hex, **fields, **changes})


@pytest.fixture(params=["memory", "mysql", "unanswered"])
def store(request: pytest.FixtureRequest) -> Iterator[AuditStore]:
    if request.param == "memory":
        yield MemoryAudit()
        return
    stack: Stack = request.getfixturevalue("stack")
    url = stack.settings.audit_db_url
    database = Database(url) if request.param == "mysql" else UnansweredDatabase(url, answered={"expire_entries"})
    yield MySqlAuditStore(database)
    database.close()


def found(store: AuditStore, *entries: AuditEntry) -> list[AuditEntry]:
    """Return those of these entries that the store contains, newest first."""
    ids = {entry.entry_id for entry in entries}
    return [one for one in store.list_entries(None, limit=500) if one.entry_id in ids]


def test_an_action_gets_its_outcome_once(store: AuditStore) -> None:
    begun = make_entry()
    ended = make_entry(entry_id=begun.entry_id, outcome="done")
    for entry in (begun, begun, ended, make_entry(entry_id=begun.entry_id, outcome="conflict"), begun):
        store.record_entry(entry)
    assert found(store, begun) == [make_entry(entry_id=begun.entry_id, outcome="done")]


def test_an_outcome_that_arrives_first_is_kept(store: AuditStore) -> None:
    begun = make_entry(subject=None)
    ended = make_entry(entry_id=begun.entry_id, outcome="done", subject="film-7")
    for entry in (ended, begun):
        store.record_entry(entry)
    assert found(store, begun) == [ended]


def test_what_was_created_is_known_from_its_outcome(store: AuditStore) -> None:
    begun = make_entry(subject=None)
    store.record_entry(begun)
    assert found(store, begun)[0].subject is None
    store.record_entry(make_entry(entry_id=begun.entry_id, outcome="done", subject="film-7"))
    assert found(store, begun)[0].subject == "film-7"


def test_entries_of_one_time_are_neither_skipped_nor_repeated(store: AuditStore) -> None:
    at = NOW + timedelta(days=300 + len(uuid4().hex) % 7)
    made = sorted((make_entry(at=at) for _ in range(5)), key=lambda one: one.entry_id, reverse=True)
    for entry in made:
        store.record_entry(entry)
    seen: list[AuditEntry] = []
    after: TimePosition | None = TimePosition(at, "g")  # after every id in hexadecimal
    while page := [one for one in store.list_entries(after, limit=2) if one.at == at]:
        seen += page
        after = TimePosition(page[-1].at, page[-1].entry_id)
    assert [one for one in seen if one in made] == made


def test_a_deleted_account_is_removed_from_entries_about_it_only(store: AuditStore) -> None:
    person = uuid4().hex
    about, by = make_entry(subject=person), make_entry(actor=person)
    ended = make_entry(entry_id=about.entry_id, subject=person, outcome="done")
    for entry in (about, ended, by):
        store.record_entry(entry)
    store.forget_subject(person)
    store.record_entry(ended)  # delivered again
    assert found(store, about) == [make_entry(entry_id=about.entry_id, subject=None, outcome="done")]
    assert found(store, by) == [by]


def test_an_entry_that_arrives_after_the_deletion_of_an_account_does_not_have_its_id(store: AuditStore) -> None:
    person = uuid4().hex
    before, after = make_entry(subject=None), make_entry(subject=person)
    store.record_entry(before)
    store.forget_subject(person)
    store.record_entry(make_entry(entry_id=before.entry_id, subject=person, outcome="done"))
    store.record_entry(after)
    assert [one.subject for one in found(store, before, after)] == [None, None]


def test_of_a_deletion_and_an_entry_at_the_same_time_one_sees_the_other(stack: Stack) -> None:
    store = MySqlAuditStore(Database(stack.settings.audit_db_url))
    with ThreadPoolExecutor(PLACES) as pool:
        for _ in range(20):
            person = uuid4().hex
            entries = [make_entry(subject=person) for _ in range(6)]
            list(
                pool.map(
                    lambda act: act(),
                    [
                        *(partial(store.record_entry, one) for one in entries[:3]),
                        partial(store.forget_subject, person),
                        *(partial(store.record_entry, one) for one in entries[3:]),
                    ],
                )
            )
            assert [one.subject for one in found(store, *entries)] == [None] * 6


def test_only_what_is_older_than_a_year_expires(store: AuditStore) -> None:
    old, recent = make_entry(at=NOW - timedelta(days=366)), make_entry(at=NOW - timedelta(days=364))
    for entry in (old, recent):
        store.record_entry(entry)
        store.record_entry(make_entry(entry_id=entry.entry_id, at=entry.at, outcome="done"))
    assert store.delete_expired() >= 1
    assert [one.entry_id for one in found(store, old, recent)] == [recent.entry_id]
    assert found(store, recent)[0].outcome == "done"


@pytest.mark.parametrize("changes", [{"actor": "ada@example.org"}, {"action": "x" * 65}, {"subject": "x" * 201}])
def test_what_is_no_id_is_refused(stack: Stack, changes: dict[str, str]) -> None:
    with pytest.raises(Malformed):
        MySqlAuditStore(Database(stack.settings.audit_db_url)).record_entry(make_entry(**changes))


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM audit_db.actions",
        "UPDATE audit_db.actions SET actor = 'operator'",
        "INSERT INTO audit_db.outcomes VALUES ('x', NOW(), 'x', '')",
    ],
)
def test_the_application_has_no_other_access_to_the_log(stack: Stack, statement: str) -> None:
    connection = connect(Address.of(stack.settings.audit_db_url), "", answer_s=10)
    with connection, connection.cursor() as cursor, pytest.raises(pymysql.err.OperationalError) as refused:
        cursor.execute(statement)
    assert refused.value.args[0] == 1142, "the command is denied"
