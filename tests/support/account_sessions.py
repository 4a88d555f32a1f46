"""Accounts' stores in Redis, in memory: sessions, rate limits and used codes."""

from __future__ import annotations

import hashlib
import secrets
import threading
from collections import defaultdict
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from functions.accounts.model import Factor, OpenedSession, Session
from functions.accounts.rate_limits import Refusal, Reservation
from functions.accounts.sessions import MOST_SESSIONS
from tests.support.accounts import FakeStore

if TYPE_CHECKING:
    from collections.abc import Sequence

    from functions.accounts.rate_limits import RateLimitBucket
    from functions.platform.viewer import Viewer
    from tests.support.clock import Clock


class FakeUsedCodes(FakeStore):
    """Used codes in memory."""

    def __init__(self, now: Clock) -> None:
        self._now = now
        self._until: dict[str, datetime] = {}

    def claim(self, name: str, *, for_s: int) -> bool:
        self.check()
        if self._until.get(name, self._now()) > self._now():
            return False
        self._until[name] = self._now() + timedelta(seconds=for_s)
        return True

    @property
    def remembered(self) -> set[str]:
        """Return the names of the codes that cannot be used again yet."""
        return {name for name, until in self._until.items() if until > self._now()}


class FakeSessionStore(FakeStore):
    """Sessions in memory; they end after `lifetime`, however often they are used."""

    def __init__(self, now: Clock, *, lifetime: timedelta = timedelta(days=30)) -> None:
        self._now = now
        self._lifetime = lifetime
        self.live: dict[str, Session] = {}
        self._admins: dict[str, bool] = {}

    def open_session(self, viewer: Viewer, *, ip: str, browser: str, factor: Factor) -> OpenedSession:
        self.check()
        token, now = secrets.token_urlsafe(32), self._now()
        session_id = hashlib.sha256(token.encode()).hexdigest()
        self.live[token] = Session(viewer, now, now + self._lifetime, session_id, factor)
        self._admins[token] = viewer.admin
        own = [token for token, each in self.live.items() if each.viewer.user_id == viewer.user_id]
        for oldest in own[:-MOST_SESSIONS]:
            del self.live[oldest]
        return OpenedSession(token, self.live[token])

    def find_session(self, token: str) -> Session | None:
        self.check()
        session = self.live.get(token)
        return session if session and session.ends_at > self._now() else None

    def end_session(self, token: str) -> None:
        self.check()
        self.live.pop(token, None)

    def end_sessions_of(self, user_id: str) -> None:
        self.check()
        self.live = {
            token: each
            for token, each in self.live.items()
            if user_id not in (each.viewer.user_id, each.viewer.profile_id)
        }

    def update_rights(self, viewer: Viewer) -> None:
        self.check()
        for token, session in self.live.items():
            if session.viewer.user_id == viewer.user_id:
                self._admins[token] = viewer.admin
                self._change(token, confirmed=viewer.confirmed)

    def use_profile(self, token: str, profile_id: str, *, age_limit: int | None) -> None:
        self.check()
        if token in self.live:
            self._change(token, profile_id=profile_id, age_limit=age_limit)

    def update_age_limit(self, profile_id: str, age_limit: int | None) -> None:
        self.check()
        for token, session in self.live.items():
            if session.viewer.profile_id == profile_id:
                self._change(token, age_limit=age_limit)

    def _change(self, token: str, **changes: Any) -> None:
        """Change the viewer of a session, who is an administrator only in the account's own profile."""
        session = self.live[token]
        changed = replace(session.viewer, **changes)
        admin = self._admins[token] and not changed.profile_id
        self.live[token] = replace(session, viewer=replace(changed, admin=admin))


class FakeRateLimiter(FakeStore):
    """A rate limiter in memory, which refuses buckets that a cluster could not check in one step, as Redis does."""

    def __init__(self, now: Clock) -> None:
        self._now = now
        self._lock = threading.Lock()
        self.attempts: defaultdict[tuple[str, str], dict[str, datetime]] = defaultdict(dict)
        self._refused: dict[tuple[str, str], datetime] = {}

    def reserve(self, buckets: Sequence[RateLimitBucket]) -> Reservation | Refusal:
        self.check()
        if len({bucket.shard for bucket in buckets}) != 1:
            raise ValueError(f"Buckets that are reserved together must have the same shard: {buckets}")
        now = self._now()
        with self._lock:
            waits = []
            for bucket in buckets:
                window = timedelta(seconds=bucket.limit.window_s)
                counted = self.attempts[bucket.shard, bucket.name]
                for attempt_id in [each for each, at in counted.items() if at <= now - window]:
                    del counted[attempt_id]
                if len(counted) >= bucket.limit.attempts:
                    waits.append(sorted(counted.values())[-bucket.limit.attempts] + window)
            if waits:
                key = buckets[0].shard, buckets[0].name
                first = self._refused.get(key, now) <= now
                if first:
                    self._refused[key] = max(waits)
                return Refusal(-(-(max(waits) - now) // timedelta(seconds=1)), first)
            reservation = Reservation(secrets.token_hex(8), tuple(buckets))
            for bucket in buckets:
                if bucket.only_checked:
                    continue
                self.attempts[bucket.shard, bucket.name][reservation.attempt_id] = now
            return reservation

    def cancel(self, reservation: Reservation) -> None:
        self.check()
        for bucket in reservation.buckets:
            self.attempts[bucket.shard, bucket.name].pop(reservation.attempt_id, None)

    def record_success(self, reservation: Reservation) -> None:
        self.cancel(reservation)
        first = reservation.buckets[0]
        self.attempts[first.shard, first.name].clear()
        self._refused.pop((first.shard, first.name), None)
