"""A migration file is cut into statements as the MySQL client cuts it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.migrations.statements import Unreadable, split


def texts(sql: str) -> list[str]:
    return [statement.text for statement in split(sql)]


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("", []),
        ("  \n -- nothing;\n # at all;\n /* here; */ ;;", []),
        ("SELECT 1", ["SELECT 1"]),
        ("SELECT 1; SELECT 2 ;\n", ["SELECT 1", "SELECT 2"]),
        ("SELECT ';', \";\", `;`;SELECT 2", ["SELECT ';', \";\", `;`", "SELECT 2"]),
        (r"SELECT 'it\'s;', 'it''s;'; SELECT 2", [r"SELECT 'it\'s;', 'it''s;'", "SELECT 2"]),
        ("SELECT 1 -- it's; here\n, 2;", ["SELECT 1 -- it's; here\n, 2"]),
        ("SELECT 1 # it's; here\n, 2;", ["SELECT 1 # it's; here\n, 2"]),
        ("SELECT 1 /* it's; */ , 2;", ["SELECT 1 /* it's; */ , 2"]),
        ("SELECT 5--1;", ["SELECT 5--1"]),
        ("SELECT 1 --", ["SELECT 1 --"]),
        ("-- first\nSELECT 1; /* then */ SELECT 2;", ["SELECT 1", "SELECT 2"]),
        ("SELECT /*+ hint */ 1;", ["SELECT /*+ hint */ 1"]),
        ("SELECT 1 /*! + ';' */;SELECT 2", ["SELECT 1 /*! + ';' */", "SELECT 2"]),
        ("SELECT 'multi\nline;';", ["SELECT 'multi\nline;'"]),
        ("SELECT '';SELECT ''''", ["SELECT ''", "SELECT ''''"]),
    ],
)
def test_file_is_cut_as_the_mysql_client_cuts_it(sql: str, expected: list[str]) -> None:
    assert texts(sql) == expected


def test_delimiter_holds_until_the_next_one() -> None:
    sql = """\
DELIMITER //
CREATE PROCEDURE a() BEGIN SELECT 1; SELECT 'delimiter ;'; END //
CREATE PROCEDURE b()
BEGIN
  -- a // in a comment, and in '//'
  SELECT '//';
END //
delimiter ;
SELECT 1;
\tDELIMITER $$
SELECT 2; SELECT 3 $$"""
    assert [text.partition("\n")[0] for text in texts(sql)] == [
        "CREATE PROCEDURE a() BEGIN SELECT 1; SELECT 'delimiter ;'; END",
        "CREATE PROCEDURE b()",
        "SELECT 1",
        "SELECT 2; SELECT 3",
    ]


def test_delimiter_of_letters_is_found_within_a_run_of_them() -> None:
    assert texts("DELIMITER go\nSELECT 1 go\nSELECT 2 go") == ["SELECT 1", "SELECT 2"]


def test_word_delimiter_inside_a_statement_is_no_command() -> None:
    assert texts("SELECT 1 AS\ndelimiter , 2;") == ["SELECT 1 AS\ndelimiter , 2"]


def test_statement_knows_its_line_and_how_it_begins() -> None:
    (first, second) = split("-- on films\n\nCREATE TABLE films (\n  name INT\n);\n/* two\nlines */ DROP TABLE films;")
    assert (first.line, first.first_line) == (3, "CREATE TABLE films (")
    assert (second.line, second.first_line) == (7, "DROP TABLE films")


@pytest.mark.parametrize(
    ("sql", "line"), [("SELECT\n 'open;", 2), ('SELECT "', 1), ("\n\nSELECT `a", 3), ("/* open", 1)]
)
def test_what_is_not_closed_is_told_with_its_line(sql: str, line: int) -> None:
    with pytest.raises(Unreadable, match=f"of line {line} is not closed"):
        split(sql)


@given(st.text(st.sampled_from("aS1 \n;'\"`\\-#/*!$"), max_size=60))
def test_any_text_is_cut_or_refused_and_nothing_is_lost(sql: str) -> None:
    try:
        statements = split(sql)
    except Unreadable:
        return
    place = 0
    for statement in statements:
        place = sql.index(statement.text, place) + len(statement.text)
        assert statement.text == statement.text.strip()
