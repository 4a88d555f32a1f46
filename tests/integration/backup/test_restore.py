"""A restoration that is refused leaves nothing behind, and a store that contains data is never written to."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
from pymongo import MongoClient

from infra.local.backup.places import Folder
from infra.local.backup.product import back_up, restore
from infra.local.home import CannotRun
from tests.support.homes import free_home
from tests.support.releases import backup_of_release

if TYPE_CHECKING:
    from pathlib import Path

    from infra.local.home import Home
    from tests.integration.conftest import Stack


@pytest.fixture
def empty(tmp_path: Path) -> Home:
    home = free_home(tmp_path / "home")
    home.path.mkdir()
    return home


def is_unused(home: Home) -> bool:
    return not home.secrets_file.exists() and not (home.path / "data").exists()


def test_backup_with_a_later_migration_is_refused(empty: Home, tmp_path: Path) -> None:
    backup = backup_of_release(tmp_path / "backup", last_migration=99)
    with pytest.raises(
        CannotRun, match=r"made by Notflix 0\.2\.0 with migration 0099 of .*Run that version or a later"
    ):
        restore(empty, Folder(backup), os.environ)
    assert is_unused(empty)


def test_store_of_somebody_else_is_not_written_to(empty: Home, tmp_path: Path, stack: Stack) -> None:
    with MongoClient[dict[str, object]](stack.environment["MONGO_URL"]) as client:
        client["notflix"]["titles"].update_one({"_id": "theirs"}, {"$set": {"stem": "theirs"}}, upsert=True)
        environment = {**os.environ, "MONGO_URL": stack.environment["MONGO_URL"]}
        try:
            with pytest.raises(CannotRun, match="A store already contains data"):
                restore(empty, Folder(backup_of_release(tmp_path / "backup")), environment)
            assert client["notflix"]["titles"].count_documents({"stem": "an-old-film-1999"}) == 0
        finally:
            client["notflix"]["titles"].delete_one({"_id": "theirs"})
    assert is_unused(empty)


def test_place_without_a_product_cannot_be_backed_up(empty: Home, tmp_path: Path) -> None:
    with pytest.raises(CannotRun, match="There is no product in"):
        back_up(empty, Folder(tmp_path / "backup"), os.environ)
    assert not (tmp_path / "backup").exists()
