"""The credentials of the local stores are made once and are readable by their owner only."""

from __future__ import annotations

import json
import stat
from dataclasses import asdict
from typing import TYPE_CHECKING

import pytest

from infra.local.home import CannotRun
from infra.local.stores.credentials import load_or_make

if TYPE_CHECKING:
    from pathlib import Path


def test_credentials_are_made_once_and_only_their_owner_may_read_them(tmp_path: Path) -> None:
    path = tmp_path / "secrets.json"
    made = load_or_make(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert load_or_make(path) == made


def test_no_two_credentials_are_alike(tmp_path: Path) -> None:
    one, other = load_or_make(tmp_path / "one"), load_or_make(tmp_path / "other")
    values = [*asdict(one).values(), *asdict(other).values()]
    assert len(set(values)) == len(values)


def test_credential_of_a_later_version_is_added_and_the_others_stay(tmp_path: Path) -> None:
    path = tmp_path / "secrets.json"
    made = asdict(load_or_make(path))
    del made["neo4j"]
    path.write_text(json.dumps({**made, "from_the_future": "kept"}))
    again = asdict(load_or_make(path))
    assert again.pop("neo4j")
    assert again == made
    assert json.loads(path.read_text())["from_the_future"] == "kept"


def test_damaged_file_is_told_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "secrets.json"
    path.write_text('{"redis": "half')
    with pytest.raises(CannotRun, match="is damaged"):
        load_or_make(path)
    assert path.read_text() == '{"redis": "half'


def test_each_user_of_mysql_has_a_password_of_its_own_that_stays(tmp_path: Path) -> None:
    made, other = load_or_make(tmp_path / "one"), load_or_make(tmp_path / "other")
    passwords = {each.mysql_password(name) for each in (made, other) for name in ("logins", "payments")}
    assert len(passwords) == 4
    assert load_or_make(tmp_path / "one").mysql_password("logins") == made.mysql_password("logins")
