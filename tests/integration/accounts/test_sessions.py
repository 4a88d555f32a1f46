"""Sessions with a real Redis: one round trip per lookup, idle and absolute limits, and no token in the store."""

from __future__ import annotations

import threading
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from functions import bootstrap
from functions.accounts.sessions import MOST_SESSIONS, RedisSessionStore
from functions.platform.viewer import Viewer
from tests.support.accounts import HOME

pytestmark = pytest.mark.usefixtures("wired")


def make_sessions(**spans: float) -> RedisSessionStore:
    """Return sessions with an idle limit and a lifetime in seconds."""
    return RedisSessionStore(
        bootstrap.resources.redis(),
        idle=timedelta(seconds=spans.get("idle_s", 3600)),
        lifetime=timedelta(seconds=spans.get("lifetime_s", 86400)),
    )


def make_viewer() -> Viewer:
    return Viewer(uuid.uuid4().hex, "Jo.🦊@example.org", confirmed=True)


def open_session(sessions: RedisSessionStore, viewer: Viewer) -> str:
    return sessions.open_session(viewer, ip=HOME.ip, browser=HOME.browser).token


def ended_after_s(sessions: RedisSessionStore, token: str, *, every_s: float) -> float:
    """Return how many seconds a session lasts if it is looked up every `every_s` seconds."""
    began, pause = time.monotonic(), threading.Event()
    while sessions.find_session(token):
        assert time.monotonic() - began < 20
        pause.wait(every_s)
    return time.monotonic() - began


def test_a_session_has_its_viewer() -> None:
    sessions, viewer = make_sessions(), make_viewer()
    opened = sessions.open_session(viewer, ip=HOME.ip, browser=HOME.browser)
    found = sessions.find_session(opened.token)
    assert found == opened.session and found.viewer == viewer
    assert abs(found.ends_at - datetime.now(UTC) - timedelta(days=1)) < timedelta(minutes=1)
    assert sessions.find_session("x") is None and sessions.find_session(opened.token[:-1]) is None


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


def test_an_idle_session_expires_and_a_used_one_lasts_until_its_absolute_limit() -> None:
    unused, used, old = (
        make_sessions(idle_s=0.5),
        make_sessions(idle_s=0.5, lifetime_s=60),
        make_sessions(idle_s=0.5, lifetime_s=1.2),
    )
    tokens = [open_session(each, make_viewer()) for each in (unused, used, old)]
    with ThreadPoolExecutor(3) as clients:
        idle = clients.submit(ended_after_s, unused, tokens[0], every_s=0.8)
        ended = clients.submit(ended_after_s, old, tokens[2], every_s=0.1)
        began = time.monotonic()
        while time.monotonic() - began < 1.5:
            assert used.find_session(tokens[1])
        assert idle.result() < 1.5
        assert 1.1 < ended.result() < 2.5


def test_most_requests_do_not_write() -> None:
    sessions, redis = make_sessions(), bootstrap.resources.redis()
    token = open_session(sessions, make_viewer())
    before = redis.info("commandstats").get("cmdstat_pexpire", {"calls": 0})["calls"]
    for _ in range(50):
        sessions.find_session(token)
    assert redis.info("commandstats")["cmdstat_pexpire"]["calls"] == before


def test_an_ended_session_is_not_found_and_others_are() -> None:
    sessions, viewer = make_sessions(), make_viewer()
    here, there = open_session(sessions, viewer), open_session(sessions, viewer)
    sessions.end_session(here)
    sessions.end_session(here)
    sessions.end_session("never opened")
    assert sessions.find_session(here) is None and sessions.find_session(there)


def test_all_sessions_of_an_account_end_and_those_of_others_stay() -> None:
    sessions, viewer, other = make_sessions(), make_viewer(), make_viewer()
    tokens, stays = [open_session(sessions, viewer) for _ in range(5)], open_session(sessions, other)
    sessions.end_sessions_of(viewer.user_id)
    assert not [token for token in tokens if sessions.find_session(token)]
    assert sessions.find_session(stays)
    assert not bootstrap.resources.redis().exists(f"sess:of:{viewer.user_id}")


def test_new_rights_reach_every_live_session_and_restore_no_ended_one() -> None:
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


def test_an_account_has_a_limited_number_of_sessions_and_the_oldest_ends_first() -> None:
    sessions, viewer = make_sessions(), make_viewer()
    tokens = [open_session(sessions, viewer) for _ in range(MOST_SESSIONS + 3)]
    assert [bool(sessions.find_session(token)) for token in tokens[:5]] == [False, False, False, True, True]
    assert sessions.find_session(tokens[-1])


def test_nothing_is_left_when_the_last_session_has_ended() -> None:
    sessions = make_sessions(idle_s=0.2, lifetime_s=0.2)
    open_session(sessions, make_viewer())
    began = time.monotonic()
    while list(bootstrap.resources.redis().scan_iter("sess:*")):
        assert time.monotonic() - began < 20
