"""Setting up the local MariaDB beside others: two products at once, or the machine's own server."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.support.mysql import running_mysql

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

TEMPORARY_TABLES = ("#sql-temptable-e4e-1-3.MAI", "#sql-temptable-e4e-1-3.MAD", "#sql-temptable-e4e-1-4.frm")


def test_temporary_tables_of_another_server_are_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shared = tmp_path / "shared"
    shared.mkdir()
    for name in TEMPORARY_TABLES:
        (shared / name).touch()
    monkeypatch.setenv("TMPDIR", str(shared))

    with running_mysql(tmp_path / "a folder with spaces") as running:
        assert running.ask("SELECT 1 AS one") == [{"one": 1}]

    assert sorted(path.name for path in shared.iterdir()) == sorted(TEMPORARY_TABLES)
