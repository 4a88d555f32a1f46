"""Sessions with a real Redis: one round trip per lookup, idle and absolute limits, and no token in the store."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from redis.exceptions import ConnectionError

from functions import bootstrap
from functions.accounts.sessions import MOST_SESSIONS, RedisSessionStore
from functions.platform.errors import StoreUnavailable
from tests.support.session_contract import DAY, SessionContract, make_viewer, opened_session
from tests.support.waiting import eventually

if TYPE_CHECKING:
    from collections.abc import Callable

    from functions.platform.viewer import Viewer

pytestmark = pytest.mark.usefixtures("wired")


class Interrupted:
    """A Redis client that calls `happens` before it sends command `number`, counted from 0."""

    def __init__(self, redis: Any, number: int, happens: Callable[[], None]) -> None:
        self._redis = redis
        self._left = number
        self._happens = happens
        self.happened = False

    def register_script(self, text: str) -> Callable[..., Any]:
        return self._before(self._redis.register_script(text))

    def __getattr__(self, name: str) -> Callable[..., Any]:
        return self._before(getattr(self._redis, name))

    def _before(self, command: Callable[..., Any]) -> Callable[..., Any]:
        def send(*arguments: Any, **named: Any) -> Any:
            if self._left == 0:
                self._happens()
                self.happened = True
            self._left -= 1
            return command(*arguments, **named)

        return send


def make_sessions(redis: Any = None, **spans: float) -> RedisSessionStore:
    """Return sessions with an idle limit and a lifetime in seconds."""
    return RedisSessionStore(
        redis or bootstrap.resources.redis(),
        idle=timedelta(seconds=spans.get("idle_s", 3600)),
        lifetime=timedelta(seconds=spans.get("lifetime_s", 86400)),
    )


def open_session(sessions: RedisSessionStore, viewer: Viewer) -> str:
    """Open a session and return its token."""
    return opened_session(sessions, viewer).token


class TestRedisSessions(SessionContract):
    """Redis follows the contract."""

    @pytest.fixture
    def sessions(self) -> RedisSessionStore:
        return make_sessions(lifetime_s=DAY.total_seconds())


def test_an_idle_session_expires() -> None:
    sessions = make_sessions(idle_s=0.5)
    token = open_session(sessions, make_viewer())
    sessions.find_session(token)
    time.sleep(0.8)
    assert sessions.find_session(token) is None


IDLE_S, LIFETIME_S = 1.0, 2.5


def looked_up_until_it_ends(every_s: float) -> tuple[float, float]:
    """Open a session and look it up until it ends; return how long it lasted and its longest idle time, in seconds.

    Both are upper bounds: a lookup happens at some time between its call and its return.
    """
    sessions = make_sessions(idle_s=IDLE_S, lifetime_s=LIFETIME_S)
    began = used = time.monotonic()
    token = open_session(sessions, make_viewer())
    opened = time.monotonic()
    idle_s = 0.0
    while True:
        asked = time.monotonic()
        found = sessions.find_session(token)
        idle_s = max(idle_s, time.monotonic() - used)
        if not found:
            return time.monotonic() - began, idle_s
        assert asked - opened < LIFETIME_S + 0.2, "found after its absolute limit"
        used = asked
        time.sleep(every_s)


@pytest.mark.parametrize("every_s", [0, 0.1])
def test_a_session_in_use_lasts_until_its_absolute_limit(every_s: float) -> None:
    """On a busy machine, the pause between two lookups may exceed the idle limit; then the attempt does not count."""
    for _ in range(20):
        lasted_s, idle_s = looked_up_until_it_ends(every_s)
        if idle_s < IDLE_S:
            assert lasted_s > LIFETIME_S - 0.1
            return
    pytest.fail("in each attempt, the machine paused for longer than the idle limit")


def test_a_session_begins_now() -> None:
    created_at = opened_session(make_sessions(), make_viewer()).session.created_at
    assert abs(created_at - datetime.now(UTC)) < timedelta(minutes=1)


def test_a_token_has_256_bits_and_is_not_in_the_store() -> None:
    sessions, viewer = make_sessions(), make_viewer()
    tokens = {open_session(sessions, viewer) for _ in range(20)}
    assert len(tokens) == 20 and all(len(token) == 43 for token in tokens)
    redis = bootstrap.resources.redis()
    keys = list(redis.scan_iter())
    kept = [redis.hgetall(key) if redis.type(key) == "hash" else redis.zrange(key, 0, -1) for key in keys]
    assert len(keys) == 21
    assert not [token for token in tokens if token in repr(keys) + repr(kept)]


def test_a_session_is_found_in_one_round_trip_once_its_script_is_loaded() -> None:
    sessions, redis = make_sessions(), bootstrap.resources.redis()
    token = open_session(sessions, make_viewer())
    sessions.find_session(token)
    before = redis.info("stats")["total_commands_processed"]
    for _ in range(100):
        sessions.find_session(token)
    processed = redis.info("commandstats")
    after = redis.info("stats")["total_commands_processed"]
    # the script's own commands are counted too: HMGET, TIME and PTTL inside each EVALSHA
    assert processed["cmdstat_evalsha"]["calls"] >= 101
    assert after - before <= 100 * 4 + 2


def test_most_requests_do_not_write() -> None:
    sessions, redis = make_sessions(), bootstrap.resources.redis()
    token = open_session(sessions, make_viewer())
    before = redis.info("commandstats").get("cmdstat_pexpire", {"calls": 0})["calls"]
    for _ in range(50):
        sessions.find_session(token)
    assert redis.info("commandstats")["cmdstat_pexpire"]["calls"] == before


def test_nothing_is_left_of_sessions_that_end_together() -> None:
    sessions, viewer = make_sessions(), make_viewer()
    tokens = [open_session(sessions, viewer) for _ in range(5)]
    sessions.end_sessions_of(viewer.user_id)
    assert not [token for token in tokens if sessions.find_session(token)]
    assert not bootstrap.resources.redis().exists(f"sess:of:{viewer.user_id}")


@pytest.mark.parametrize("number", range(2))
def test_a_session_that_opens_while_all_are_ended_stays_within_reach(number: int) -> None:
    sessions, viewer = make_sessions(), replace(make_viewer(), admin=True)
    redis = Interrupted(bootstrap.resources.redis(), number, lambda: sessions.end_sessions_of(viewer.user_id))
    token = open_session(make_sessions(redis), viewer)
    assert redis.happened
    sessions.update_rights(replace(viewer, admin=False))
    found = sessions.find_session(token)
    assert found is None or not found.viewer.admin
    sessions.end_sessions_of(viewer.user_id)
    assert sessions.find_session(token) is None


def test_new_rights_restore_no_session_that_redis_has_dropped() -> None:
    sessions, viewer = make_sessions(), make_viewer()
    tokens = [open_session(sessions, viewer) for _ in range(3)]
    bootstrap.resources.redis().delete(
        *[key for key in bootstrap.resources.redis().scan_iter("sess:*") if "of" not in key][:1]
    )
    raised = replace(viewer, admin=True)
    sessions.update_rights(raised)
    found = [sessions.find_session(token) for token in tokens]
    assert [each.viewer for each in found if each] == [raised, raised]
    assert len(list(bootstrap.resources.redis().scan_iter("sess:*"))) == 3


@pytest.mark.parametrize("number", [2, 3])
def test_the_oldest_session_stays_within_reach_until_it_has_ended(number: int) -> None:
    """A login beyond the limit is cut off from Redis before it has ended the oldest session, or while it does."""

    def cut_off() -> None:
        raise ConnectionError

    sessions, viewer = make_sessions(), make_viewer()
    tokens = [open_session(sessions, viewer) for _ in range(MOST_SESSIONS)]
    redis = Interrupted(bootstrap.resources.redis(), number, cut_off)
    with pytest.raises(StoreUnavailable):
        open_session(make_sessions(redis), viewer)
    sessions.end_sessions_of(viewer.user_id)
    assert not [token for token in tokens if sessions.find_session(token)]
    assert not bootstrap.resources.redis().exists(f"sess:of:{viewer.user_id}")


def test_nothing_is_left_when_the_last_session_has_ended() -> None:
    sessions = make_sessions(idle_s=0.2, lifetime_s=0.2)
    open_session(sessions, make_viewer())
    eventually(lambda: not list(bootstrap.resources.redis().scan_iter("sess:*")))
