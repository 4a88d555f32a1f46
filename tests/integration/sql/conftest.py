"""One MariaDB for all tests of SQL, with the databases of `sql/`, and folders made up for what those do not do.

NOTFLIX_TEST_MYSQL_ADMIN_URL, an administrator's address, puts a server of one's own in its place, such as MySQL 8. It
must be one for tests: they make databases and users there, and leave some behind.
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
