"""On a real server, each migration runs once and in order, resumes where it stopped, and has one runner at a time."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest
from pymysql.cursors import Cursor

from functions.platform.errors import StoreUnavailable
from infra.migrations import record as record_of
from infra.migrations import runner
from infra.migrations.files import CannotMigrate
from tests.support.mysql import PROCEDURES, TABLES, write_sql
from tests.support.waiting import eventually

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.mysql import Running

pytestmark = pytest.mark.usefixtures("made_up")


def record(server: Running, *columns: str) -> list[tuple[object, ...]]:
    rows = server.ask(f"SELECT {', '.join(columns)} FROM toys_db.schema_migrations ORDER BY number")
    return [tuple(row.values()) for row in rows]


def test_new_folder_becomes_a_database_whose_user_may_execute_its_procedures(server: Running, tmp_path: Path) -> None:
    (outcome,) = server.apply(write_sql(tmp_path, "toys", _0001_tables=TABLES, _0002_procedures=PROCEDURES))
    assert outcome.applied == ("toys/0001_tables.sql", "toys/0002_procedures.sql")
    films = server.toys("toys").call("list_films")
    assert films == [{"film_id": 1, "name": "Sintel; a film"}, {"film_id": 2, "name": 'Big "Buck" Bunny'}]
    assert record(server, "number", "name", "reached", "state") == [
        (1, "tables", 2, "applied"),
        (2, "procedures", 3, "applied"),
    ]


def test_internal_procedure_is_for_other_procedures_only(server: Running, tmp_path: Path) -> None:
    server.apply(write_sql(tmp_path, "toys", _0001_tables=TABLES, _0002_procedures=PROCEDURES))
    toys = server.toys("toys")
    assert len(toys.call("list_films_twice")) == 2
    with pytest.raises(StoreUnavailable, match="does not offer films_behind_the_scenes"):
        toys.call("films_behind_the_scenes")


def test_applying_again_changes_nothing_and_costs_four_statements_without_a_lock(
    server: Running, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_sql(tmp_path, "toys", _0001_tables=TABLES, _0002_procedures=PROCEDURES)
    server.apply(tmp_path)
    before = record(server, "*")
    execute, statements = Cursor.execute, []

    def recorded(self: Cursor, query: str, args: Any = None) -> int:
        statements.append(query)
        return execute(self, query, args)

    monkeypatch.setattr(Cursor, "execute", recorded)
    (outcome,) = server.apply(tmp_path)
    monkeypatch.undo()
    # the settings of the administrator's session, the record, the owner's lock, the settings of the user's session
    assert [statement.split()[0] for statement in statements] == ["SET", "SELECT", "SHOW", "SET"]
    assert outcome.applied == ()
    assert record(server, "*") == before


def test_later_migration_is_applied_to_what_is_there(server: Running, tmp_path: Path) -> None:
    server.apply(write_sql(tmp_path, "toys", _0001_tables=TABLES, _0002_procedures=PROCEDURES))
    write_sql(tmp_path, "toys", _0003_years="ALTER TABLE films ADD COLUMN year INT NULL; UPDATE films SET year = 2010;")
    (outcome,) = server.apply(tmp_path)
    assert outcome.applied == ("toys/0003_years.sql",)
    assert server.ask("SELECT COUNT(*) AS count FROM toys_db.films WHERE year = 2010") == [{"count": 2}]


def test_procedure_made_anew_may_still_be_executed(server: Running, tmp_path: Path) -> None:
    server.apply(write_sql(tmp_path, "toys", _0001_tables=TABLES, _0002_procedures=PROCEDURES))
    again = "DROP PROCEDURE IF EXISTS list_films;\nCREATE PROCEDURE list_films() SELECT 'anew' AS name;"
    server.apply(write_sql(tmp_path, "toys", _0003_again=again))
    assert server.toys("toys").call("list_films") == [{"name": "anew"}]


def test_comments_between_statements_and_line_ends_may_change(server: Running, tmp_path: Path) -> None:
    server.apply(write_sql(tmp_path, "toys", _0001_tables=TABLES))
    write_sql(tmp_path, "toys", _0001_tables="# Another word on it.\r\n" + TABLES.replace("\n", "\r\n"))
    assert server.apply(tmp_path)[0].applied == ()


def test_changed_file_is_refused_by_name(server: Running, tmp_path: Path) -> None:
    server.apply(write_sql(tmp_path, "toys", _0001_tables=TABLES))
    for changed in (TABLES.replace("Sintel", "Cosmos"), TABLES + "DELETE FROM films;", TABLES.partition("INSERT")[0]):
        write_sql(tmp_path, "toys", _0001_tables=changed)
        with pytest.raises(CannotMigrate, match=r"toys/0001_tables\.sql was changed after it was applied\. Restore"):
            server.apply(tmp_path)
    assert server.ask("SELECT COUNT(*) AS count FROM toys_db.films") == [{"count": 2}]


def test_file_below_the_last_one_applied_is_refused(server: Running, tmp_path: Path) -> None:
    server.apply(write_sql(tmp_path, "toys", _0001_tables=TABLES, _0003_last="DELETE FROM films;"))
    write_sql(tmp_path, "toys", _0002_late="DROP TABLE films;")
    with pytest.raises(CannotMigrate, match="added after migration 0003 had been applied"):
        server.apply(tmp_path)


def test_database_of_a_later_version_is_left_alone(server: Running, tmp_path: Path) -> None:
    server.apply(write_sql(tmp_path, "toys", _0001_tables=TABLES, _0002_last="DELETE FROM films;"))
    (tmp_path / "toys" / "0002_last.sql").unlink()
    with pytest.raises(CannotMigrate, match=r"toys_db has migration 0002 \(last\).*belongs to a later version"):
        server.apply(tmp_path)


HALF = """\
CREATE TABLE actors (actor_id INT NOT NULL PRIMARY KEY) ENGINE = InnoDB;
INSERT INTO actors VALUES (1);
INSERT INTO actors VALUES
  (2), (1);
