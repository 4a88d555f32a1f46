"""The files of `sql/` run on MySQL 8 and on MariaDB 11; they use nothing that only one of the two supports."""

from __future__ import annotations

import re

import pytest

from infra.local.stores.mariadb import SQL
from infra.migrations.files import Folder, Migration, read_folders

FOLDERS = read_folders(SQL)
MIGRATIONS = [migration for folder in FOLDERS for migration in folder.migrations]
_COMMENT_OR_TEXT = re.compile(r"'(?:[^'\\]|\\.|'')*'|\"(?:[^\"\\]|\\.)*\"|--\s[^\n]*|#[^\n]*|/\*.*?\*/", re.DOTALL)

ONLY_ONE_KNOWS = {
    "MySQL's ->> and ->": r"->",
    "MySQL's MEMBER OF": r"\bMEMBER\s+OF\b",
    "MySQL's CAST AS JSON": r"\bAS\s+JSON\s*\)",
    "MySQL's JSON_TABLE and JSON_VALUE, which differ": r"\bJSON_(TABLE|VALUE)\b",
    "MySQL's functional index": r"\b(INDEX|KEY)\s+\w*\s*\(\s*\(",
    "MySQL's invisible index and column": r"\bINVISIBLE\b",
    "MySQL's alias of inserted rows": r"\)\s*AS\s+new\b",
    "VALUES() of inserted rows, which MySQL gives up": r"UPDATE[^;]*=\s*VALUES?\s*\(",
    "MySQL's LATERAL": r"\bLATERAL\b",
    "MySQL's FOR SHARE": r"\bFOR\s+SHARE\b",
    "MySQL's REGEXP_LIKE": r"\bREGEXP_LIKE\b",
    "MySQL's SKIP LOCKED of a list": r"\bFOR\s+UPDATE\s+OF\b",
    "MySQL's collations": r"\butf8mb4_0900\w*",
    "MariaDB's collations": r"\butf8mb4_(uca1400|nopad)\w*",
    "MariaDB's CREATE OR REPLACE": r"\bCREATE\s+OR\s+REPLACE\b",
    "MariaDB's RETURNING": r"\bRETURNING\b",
    "MariaDB's SEQUENCE": r"\b(NEXTVAL|CREATE\s+SEQUENCE|seq_\d+_to_\d+)\b",
    "MariaDB's UUID and INET types": r"\b(UUID|INET4|INET6)\s+(NOT\s+)?NULL\b",
    "MariaDB's IF NOT EXISTS of columns, keys and procedures": (
        r"\b(COLUMN|INDEX|KEY|CONSTRAINT|PROCEDURE)\s+IF\s+NOT\s+EXISTS\b"
    ),
    "MariaDB's IF EXISTS of columns and keys": r"\b(COLUMN|INDEX|KEY|CONSTRAINT)\s+IF\s+EXISTS\b",
    "MariaDB's loops over a range": r"\bFOR\s+\w+\s+IN\b",
    "MariaDB's versioned tables": r"\bSYSTEM\s+VERSIONING\b",
    "roles, which differ": r"\bROLE\b",
    "a type JSON, which is none in MariaDB": r"\bJSON\b(?!_)\s*(NOT\s+)?(NULL|,|\))",
}
FORBIDDEN = {
    "dynamic SQL": r"\b(PREPARE|EXECUTE|DEALLOCATE)\b",
    "a definer other than the owner": r"\bDEFINER\s*=",
    "a procedure that runs as whoever calls it": r"\bSQL\s+SECURITY\s+INVOKER\b",
    "another database": r"\b\w+_db\s*\.",
    "a function or trigger, which needs SUPER where changes are logged": r"\bCREATE\s+(FUNCTION|TRIGGER|EVENT|VIEW)\b",
    "a table without transactions": r"\bENGINE\s*=?\s*(?!InnoDB)\w+",
    "IGNORE, which cuts what is too long": r"\b(INSERT|UPDATE|DELETE)\s+IGNORE\b",
    "REPLACE INTO, which deletes what refers to a row": r"\bREPLACE\s+INTO\b",
    "a foreign string of bytes": r"\b_(latin1|utf8|binary)\b",
}


def code_of(migration: Migration) -> str:
    return "\n;\n".join(_COMMENT_OR_TEXT.sub("''", statement.text) for statement in migration.statements)


