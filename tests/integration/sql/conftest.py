"""One MariaDB for all tests of SQL, with the databases of `sql/`, and folders made up for what those do not do."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.mysql import running_mysql

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.mysql import Running


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """Start the server, and stop it when the session ends."""
    with running_mysql(tmp_path_factory.mktemp("mysql")) as running:
        yield running
