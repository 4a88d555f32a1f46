"""The application with the real stores, in which there are no sessions and no counted attempts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from functions import bootstrap
from functions.accounts.repository import MySqlLoginHistoryStore, MySqlLoginStore
from tests.support.wiring import forget_all

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.integration.conftest import Stack


@pytest.fixture
def wired(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Make `bootstrap` assemble everything again for this test, with the real stores."""
    for name, value in stack.environment.items():
        monkeypatch.setenv(name, value)
    forget_all()
    bootstrap.resources.redis().flushdb()
    yield
    forget_all()


@pytest.fixture
def real_logins(wired: None) -> MySqlLoginStore:
    """Return the login store in MariaDB."""
    return MySqlLoginStore(bootstrap.resources.mysql(bootstrap.resources.settings().logins_db_url))


@pytest.fixture
def real_history(wired: None) -> MySqlLoginHistoryStore:
    """Return the login history store in MariaDB."""
    return MySqlLoginHistoryStore(bootstrap.resources.mysql(bootstrap.resources.settings().login_history_db_url))
