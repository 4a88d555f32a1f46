"""On a real server, each migration runs once and in order, resumes where it stopped, and has one runner at a time."""

from __future__ import annotations

import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING

import pymysql
import pytest

from functions.platform.errors import StoreUnavailable
from infra.migrations import __main__ as command
from infra.migrations import record as record_of
from infra.migrations import runner
from infra.migrations.files import CannotMigrate, read_folders
from infra.migrations.runner import Server, migrate
from tests.support.mysql import PASSWORD, write_sql
from tests.support.waiting import eventually

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.mysql import Running

TABLES = """\
-- Films; one row a film.
CREATE TABLE films (film_id INT NOT NULL PRIMARY KEY, name VARCHAR(20) NOT NULL) ENGINE = InnoDB;
INSERT INTO films VALUES (1, 'Sintel; a film'), (2, 'Big "Buck" Bunny');
"""
PROCEDURES = """\
DELIMITER //
CREATE PROCEDURE list_films()
SQL SECURITY DEFINER
BEGIN
  -- it's a list; nothing more
  SELECT film_id, name FROM films ORDER BY film_id;
END //
CREATE PROCEDURE films_behind_the_scenes()
COMMENT 'internal: list_films_twice calls it'
SQL SECURITY DEFINER
BEGIN
  SELECT name FROM films;
END //
CREATE PROCEDURE list_films_twice()
SQL SECURITY DEFINER
BEGIN
  CALL films_behind_the_scenes();
END //
DELIMITER ;
"""


@pytest.fixture(autouse=True)
def made_up(server: Running) -> Iterator[None]:
    """Delete the databases and users that a test created."""
    yield
    for name in ("toys", "more_toys"):
        server.ask(f"DROP DATABASE IF EXISTS {name}_db")
        server.ask(f"DROP USER IF EXISTS {name}, {name}_owner")


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


def test_applying_again_changes_nothing_and_asks_little(server: Running, tmp_path: Path) -> None:
    write_sql(tmp_path, "toys", _0001_tables=TABLES, _0002_procedures=PROCEDURES)
    server.apply(tmp_path)
    before = record(server, "*")
    began = time.perf_counter()
    (outcome,) = server.apply(tmp_path)
    assert time.perf_counter() - began < 0.25
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
        with pytest.raises(CannotMigrate, match=r"toys/0001_tables\.sql is applied and was changed since\. Restore"):
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
    assert "The 2 before it are done and stay, this one changed nothing." in told
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


def test_foreign_database_of_the_same_name_is_not_touched(server: Running, tmp_path: Path) -> None:
    server.ask("CREATE DATABASE toys_db")
    server.ask("CREATE TABLE toys_db.mine (note INT)")
    write_sql(tmp_path, "toys", _0001_tables=TABLES)
    with pytest.raises(CannotMigrate, match="database toys_db with tables that no migration made"):
        server.apply(tmp_path)
    assert [
        row["name"]
        for row in server.ask("SELECT table_name AS name FROM information_schema.tables WHERE table_schema = 'toys_db'")
    ] == ["mine"]


def test_foreign_user_of_the_same_name_keeps_its_password(server: Running, tmp_path: Path) -> None:
    server.ask("CREATE USER toys IDENTIFIED BY 'theirs'")
    server.ask("GRANT SELECT ON mysql.* TO toys")
    write_sql(tmp_path, "toys", _0001_tables=TABLES)
    with pytest.raises(CannotMigrate, match="user toys with other rights"):
        server.apply(tmp_path)
    server.enter("toys", "theirs").close()


def test_user_gets_the_password_that_is_given_now(server: Running, tmp_path: Path) -> None:
    folders = read_folders(write_sql(tmp_path, "toys", _0001_tables=TABLES, _0002_procedures=PROCEDURES))
    server.apply(tmp_path)
    migrate(Server(server.address), folders, {"toys": "another"})
    with pytest.raises(pymysql.MySQLError):
        server.enter("toys", PASSWORD)
    with server.enter("toys", "another") as connection, connection.cursor() as cursor:
        cursor.execute("CALL toys_db.list_films()")