every_migration = pytest.mark.parametrize("migration", MIGRATIONS, ids=lambda migration: migration.path)


@every_migration
@pytest.mark.parametrize("what", [*ONLY_ONE_KNOWS, *FORBIDDEN])
def test_migration_does_without(migration: Migration, what: str) -> None:
    found = re.search({**ONLY_ONE_KNOWS, **FORBIDDEN}[what], code_of(migration), re.IGNORECASE)
    assert found is None, f"{migration.path} has {found and found[0]!r}: {what}"


@every_migration
def test_procedure_says_that_it_runs_as_its_owner(migration: Migration) -> None:
    for statement in migration.statements:
        if re.match(r"CREATE\s+PROCEDURE", statement.text, re.IGNORECASE):
            assert "SQL SECURITY DEFINER" in statement.text, statement.first_line


@every_migration
def test_table_names_its_constraints_engine_and_characters(migration: Migration) -> None:
    for statement in migration.statements:
        if re.match(r"CREATE\s+TABLE", statement.text, re.IGNORECASE):
            assert re.search(r"ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin$", statement.text)
            for line in statement.text.splitlines():
                if re.search(r"\b(PRIMARY KEY|UNIQUE|FOREIGN KEY|CHECK)\b", line):
                    assert re.search(r"CONSTRAINT (pk|uq|fk|ck)_\w+", statement.text), line
            assert not re.search(r"^\s*(PRIMARY|UNIQUE|FOREIGN|CHECK)\b", _without_named(statement.text), re.MULTILINE)


@every_migration
def test_names_are_lower_case_words(migration: Migration) -> None:
    names = re.findall(r"CREATE\s+(?:TABLE|PROCEDURE)\s+`?([^\s(`]+)", code_of(migration), re.IGNORECASE)
    assert not [name for name in names if not re.fullmatch(r"[a-z][a-z0-9_]*", name)]


@every_migration
def test_refusals_are_numbers_that_reach_the_functions(migration: Migration) -> None:
    """The driver returns error numbers above 32767 as negative numbers."""
    text = "\n".join(statement.text for statement in migration.statements)
    assert all(30_001 <= int(number) <= 32_767 for number in re.findall(r"MYSQL_ERRNO\s*=\s*(\d+)", text))
    assert len(re.findall(r"\bSIGNAL\b", text)) == len(re.findall(r"MYSQL_ERRNO", text))


@every_migration
def test_message_of_a_refusal_is_a_fixed_sentence(migration: Migration) -> None:
    """The message is logged, so it must not contain a value of a row or argument."""
    text = "\n".join(statement.text for statement in migration.statements)
    assert all(value.startswith("'") for value in re.findall(r"MESSAGE_TEXT\s*=\s*(\S)", text))


@every_migration
def test_transaction_is_rolled_back_when_a_statement_in_it_fails(migration: Migration) -> None:
    for statement in migration.statements:
        code = _COMMENT_OR_TEXT.sub("''", statement.text)
        if "START TRANSACTION" in code:
            assert re.search(r"EXIT HANDLER FOR SQLEXCEPTION\s+BEGIN\s+ROLLBACK;\s+RESIGNAL;\s+END", code)
            assert "COMMIT;" in code


@every_migration
def test_procedure_that_writes_more_than_once_does_so_in_one_transaction(migration: Migration) -> None:
    """A call that failed with a deadlock is repeated, which is safe because its transaction was rolled back."""
    for statement in migration.statements:
        code = _COMMENT_OR_TEXT.sub("''", statement.text)
        writes = re.findall(r"(?:;|\bBEGIN|\bTHEN|\bELSE|\bDO)\s+(?:INSERT|UPDATE|DELETE|REPLACE)\b", code)
        if code.upper().startswith("CREATE PROCEDURE") and len(writes) > 1:
            assert "START TRANSACTION" in code, statement.first_line


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_numbers_of_files_leave_no_gap(folder: Folder) -> None:
    assert [migration.number for migration in folder.migrations] == list(range(1, len(folder.migrations) + 1))


def _without_named(table: str) -> str:
    return re.sub(r"CONSTRAINT \w+\s+\w+[^\n]*(\n\s+CHECK[^\n]*)?", "", table)
