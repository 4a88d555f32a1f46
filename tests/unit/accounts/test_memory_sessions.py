"""Sessions in memory, which unit tests and simulations use, follow the contract of the real store."""

from __future__ import annotations

import pytest

from tests.support.account_sessions import FakeSessionStore
from tests.support.clock import Clock
from tests.support.session_contract import DAY, SessionContract, make_viewer, opened_session


class TestMemorySessions(SessionContract):
    """The fake follows the contract."""

    @pytest.fixture
    def clock(self) -> Clock:
        return Clock()

    @pytest.fixture
    def sessions(self, clock: Clock) -> FakeSessionStore:
        return FakeSessionStore(clock, lifetime=DAY)

    def test_a_session_ends_after_its_lifetime(self, sessions: FakeSessionStore, clock: Clock) -> None:
        token = opened_session(sessions, make_viewer()).token
        clock.forward(hours=23, minutes=59)
        assert sessions.find_session(token)
        clock.forward(minutes=1)
        assert sessions.find_session(token) is None
