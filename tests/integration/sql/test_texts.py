"""Any text is returned unchanged or rejected with a message; no text is ever interpreted as SQL."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from functions.accounts.model import Login, LoginHistoryEntry, LoginOutcome
from functions.accounts.repository import MySqlLoginHistoryStore, MySqlLoginStore
from functions.platform.errors import Malformed, NotflixError, ProcedureRefused
from functions.platform.mysql import LARGEST_CALL_BYTES
from infra.local.stores.mariadb import SQL
from infra.migrations.files import read_folders
from tests.support.mysql import write_sql

if TYPE_CHECKING:
    from collections.abc import Iterator

    from functions.platform.mysql import Argument, Database
    from tests.support.mysql import Running

HOSTILE = (
    "' OR '1'='1",
    "'; DROP TABLE logins; --",
    "\\'; DROP TABLE logins; --",
    "\\",
    "\\\\'",
    '"; DELETE FROM entries; #',
    "/*! DROP TABLE logins */",
    "%s %(name)s %",
    "null\x00byte",
    "\x00",
    "\x1a\r\n\t\b",
    "😀𝒳🏳️‍🌈",
    "ａｄｍｉｎ＇ ＯＲ １＝１",
    "\u202ereversed\u2066",
    "é vs e\u0301",
    "",
    " ",
    "trailing ",
    "¿'\xbf\x27",
    "_utf8mb4'x'",
    "X'414243'",
)
PROCEDURES = """\
CREATE TABLE texts (text_id INT NOT NULL AUTO_INCREMENT PRIMARY KEY, kept LONGTEXT NOT NULL) ENGINE = InnoDB;
CREATE TABLE blobs (kept LONGBLOB NOT NULL) ENGINE = InnoDB;
CREATE TABLE times (at DATETIME(6) NULL) ENGINE = InnoDB;
DELIMITER //
CREATE PROCEDURE echo_text(p_text LONGTEXT)
BEGIN
  DELETE FROM texts;
  INSERT INTO texts (kept) VALUES (p_text);
  SELECT kept, p_text AS given, CHAR_LENGTH(kept) AS length FROM texts;
END //
CREATE PROCEDURE echo_bytes(p_bytes LONGBLOB)
BEGIN
  DELETE FROM blobs;
  INSERT INTO blobs VALUES (p_bytes);
  SELECT kept FROM blobs;
END //
CREATE PROCEDURE echo_time(p_at DATETIME(6))
BEGIN
  DELETE FROM times;
  INSERT INTO times VALUES (p_at);
  SELECT at, CAST(at AS CHAR) AS told, UTC_TIMESTAMP(6) AS here, NOW(6) AS local FROM times;
