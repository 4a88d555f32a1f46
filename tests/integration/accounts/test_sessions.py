"""Sessions on a real Redis: one round trip to find one, idle and absolute ends, and no token in the store."""

from __future__ import annotations

import threading
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from functions import bootstrap
from functions.accounts.model import Viewer
from functions.accounts.sessions import MOST_SESSIONS, RedisSessions
from tests.support.accounts import HOME

pytestmark = pytest.mark.usefixtures("wired")


def make_sessions(**spans: float) -> RedisSessions:
    """Return sessions with an idle limit and a lifetime in seconds."""
    return RedisSessions(
        bootstrap.resources.redis(),
        idle=timedelta(seconds=spans.get("idle_s", 3600)),
        lifetime=timedelta(seconds=spans.get("lifetime_s", 86400)),
    )


def make_viewer() -> Viewer:
    return Viewer(uuid.uuid4().hex, "Jo.🦊@example.org", confirmed=True)


def enter(sessions: RedisSessions, viewer: Viewer) -> str:
    return sessions.open(viewer, ip=HOME.ip, browser=HOME.browser).token


def ended_after_s(sessions: RedisSessions, token: str, *, every_s: float) -> float:
    """Return how long a session lives that is asked for every so many seconds."""
    began, pause = time.monotonic(), threading.Event()
    while sessions.find(token):
        assert time.monotonic() - began < 20
        pause.wait(every_s)
    return time.monotonic() - began


def test_a_session_speaks_for_whoever_opened_it() -> None:
    sessions, viewer = make_sessions(), make_viewer()
    opened = sessions.open(viewer, ip=HOME.ip, browser=HOME.browser)
    found = sessions.find(opened.token)
    assert found == opened.session and found.viewer == viewer
    assert abs(found.ends_at - datetime.now(UTC) - timedelta(days=1)) < timedelta(minutes=1)
    assert sessions.find("x") is None and sessions.find(opened.token[:-1]) is None


def test_a_token_has_256_bits_and_does_not_stand_in_the_store() -> None:
    sessions, viewer = make_sessions(), make_viewer()
    tokens = {enter(sessions, viewer) for _ in range(20)}
    assert len(tokens) == 20 and all(len(token) == 43 for token in tokens)
    redis = bootstrap.resources.redis()
    keys = list(redis.scan_iter())
    kept = [redis.hgetall(key) if redis.type(key) == "hash" else redis.zrange(key, 0, -1) for key in keys]
    assert len(keys) == 21
    assert not [token for token in tokens if token in repr(keys) + repr(kept)]


def test_a_session_is_found_in_one_round_trip_once_its_script_is_known() -> None:
    sessions, redis = make_sessions(), bootstrap.resources.redis()
    token = enter(sessions, make_viewer())
    sessions.find(token)
    before = redis.info("stats")["total_commands_processed"]
    for _ in range(100):
        sessions.find(token)
    processed = redis.info("commandstats")
    after = redis.info("stats")["total_commands_processed"]
    # the script's own commands are counted too: HMGET, TIME and PTTL inside each EVALSHA
    assert processed["cmdstat_evalsha"]["calls"] >= 101
    assert after - before <= 100 * 4 + 2


def test_an_unused_session_ends_and_a_used_one_goes_on_to_its_last_hour() -> None:
    unused, used, old = (
        make_sessions(idle_s=0.5),
        make_sessions(idle_s=0.5, lifetime_s=60),
        make_sessions(idle_s=0.5, lifetime_s=1.2),
    )
    tokens = [enter(each, make_viewer()) for each in (unused, used, old)]
    with ThreadPoolExecutor(3) as clients:
        idle = clients.submit(ended_after_s, unused, tokens[0], every_s=0.8)
        ended = clients.submit(ended_after_s, old, tokens[2], every_s=0.1)
        began = time.monotonic()
        while time.monotonic() - began < 1.5:
            assert used.find(tokens[1])
        assert idle.result() < 1.5
        assert 1.1 < ended.result() < 2.5


def test_most_requests_do_not_write() -> None:
    sessions, redis = make_sessions(), bootstrap.resources.redis()
    token = enter(sessions, make_viewer())
    before = redis.info("commandstats").get("cmdstat_pexpire", {"calls": 0})["calls"]
    for _ in range(50):
        sessions.find(token)
    assert redis.info("commandstats")["cmdstat_pexpire"]["calls"] == before


def test_a_closed_session_is_over_and_others_are_not() -> None:
    sessions, viewer = make_sessions(), make_viewer()
    here, there = enter(sessions, viewer), enter(sessions, viewer)
    sessions.close(here)
    sessions.close(here)
    sessions.close("never opened")
    assert sessions.find(here) is None and sessions.find(there)


def test_all_sessions_of_an_account_end_together_and_those_of_others_stay() -> None:
    sessions, viewer, other = make_sessions(), make_viewer(), make_viewer()
    tokens, stays = [enter(sessions, viewer) for _ in range(5)], enter(sessions, other)
    sessions.close_all(viewer.user_id)
    assert not [token for token in tokens if sessions.find(token)]
    assert sessions.find(stays)
    assert not bootstrap.resources.redis().exists(f"sess:of:{viewer.user_id}")


def test_new_rights_reach_every_live_session_and_wake_no_dead_one() -> None:
    sessions, viewer = make_sessions(), make_viewer()
    tokens = [enter(sessions, viewer) for _ in range(3)]
    bootstrap.resources.redis().delete(
        *[key for key in bootstrap.resources.redis().scan_iter("sess:*") if "of" not in key][:1]
    )
    raised = replace(viewer, admin=True)
    sessions.amend(raised)
    found = [sessions.find(token) for token in tokens]
    assert [each.viewer for each in found if each] == [raised, raised]
    assert len(list(bootstrap.resources.redis().scan_iter("sess:*"))) == 3


def test_an_account_has_only_so_many_sessions_and_the_oldest_ends_first() -> None:
    sessions, viewer = make_sessions(), make_viewer()
    tokens = [enter(sessions, viewer) for _ in range(MOST_SESSIONS + 3)]
    assert [bool(sessions.find(token)) for token in tokens[:5]] == [False, False, False, True, True]
    assert sessions.find(tokens[-1])


def test_nothing_is_left_when_the_last_session_has_ended() -> None:
    sessions = make_sessions(idle_s=0.2, lifetime_s=0.2)
    enter(sessions, make_viewer())
    began = time.monotonic()
    while list(bootstrap.resources.redis().scan_iter("sess:*")):
        assert time.monotonic() - began < 20