CREATE TABLE roles (role_id INT NOT NULL PRIMARY KEY) ENGINE = InnoDB;
"""


def test_migration_that_fails_half_way_says_exactly_where_it_stands(server: Running, tmp_path: Path) -> None:
    write_sql(tmp_path, "toys", _0001_tables=TABLES, _0002_half=HALF)
    with pytest.raises(CannotMigrate) as refused:
        server.apply(tmp_path)
    told = str(refused.value)
    assert "toys/0002_half.sql stopped at statement 3 of 4, line 3: INSERT INTO actors VALUES\n" in told
    assert "The server says: Duplicate entry '1' for key" in told
    assert "(error 1062)" in told
    assert "The 2 statements before it are applied; this one changed nothing." in told
    assert server.ask("SELECT actor_id FROM toys_db.actors") == [{"actor_id": 1}]
    ((number, reached, state, fault),) = record(server, "number", "reached", "state", "fault")[1:]
    assert (number, reached, state) == (2, 2, "failed")
    assert "Duplicate entry" in str(fault)
    with pytest.raises(CannotMigrate, match="stopped at statement 3 of 4"):
        server.apply(tmp_path)


def test_half_failed_migration_goes_on_once_its_file_is_mended(server: Running, tmp_path: Path) -> None:
    write_sql(tmp_path, "toys", _0001_tables=TABLES, _0002_half=HALF)
    with pytest.raises(CannotMigrate):
        server.apply(tmp_path)
    write_sql(tmp_path, "toys", _0002_half=HALF.replace("(2), (1)", "(2), (3)"))
    assert server.apply(tmp_path)[0].applied == ("toys/0002_half.sql",)
    assert [row["actor_id"] for row in server.ask("SELECT actor_id FROM toys_db.actors ORDER BY 1")] == [1, 2, 3]
    assert record(server, "state", "fault") == [("applied", None), ("applied", None)]


def test_half_failed_migration_goes_on_once_the_data_are_mended(server: Running, tmp_path: Path) -> None:
    write_sql(tmp_path, "toys", _0001_tables=TABLES, _0002_half=HALF)
    with pytest.raises(CannotMigrate):
        server.apply(tmp_path)
    with server.root() as connection, connection.cursor() as cursor:
        cursor.execute("DELETE FROM toys_db.actors")
    assert server.apply(tmp_path)[0].applied == ("toys/0002_half.sql",)


def test_what_is_done_of_a_half_failed_migration_may_not_be_changed(server: Running, tmp_path: Path) -> None:
    write_sql(tmp_path, "toys", _0001_tables=TABLES, _0002_half=HALF)
    with pytest.raises(CannotMigrate):
        server.apply(tmp_path)
    for changed in (HALF.replace("VALUES (1);", "VALUES (9);"), HALF.partition("INSERT")[0]):
        write_sql(tmp_path, "toys", _0002_half=changed)
        with pytest.raises(CannotMigrate, match="stopped after statement 2, and a statement up to there was changed"):
            server.apply(tmp_path)


@pytest.mark.parametrize("was_executed", [True, False])
@pytest.mark.parametrize("ended_at", [1, 2, 3, 4, 5])
def test_runner_that_ended_in_the_midst_is_taken_up_by_the_next(
    server: Running, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ended_at: int, was_executed: bool
) -> None:
    """The runner ends before it executes a statement, or between executing and recording the statement.

    In the second case, DDL is already committed.
    """

    class Killed(BaseException):
        """Simulates the end of the process."""

    steps = """\
