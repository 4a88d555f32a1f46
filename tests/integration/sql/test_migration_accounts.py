"""Migrations do not touch other databases and users, and need few rights; the command says what it did."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import pymysql
import pytest

from infra.migrations import __main__ as command
from infra.migrations.files import CannotMigrate, read_folders
from infra.migrations.runner import Server, migrate
from tests.support.mysql import PASSWORD, PROCEDURES, TABLES, write_sql

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.mysql import Running

pytestmark = pytest.mark.usefixtures("made_up")


def test_foreign_database_of_the_same_name_is_not_touched(server: Running, tmp_path: Path) -> None:
    server.ask("CREATE DATABASE toys_db")
    server.ask("CREATE TABLE toys_db.mine (note INT)")
    write_sql(tmp_path, "toys", _0001_tables=TABLES)
    with pytest.raises(
        CannotMigrate, match="database toys_db already exists and contains tables that no migration created"
    ):
        server.apply(tmp_path)
    assert [
        row["name"]
        for row in server.ask("SELECT table_name AS name FROM information_schema.tables WHERE table_schema = 'toys_db'")
    ] == ["mine"]


def test_foreign_user_of_the_same_name_keeps_its_password(server: Running, tmp_path: Path) -> None:
    server.ask("CREATE USER toys IDENTIFIED BY 'theirs'")
    server.ask("GRANT SELECT ON mysql.* TO toys")
    write_sql(tmp_path, "toys", _0001_tables=TABLES)
    with pytest.raises(CannotMigrate, match="user toys with rights other than executing"):
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
    with pytest.raises(CannotMigrate, match="does not accept the login of the administrator 'root'") as refused:
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
