"""The application with the real stores, in which there are no sessions and no counted attempts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from functions import bootstrap
from functions.accounts.repository import MySqlLoginHistoryStore, MySqlLoginStore
from tests.support.account_logins import FakeLoginStore
from tests.support.mysql import UnansweredDatabase
from tests.support.wiring import forget_all

if TYPE_CHECKING:
    from collections.abc import Iterator

    from functions.accounts.ports import LoginStore
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


ANSWERED = frozenset({"expire_links", "expire_logins", "revoke_administrator", "use_link", "use_recovery_code"})
"""The procedures that change something and say what they changed, which they would not say a second time."""


@pytest.fixture
def unanswered_logins(wired: None) -> Iterator[MySqlLoginStore]:
    """Return the login store in MariaDB while the first answer to each call is lost."""
    database = UnansweredDatabase(bootstrap.resources.settings().logins_db_url, answered=ANSWERED)
    yield MySqlLoginStore(database)
    database.close()


@pytest.fixture
def unanswered_history(wired: None) -> Iterator[MySqlLoginHistoryStore]:
    """Return the login history store in MariaDB while the first answer to each call is lost."""
    database = UnansweredDatabase(bootstrap.resources.settings().login_history_db_url, answered=ANSWERED)
    yield MySqlLoginHistoryStore(database)
    database.close()


@pytest.fixture(params=["fake", "real", "unanswered"])
def logins(request: pytest.FixtureRequest) -> LoginStore:
    """Return a store of logins."""
    if request.param == "fake":
        return FakeLoginStore()
    store: LoginStore = request.getfixturevalue(f"{request.param}_logins")
    return store
