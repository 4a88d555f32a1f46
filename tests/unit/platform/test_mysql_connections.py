"""The addresses of MySQL databases, which never show their password."""

from __future__ import annotations

import pytest

from functions.platform.errors import DatabaseUrlInvalid
from functions.platform.mysql import Database
from functions.platform.mysql_connections import Address


def test_address_is_read_with_what_is_special_decoded() -> None:
    address = Address.of("mysql://log%40ins:p%2Fa%3As%25s@db.example:3307/logins_db")
    assert address == Address("db.example", 3307, "log@ins", "p/a:s%s", "logins_db")
    assert Address.of("mysql://logins@[::1]/logins_db") == Address("::1", 3306, "logins", "", "logins_db")


def test_address_shows_no_password() -> None:
    assert "secret" not in repr(Address.of("mysql://logins:secret@db.example/logins_db"))


@pytest.mark.parametrize(
    "url", ["secret", "postgres://a:secret@b/c", "mysql://", "mysql://a:secret@b:port/c", "mysql://a:secret@b:99999/c"]
)
def test_address_that_cannot_be_read_is_told_and_not_repeated(url: str) -> None:
    with pytest.raises(DatabaseUrlInvalid, match="LOGINS_DB_URL cannot be read; write it as mysql://") as unreadable:
        Address.of(url)
    assert "secret" not in str(unreadable.value)


def test_empty_setting_is_told_as_such() -> None:
    with pytest.raises(DatabaseUrlInvalid, match="LOGINS_DB_URL is empty"):
        Address.of("")


@pytest.mark.parametrize("path", ["", "/", "/Logins", "/logins_db/x", "/`x`"])
def test_address_of_a_database_ends_in_its_name(path: str) -> None:
    with pytest.raises(DatabaseUrlInvalid, match="must end in its name"):
        Database(f"mysql://logins:secret@db.example{path}")
