"""One MariaDB server for all SQL tests, with the databases of `sql/`; tests add databases of their own.

To use another server, such as MySQL 8, set NOTFLIX_TEST_MYSQL_ADMIN_URL to the URL of its administrator. It must be a
test server, because the tests create databases and users and leave some behind.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from tests.support.mysql import running_mysql

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.mysql import Running


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """Start the server, and stop it when the session ends."""
    url = os.environ.get("NOTFLIX_TEST_MYSQL_ADMIN_URL", "")
    with running_mysql(tmp_path_factory.mktemp("mysql"), elsewhere=url) as running:
        yield running


@pytest.fixture
def made_up(server: Running) -> Iterator[None]:
    """Delete the databases and users that a test created."""
    yield
    for name in ("toys", "more_toys"):
        server.ask(f"DROP DATABASE IF EXISTS {name}_db")
        server.ask(f"DROP USER IF EXISTS {name}, {name}_owner")
