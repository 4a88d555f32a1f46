"""Streams in a real Redis: the contract, one round trip per call, and concurrent requests for the last place."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from functions import bootstrap
from functions.playback.model import Device, StreamLimitReached, StreamOpened, StreamRequest
from functions.playback.repository import MOST_STOPPED, RedisStreams
from tests.support.playback import LAPTOP
from tests.support.stream_contract import HOUR, StreamContract
from tests.support.wiring import forget_all

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.integration.conftest import Stack
    from tests.support.stream_contract import Passing


@pytest.fixture
def store(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> Iterator[RedisStreams]:
    for name, value in stack.environment.items():
        monkeypatch.setenv(name, value)
    forget_all()
    yield RedisStreams(bootstrap.resources.redis())
    forget_all()


class TestRedisStreams(StreamContract):
    """Redis follows the contract."""

    short = timedelta(seconds=3)

    @pytest.fixture
    def passing(self) -> Passing:
        return lambda span: time.sleep(span.total_seconds())  # by the clock of Redis, which cannot be set

    def test_of_many_requests_at_once_only_as_many_as_allowed_are_admitted(self, store: RedisStreams) -> None:
        user = self.user()

        def play(number: int) -> object:
            device = Device(f"session {number}", "Firefox on Linux")
            request = StreamRequest(f"stream {number}", device, "film", "Film")
            return store.open_stream(user, request, limit=3, lifetime=HOUR)

        with ThreadPoolExecutor(6) as clients:
            answers = list(clients.map(play, range(60)))
        assert sum(isinstance(answer, StreamOpened) for answer in answers) == 3
        assert sum(isinstance(answer, StreamLimitReached) for answer in answers) == 57

    def test_the_entries_of_an_account_expire_with_its_last_key_and_are_bounded(self, store: RedisStreams) -> None:
        user, redis = self.user(), bootstrap.resources.redis()
        for number in range(MOST_STOPPED + 10):
            self.play(store, user, f"stream {number}", LAPTOP)
            assert store.stop_stream(user, f"stream {number}", by=LAPTOP.name)
        assert redis.hlen(f"streams:{user}") <= MOST_STOPPED + 1
        assert timedelta(minutes=59) < timedelta(milliseconds=redis.pttl(f"streams:{user}")) <= HOUR

    def test_a_stream_begins_when_it_is_opened_by_the_clock_of_redis(self, store: RedisStreams) -> None:
        user = self.user()
        opened = self.play(store, user, "a", LAPTOP)
        (stream,) = store.streams_of(user)
        assert isinstance(opened, StreamOpened)
        assert stream.since == datetime.fromtimestamp(opened.renewal / 1000, UTC)

    def test_a_renewal_takes_one_round_trip(self, store: RedisStreams) -> None:
        user, redis = self.user(), bootstrap.resources.redis()
        self.play(store, user, "a", LAPTOP)
        before = redis.info("commandstats")["cmdstat_evalsha"]["calls"]
        sent = redis.info("stats")["total_net_input_bytes"]
        for _ in range(10):
            self.play(store, user, "a", LAPTOP)
        assert redis.info("commandstats")["cmdstat_evalsha"]["calls"] - before == 10
        assert redis.info("stats")["total_net_input_bytes"] - sent < 10 * 600