CREATE TABLE steps (step INT NOT NULL) ENGINE = InnoDB;
INSERT INTO steps VALUES (1);
ALTER TABLE steps ADD COLUMN more INT NULL, ADD INDEX ix_steps (more);
UPDATE steps SET step = step + 1;
CREATE PROCEDURE read_steps() SELECT step FROM steps;
"""
    write_sql(tmp_path, "toys", _0001_steps=steps)
    real = runner._execute

    def execute(owner: object, migration: object, index: int, *, forgiving: bool) -> None:
        if index == ended_at and not was_executed:
            raise Killed
        real(owner, migration, index, forgiving=forgiving)  # type: ignore[arg-type]

    def note(owner: object, migration: object, reached: int) -> None:
        if reached == ended_at and was_executed:
            raise Killed
        real_note(owner, migration, reached)  # type: ignore[arg-type]

    real_note = record_of.note_reached
    with monkeypatch.context() as patched:
        patched.setattr(runner, "_execute", execute)
        patched.setattr(record_of, "note_reached", note)
        with pytest.raises(Killed):
            server.apply(tmp_path)
    assert record(server, "reached", "state") == [(ended_at - 1, "running")]
    assert server.apply(tmp_path)[0].applied == ("toys/0001_steps.sql",)
    assert server.toys("toys").call("read_steps") == [{"step": 2}]
    assert record(server, "reached", "state") == [(5, "applied")]


def test_lost_connection_is_told_and_the_next_run_goes_on(server: Running, tmp_path: Path) -> None:
    slow = TABLES + "UPDATE films SET name = 'slow' WHERE SLEEP(20) = 0;\nDELETE FROM films;\n"
    write_sql(tmp_path, "toys", _0001_slow=slow)
    sleeping = "SELECT id FROM information_schema.processlist WHERE user = 'toys_owner' AND info LIKE 'UPDATE films%%'"
    with ThreadPoolExecutor() as pool:
        applied = pool.submit(server.apply, tmp_path)
        found = eventually(lambda: server.ask(sleeping))
        server.ask(f"KILL {found[0]['id']}")
        with pytest.raises(
            CannotMigrate, match=r"statement 3 of 4, line 4: UPDATE(.|\n)*connection to the server was lost"
        ):
            applied.result()
    assert record(server, "reached", "state") == [(2, "running")]
    write_sql(tmp_path, "toys", _0001_slow=slow.replace("SLEEP(20)", "SLEEP(0)"))
    server.apply(tmp_path)
    assert record(server, "reached", "state") == [(4, "applied")]


def test_two_runners_at_once_exclude_each_other(server: Running, tmp_path: Path) -> None:
    slow = "CREATE TABLE runs (run INT NOT NULL) ENGINE = InnoDB;\nINSERT INTO runs SELECT SLEEP(0.2);\n"
    write_sql(tmp_path, "toys", _0001_slow=slow)
    write_sql(tmp_path, "more_toys", _0001_slow=slow)
    start = threading.Barrier(4)

    def apply(_: int) -> list[str]:
        start.wait()
        return [path for outcome in server.apply(tmp_path) for path in outcome.applied]

    with ThreadPoolExecutor(4) as pool:
        applied = [path for paths in pool.map(apply, range(4)) for path in paths]
    assert sorted(applied) == ["more_toys/0001_slow.sql", "toys/0001_slow.sql"]
    assert server.ask("SELECT COUNT(*) AS count FROM toys_db.runs") == [{"count": 1}]


def test_runner_that_waits_too_long_for_another_says_so(
    server: Running, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runner, "WAIT_FOR_OTHERS_S", 0)
    write_sql(tmp_path, "toys", _0001_tables=TABLES)
    with server.root() as other, other.cursor() as cursor:
        cursor.execute("SELECT GET_LOCK('notflix toys_db', 0) AS got")
        with pytest.raises(CannotMigrate, match="Another runner"):
            server.apply(tmp_path)


def test_statements_of_a_runner_whose_other_connection_was_lost_are_waited_for(
    server: Running, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runner, "WAIT_FOR_OTHERS_S", 0)
    write_sql(tmp_path, "toys", _0001_tables=TABLES)
    with server.root() as other, other.cursor() as cursor:
        cursor.execute("SELECT GET_LOCK('notflix toys_db statements', 0) AS got")
        with pytest.raises(CannotMigrate, match="Another runner"):
            server.apply(tmp_path)
