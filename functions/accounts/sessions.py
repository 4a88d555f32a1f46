"""Sessions in Redis: the viewer has an opaque token, and Redis stores its SHA-256, so a dump of Redis grants no access.

`sess:<sha256 of the token>` is a hash with the viewer of the session; it expires after the idle limit, but never later
than the absolute limit. `sess:of:<user_id>` lists the sessions of an account by expiry. A list entry is written before
its session and removed after it, so that ending all sessions of an account finds each of them. No command uses two of
these keys, so they may be on different nodes of a cluster. All times come from the clock of Redis.
"""

from __future__ import annotations

import hashlib
import secrets
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple

from functions.accounts.model import OpenedSession, Session
from functions.platform.redis import answering
from functions.platform.viewer import Viewer

if TYPE_CHECKING:
    from redis import Redis

TOKEN_BYTES = 32
MOST_SESSIONS = 50
"""The maximum number of concurrent sessions of an account; a further login ends the oldest."""

_NOW = """
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
"""

# KEYS: the list; ARGV: session id, lifetime in ms, maximum number. Returns the time, and the ids of sessions to end.
_ADD = f"""{_NOW}
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
redis.call('ZADD', KEYS[1], now + time[2] % 1000 / 1000 + ARGV[2], ARGV[1])
redis.call('PEXPIRE', KEYS[1], ARGV[2])
local surplus = redis.call('ZCARD', KEYS[1]) - ARGV[3]
local oldest = {{}}
if surplus > 0 then
  oldest = redis.call('ZRANGE', KEYS[1], 0, surplus - 1)
  redis.call('ZREMRANGEBYRANK', KEYS[1], 0, surplus - 1)
end
return {{now, oldest}}
"""

# KEYS: the session; ARGV: idle limit in ms, then fields and values.
_PUT = """
redis.call('HSET', KEYS[1], unpack(ARGV, 2))
redis.call('PEXPIRE', KEYS[1], ARGV[1])
"""

# KEYS: the session; ARGV: idle limit in ms. The expiry is extended only once a hundredth of the limit has passed, so
# that most requests write nothing.
_FIND = f"""
local session = redis.call('HMGET', KEYS[1], 'user_id', 'email', 'admin', 'confirmed', 'created_at', 'ends_at')
if not session[1] then return false end
{_NOW}
local left = math.min(tonumber(ARGV[1]), session[6] - now)
if left <= 0 then
  redis.call('DEL', KEYS[1])
  return false
end
if redis.call('PTTL', KEYS[1]) < left * 0.99 then redis.call('PEXPIRE', KEYS[1], left) end
return session
"""

# KEYS: the session. Returns the session's user id.
_END = """
local user_id = redis.call('HGET', KEYS[1], 'user_id')
redis.call('DEL', KEYS[1])
return user_id
"""

# KEYS: the session; ARGV: admin, confirmed. A session that has ended in the meantime is not restored.
_UPDATE_RIGHTS = """
if redis.call('EXISTS', KEYS[1]) == 1 then
  redis.call('HSET', KEYS[1], 'admin', ARGV[1], 'confirmed', ARGV[2])
end
"""


class RedisSessionStore:
    """The session store in Redis."""

    def __init__(self, redis: Redis, *, idle: timedelta, lifetime: timedelta) -> None:
        self._redis = redis
        self._idle_ms = _ms(idle)
        self._lifetime_ms = _ms(lifetime)
        self._add = redis.register_script(_ADD)
        self._put = redis.register_script(_PUT)
        self._find = redis.register_script(_FIND)
        self._end = redis.register_script(_END)
        self._update_rights = redis.register_script(_UPDATE_RIGHTS)

    def open_session(self, viewer: Viewer, *, ip: str, browser: str) -> OpenedSession:
        token = secrets.token_urlsafe(TOKEN_BYTES)
        session_id = _id_of(token)
        with answering():
            now, surplus = self._add(keys=[_list(viewer.user_id)], args=[session_id, self._lifetime_ms, MOST_SESSIONS])
            ends_at = now + self._lifetime_ms
            rights = _rights(viewer)
            person = ("user_id", viewer.user_id, "email", viewer.email, "ip", ip, "browser", browser)
            granted = ("admin", rights.admin, "confirmed", rights.confirmed)
            self._put(
                keys=[_key(session_id)],
                args=[min(self._idle_ms, self._lifetime_ms), *person, *granted, "created_at", now, "ends_at", ends_at],
            )
            for old in surplus:
                self._redis.delete(_key(old))
        return OpenedSession(token, Session(viewer, _time(now), _time(ends_at)))

    def find_session(self, token: str) -> Session | None:
        # one round trip, because every request of a viewer needs this
        with answering():
            found = self._find(keys=[_key(_id_of(token))], args=[self._idle_ms])
        if not found:
            return None
        user_id, email, admin, confirmed, created_at, ends_at = found
        viewer = Viewer(user_id, email, admin=admin == "1", confirmed=confirmed == "1")
        return Session(viewer, _time(int(created_at)), _time(int(ends_at)))

    def end_session(self, token: str) -> None:
        session_id = _id_of(token)
        with answering():
            user_id = self._end(keys=[_key(session_id)])
            if user_id:
                self._redis.zrem(_list(user_id), session_id)

    def end_sessions_of(self, user_id: str) -> None:
        with answering():
            for session_id in self._of(user_id):
                self._redis.delete(_key(session_id))
                self._redis.zrem(_list(user_id), session_id)  # one by one, as a new session may have been added

    def update_rights(self, viewer: Viewer) -> None:
        rights = _rights(viewer)
        with answering():
            for session_id in self._of(viewer.user_id):
                self._update_rights(keys=[_key(session_id)], args=[rights.admin, rights.confirmed])

    def _of(self, user_id: str) -> list[str]:
        return [str(session_id) for session_id in self._redis.zrange(_list(user_id), 0, -1)]


def _id_of(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def _key(session_id: str) -> str:
    return f"sess:{session_id}"


def _list(user_id: str) -> str:
    return f"sess:of:{user_id}"


class _Rights(NamedTuple):
    """The rights of a session as stored in Redis."""

    admin: int
    confirmed: int


def _rights(viewer: Viewer) -> _Rights:
    return _Rights(int(viewer.admin), int(viewer.confirmed))


def _ms(span: timedelta) -> int:
    return int(span / timedelta(milliseconds=1))


def _time(ms: int) -> datetime:
    return datetime.fromtimestamp(ms / 1000, UTC)
