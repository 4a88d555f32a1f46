"""The files of migrations: their names, numbers, checksums, and what is refused in them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from infra.migrations.files import CannotMigrate, Migration, read_folders
from infra.migrations.record import APPLIED, FAILED, RUNNING, Standing, pending
from tests.support.mysql import write_sql

if TYPE_CHECKING:
    from pathlib import Path

    from infra.migrations.files import Folder

ONE, TWO = "CREATE TABLE one (a INT);\nCREATE TABLE two (a INT);\n", "DROP TABLE one;\n"


def make_folder(root: Path) -> Folder:
    (folder,) = read_folders(write_sql(root, "films", _0001_first=ONE, _0002_second=TWO))
    return folder


def standing(migration: Migration, state: str, reached: int | None = None) -> dict[int, Standing]:
    count = len(migration.statements) if reached is None else reached
    return {
        migration.number: Standing(migration.number, migration.name, migration.checksum(count), count, state),
    }


def test_folder_gives_the_names_of_database_accounts_and_setting(tmp_path: Path) -> None:
    folder = make_folder(tmp_path)
    assert (folder.database, folder.owner, folder.user) == ("films_db", "films_owner", "films")
    assert folder.setting == "FILMS_DB_URL"
    assert [migration.path for migration in folder.migrations] == ["films/0001_first.sql", "films/0002_second.sql"]


def test_folder_without_migrations_and_no_folder_at_all_are_nothing(tmp_path: Path) -> None:
    assert read_folders(tmp_path / "sql") == ()
    (tmp_path / "empty").mkdir()
    (tmp_path / "notes.sql").write_text(ONE)
    assert read_folders(tmp_path) == ()


@pytest.mark.parametrize("name", ["first.sql", "1_first.sql", "0001-first.sql", "0001_First.sql", "00001_first.sql"])
def test_file_with_another_kind_of_name_is_refused(tmp_path: Path, name: str) -> None:
    write_sql(tmp_path, "films", _0001_first=ONE)
    (tmp_path / "films" / name).write_text(TWO)
    with pytest.raises(CannotMigrate, match="is not named like 0001_tables"):
        read_folders(tmp_path)


@pytest.mark.parametrize("name", ["Films", "films-old", "1films", "f" * 26])
def test_folder_that_cannot_name_a_database_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(CannotMigrate, match="cannot name a database"):
        read_folders(write_sql(tmp_path, name, _0001_first=ONE))


def test_two_files_of_one_number_are_refused(tmp_path: Path) -> None:
    with pytest.raises(CannotMigrate, match="two migrations of number 0001"):
        read_folders(write_sql(tmp_path, "films", _0001_first=ONE, _0001_other=TWO))


@pytest.mark.parametrize(
    "sql", ["SET @a = 1;", "USE mysql;", "CALL x();", "GRANT ALL ON *.* TO a;", "LOCK TABLES a READ;"]
)
def test_statement_that_leaves_something_in_its_session_is_refused(tmp_path: Path, sql: str) -> None:
    with pytest.raises(CannotMigrate, match=r"films/0001_first\.sql, line 3: a migration may CREATE"):
        read_folders(write_sql(tmp_path, "films", _0001_first=ONE + sql))


def test_file_that_cannot_be_read_is_refused_with_the_reason(tmp_path: Path) -> None:
    with pytest.raises(
        CannotMigrate, match=r"films/0001_first\.sql cannot be read as SQL: ' of line 1 is not closed\."
    ):
        read_folders(write_sql(tmp_path, "films", _0001_first="SELECT 'open"))
    (tmp_path / "films" / "0001_first.sql").write_bytes(b"\xff")
    with pytest.raises(CannotMigrate, match="cannot be read as SQL"):
        read_folders(tmp_path)


def test_what_is_not_applied_is_pending_in_order(tmp_path: Path) -> None:
    folder = make_folder(tmp_path)
    first, second = folder.migrations
    assert pending(folder, {}) == (first, second)
    assert pending(folder, standing(first, APPLIED)) == (second,)
    assert pending(folder, standing(first, APPLIED) | standing(second, APPLIED)) == ()
    for state in (RUNNING, FAILED):
        assert pending(folder, standing(first, state, 1)) == (first, second)
        assert pending(folder, standing(first, APPLIED) | standing(second, state, 0)) == (second,)


def test_checksum_is_of_statements_and_tells_where_one_ends() -> None:
    assert checksum("SELECT 1;") == checksum("-- a word\nSELECT 1 ;\n")
    assert checksum("SELECT 1; SELECT 2;") != checksum("SELECT 1 SELECT 2;")


def checksum(sql: str) -> str:
    from infra.migrations.statements import split

    return Migration(1, "a", "a", split(sql)).checksum()