END //
CREATE PROCEDURE echo_number(p_number BIGINT, p_flag BOOLEAN, p_real DOUBLE) SELECT p_number, p_flag, p_real //
"""


@pytest.fixture(scope="module")
def echo(server: Running, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    """Return a database whose procedures store their arguments in a table and return them."""
    server.apply(write_sql(tmp_path_factory.mktemp("sql"), "toys", _0001_all=PROCEDURES))
    database = server.toys("toys")
    yield database
    database.close()
    server.ask("DROP DATABASE toys_db")
    server.ask("DROP USER toys, toys_owner")


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_comes_back_as_it_was(echo: Database, text: str) -> None:
    assert echo.call("echo_text", text) == [{"kept": text, "given": text, "length": len(text)}]


@settings(
    max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_any_text_comes_back_as_it_was(echo: Database, text: str) -> None:
    assert echo.call("echo_text", text)[0]["kept"] == text


@settings(
    max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(st.binary())
def test_any_bytes_come_back_as_they_were(echo: Database, content: bytes) -> None:
    assert echo.call("echo_bytes", content) == [{"kept": content}]


def test_long_text_comes_back_and_one_that_is_too_long_is_refused_before_it_is_sent(echo: Database) -> None:
    text = "\\'" * 500_000
    assert echo.call("echo_text", text)[0]["kept"] == text
    with pytest.raises(Malformed, match="too large"):
        echo.call("echo_text", "x" * LARGEST_CALL_BYTES)


def test_half_a_pair_of_surrogates_is_refused_in_words(echo: Database) -> None:
    with pytest.raises(Malformed, match="surrogate pair"):
        echo.call("echo_text", "\ud83d")


@pytest.mark.parametrize("argument", [["a", "b"], ("a",), {"a": 1}, {"a"}, object(), timedelta(1), 1j])
def test_what_is_no_plain_value_is_not_sent(echo: Database, argument: object) -> None:
    with pytest.raises(TypeError, match="not a type of argument"):
        echo.call("echo_text", argument)  # type: ignore[arg-type]


def test_numbers_come_back_as_they_were_and_what_is_none_is_refused(echo: Database) -> None:
    assert list(echo.call("echo_number", -(2**63), True, 0.1)[0].values()) == [-(2**63), 1, 0.1]
    assert list(echo.call("echo_number", None, False, 1e300)[0].values()) == [None, 0, 1e300]
    for number in (float("nan"), float("inf")):
        with pytest.raises(Malformed, match="finite"):
            echo.call("echo_number", 1, False, number)
    with pytest.raises(Malformed):
        echo.call("echo_number", 2**63, False, 0.0)


def moments() -> Iterator[datetime]:
    yield datetime(2026, 11, 24, 15, 0, 0, 123_456, UTC)
    # not a valid local time in time zones where summer time starts on this day
    yield datetime(2026, 3, 29, 2, 30, tzinfo=UTC)
    yield datetime(2026, 11, 24, 23, 59, 59, 999_999, timezone(timedelta(hours=-11, minutes=-30)))
    yield datetime(2026, 11, 24, 0, 30, tzinfo=timezone(timedelta(hours=14)))
    yield datetime(1970, 1, 1, tzinfo=UTC)
    yield datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)


@pytest.mark.parametrize("moment", list(moments()), ids=str)
def test_times_are_kept_in_utc_to_the_microsecond(echo: Database, moment: datetime) -> None:
    (row,) = echo.call("echo_time", moment)
    assert row["at"] == moment
    assert row["at"].tzinfo is UTC
    assert row["told"] == moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.%f")


def test_clock_of_a_session_is_utc(echo: Database) -> None:
    (row,) = echo.call("echo_time", None)
    assert row["at"] is None
    assert row["here"] == row["local"]
    assert abs(row["here"] - datetime.now(UTC)) < timedelta(minutes=1)


def test_time_without_zone_is_not_sent(echo: Database) -> None:
    with pytest.raises(ValueError, match="without a zone"):
        echo.call("echo_time", datetime(2026, 1, 1))


def make_login(**changes: object) -> Login:
    user_id = uuid4().hex
    fields = {
        "user_id": user_id,
        "address": f"{user_id}@example.org",
        "email": f"{user_id}@Example.org",
        "password_hash": "$argon2id$v=19$m=19456,t=2,p=1$c2FsdA$aGFzaA",
        "admin": False,
        "confirmed_at": None,
        "created_at": datetime.now(UTC),
    }
    return Login(**{**fields, **changes})  # type: ignore[arg-type]


@pytest.mark.parametrize("text", [text for text in HOSTILE if text.strip(" ")])
def test_login_keeps_hostile_texts_as_they_were(server: Running, text: str) -> None:
    logins = MySqlLoginStore(server.database("logins"))
    address = text.rstrip(" ") + uuid4().hex
    login = make_login(address=address, email=text + "x", password_hash=f"$argon2id${text}x")
    logins.add_login(login)
    assert logins.get_login(login.user_id) == login
    assert logins.find_login(address, "$dummy") == login
    assert logins.find_login(text, "$dummy").user_id == ""


@pytest.mark.parametrize("text", HOSTILE)
def test_history_keeps_hostile_texts_as_they_were(server: Running, text: str) -> None:
    history = MySqlLoginHistoryStore(server.database("login_history"))
    entry = LoginHistoryEntry(uuid4().hex, uuid4().hex, datetime.now(UTC), text, text, LoginOutcome.SUCCESS)
    history.store_entry(entry)
    assert history.entries_of(entry.user_id, after=None, limit=10) == [entry]


FITTING: dict[str, Argument] = {"int": 1, "bigint": 1, "smallint": 1, "tinyint": 1, "double": 1.0}
TEXTS = {"char", "varchar", "text", "mediumtext", "longtext"}


def fitting(kind: str, length: int | None) -> Argument:
    """Return a valid argument for a parameter of this type and length."""
    if kind in TEXTS:
        return uuid4().hex[: length or 32]
    return datetime.now(UTC) if kind == "datetime" else FITTING[kind]


@pytest.mark.parametrize("folder", read_folders(SQL), ids=lambda folder: str(folder.name))
def test_every_text_argument_of_every_procedure_takes_hostile_texts_or_refuses_them(
    server: Running, folder: object
) -> None:
    name = folder.name  # type: ignore[attr-defined]
    database = server.database(name)
    parameters = server.ask(
        "SELECT p.specific_name AS routine, p.data_type AS kind, p.character_maximum_length AS length "
        "FROM information_schema.parameters AS p JOIN information_schema.routines AS r "
        "ON r.routine_schema = p.specific_schema AND r.routine_name = p.specific_name "
        "WHERE p.specific_schema = %s AND r.routine_comment NOT LIKE 'internal%%' ORDER BY 1, p.ordinal_position",
        f"{name}_db",
    )
    shape = "SELECT table_name, column_name, column_type FROM information_schema.columns WHERE table_schema = %s"
    before = server.ask(shape, f"{name}_db")
    tried = 0
    for routine in {row["routine"] for row in parameters}:
        own = [(row["kind"], row["length"]) for row in parameters if row["routine"] == routine]
        for place in [place for place, (kind, _) in enumerate(own) if kind in TEXTS]:
            for text in (*HOSTILE, "x" * 10_000, "😀" * 321):
                arguments = [fitting(*kind) for kind in own]
                arguments[place] = text
                try:
                    database.call(routine, *arguments)
                except (Malformed, ProcedureRefused) as refused:
                    assert text.strip() not in refused.detail or len(text.strip()) < 3
                except NotflixError as error:
                    pytest.fail(f"{routine}, argument {place + 1}, {text[:40]!r}: {error}")
                tried += 1
    assert tried
    assert server.ask(shape, f"{name}_db") == before
    database.close()