def test_owner_found_unlocked_is_locked_again(server: Running, tmp_path: Path) -> None:
    server.apply(write_sql(tmp_path, "toys", _0001_tables=TABLES))
    server.ask("ALTER USER toys_owner IDENTIFIED BY 'known' ACCOUNT UNLOCK")
    server.apply(tmp_path)
    with pytest.raises(pymysql.MySQLError):
        server.enter("toys_owner", "known")


def test_administrator_needs_no_more_than_azure_gives(server: Running, tmp_path: Path) -> None:
    """The administrator of Azure Database for MySQL has neither SUPER nor SET USER."""
    rights = (
        "SELECT, INSERT, UPDATE, DELETE, CREATE, DROP, RELOAD, PROCESS, REFERENCES, INDEX, ALTER, SHOW DATABASES, "
        "CREATE TEMPORARY TABLES, LOCK TABLES, EXECUTE, CREATE VIEW, SHOW VIEW, CREATE ROUTINE, ALTER ROUTINE, "
        "CREATE USER, EVENT, TRIGGER"
    )
    server.ask("CREATE USER azure IDENTIFIED BY 'secret'")
    try:
        server.ask(f"GRANT {rights} ON *.* TO azure WITH GRANT OPTION")
        folders = read_folders(write_sql(tmp_path, "toys", _0001_tables=TABLES, _0002_procedures=PROCEDURES))
        azure = Server(replace(server.address, user="azure", password="secret"))
        assert migrate(azure, folders, {"toys": PASSWORD})[0].applied
        assert not migrate(azure, folders, {"toys": PASSWORD})[0].applied
        assert len(server.toys("toys").call("list_films_twice")) == 2
    finally:
        server.ask("DROP USER azure")


def test_administrator_who_is_not_let_in_is_told_without_a_password(server: Running, tmp_path: Path) -> None:
    folders = read_folders(write_sql(tmp_path, "toys", _0001_tables=TABLES))
    with pytest.raises(CannotMigrate, match="does not let the administrator 'root' in") as refused:
        migrate(Server(replace(server.address, password="wrong")), folders, {"toys": PASSWORD})
    assert "wrong" not in str(refused.value)


def test_command_applies_and_prints_what_a_deployment_reads(
    server: Running, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(command, "SQL", write_sql(tmp_path, "toys", _0001_tables=TABLES))
    assert command.main([], {"MYSQL_ADMIN_URL": server.admin_url, "TOYS_DB_PASSWORD": PASSWORD}) == 0
    out, err = capsys.readouterr()
    assert err == "toys/0001_tables.sql is applied.\n"
    assert json.loads(out) == {
        "databases": [
            {
                "database": "toys_db",
                "user": "toys",
                "setting": "TOYS_DB_URL",
                "migrations": 1,
                "applied": ["toys/0001_tables.sql"],
            }
        ]
    }


def test_command_takes_secrets_from_a_file(
    server: Running, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(command, "SQL", write_sql(tmp_path / "sql", "toys", _0001_tables=TABLES))
    secrets = tmp_path / "secrets.json"
    url = f"mysql://root@{server.address.host}:{server.address.port}"
    assert command.main(["--admin-url", url, "--secrets", str(secrets)], {}) == 1
    assert "cannot be read (FileNotFoundError)" in capsys.readouterr().err
    secrets.write_text(json.dumps({"MYSQL_ADMIN_PASSWORD": server.address.password}))
    assert command.main(["--admin-url", url, "--secrets", str(secrets)], {}) == 1
    assert "no password for the user toys; give it as TOYS_DB_PASSWORD" in capsys.readouterr().err
    secrets.write_text(json.dumps({"MYSQL_ADMIN_PASSWORD": server.address.password, "TOYS_DB_PASSWORD": PASSWORD}))
    assert command.main(["--admin-url", url, "--secrets", str(secrets)], {}) == 0
