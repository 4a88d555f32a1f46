"""Sessions in Redis: an opaque token with the person, its SHA-256 with us, so that a dump of the store opens nothing.

`sess:<sha256 of the token>` is a hash with who it speaks for; its time to live is the idle limit, never past the
absolute one. `sess:of:<user_id>` lists the sessions of an account by their ends. It is written before a session and
cleared after it, so that whoever ends all sessions of an account finds each of them. No command touches two of these
keys at once, so they may lie on different nodes of a cluster. The clock is that of Redis.
"""

from __future__ import annotations

import hashlib
import secrets
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple

from functions.accounts.model import NewSession, Session, Viewer
from functions.platform.redis import answering

if TYPE_CHECKING:
    from redis import Redis

TOKEN_BYTES = 32
MOST_SESSIONS = 50
"""Of one account at a time; a further login ends the oldest."""

_NOW = """
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
"""

# KEYS: the list; ARGV: session id, lifetime in ms, how many may live. Returns the time, and the ids that must end.
_ENTER = f"""{_NOW}
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

# KEYS: the session; ARGV: idle limit in ms. A hundredth of the limit must have passed before the end is moved on, so
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

# KEYS: the session. Returns whose it was.
_CLOSE = """
local user_id = redis.call('HGET', KEYS[1], 'user_id')
redis.call('DEL', KEYS[1])
return user_id
"""

# KEYS: the session; ARGV: admin, confirmed. One that has ended meanwhile is not brought back.
_AMEND = """
if redis.call('EXISTS', KEYS[1]) == 1 then
  redis.call('HSET', KEYS[1], 'admin', ARGV[1], 'confirmed', ARGV[2])
end
"""


class RedisSessions:
    """The sessions of all accounts; every method raises StoreUnavailable while Redis is away."""

    def __init__(self, redis: Redis, *, idle: timedelta, lifetime: timedelta) -> None:
        self._redis = redis
        self._idle_ms = _ms(idle)
        self._lifetime_ms = _ms(lifetime)
        self._enter = redis.register_script(_ENTER)
        self._put = redis.register_script(_PUT)
        self._find = redis.register_script(_FIND)
        self._close = redis.register_script(_CLOSE)
        self._amend = redis.register_script(_AMEND)

    def open(self, viewer: Viewer, *, ip: str, browser: str) -> NewSession:
        """Open a session under a token of 256 random bits."""
        token = secrets.token_urlsafe(TOKEN_BYTES)
        session_id = _id_of(token)
        with answering():
            now, surplus = self._enter(
                keys=[_list(viewer.user_id)], args=[session_id, self._lifetime_ms, MOST_SESSIONS]
            )
            ends_at = now + self._lifetime_ms
            rights = _rights(viewer)
            whose = ("user_id", viewer.user_id, "email", viewer.email, "ip", ip, "browser", browser)
            can = ("admin", rights.admin, "confirmed", rights.confirmed)
            self._put(
                keys=[_key(session_id)],
                args=[min(self._idle_ms, self._lifetime_ms), *whose, *can, "created_at", now, "ends_at", ends_at],
            )
            for old in surplus:
                self._redis.delete(_key(old))
        return NewSession(token, Session(viewer, _time(now), _time(ends_at)))

    def find(self, token: str) -> Session | None:
        """Return the session of a token and move its idle end on, in one round trip; None if there is none."""
        with answering():
            found = self._find(keys=[_key(_id_of(token))], args=[self._idle_ms])
        if not found:
            return None
        user_id, email, admin, confirmed, created_at, ends_at = found
        viewer = Viewer(user_id, email, admin=admin == "1", confirmed=confirmed == "1")
        return Session(viewer, _time(int(created_at)), _time(int(ends_at)))

    def close(self, token: str) -> None:
        """End the session of a token; one that has ended already is no error."""
        session_id = _id_of(token)
        with answering():
            user_id = self._close(keys=[_key(session_id)])
            if user_id:
                self._redis.zrem(_list(user_id), session_id)

    def close_all(self, user_id: str) -> None:
        """End every session of an account."""
        with answering():
            for session_id in self._of(user_id):
                self._redis.delete(_key(session_id))
                self._redis.zrem(_list(user_id), session_id)  # only those: another may have been entered meanwhile

    def amend(self, viewer: Viewer) -> None:
        """Let every live session of the account know whether it is an administrator's and confirmed."""
        rights = _rights(viewer)
        with answering():
            for session_id in self._of(viewer.user_id):
                self._amend(keys=[_key(session_id)], args=[rights.admin, rights.confirmed])

    def _of(self, user_id: str) -> list[str]:
        return [str(session_id) for session_id in self._redis.zrange(_list(user_id), 0, -1)]


def _id_of(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def _key(session_id: str) -> str:
    return f"sess:{session_id}"


def _list(user_id: str) -> str:
    return f"sess:of:{user_id}"


class _Rights(NamedTuple):
    """What a session may do, as Redis keeps it."""

    admin: int
    confirmed: int


def _rights(viewer: Viewer) -> _Rights:
    return _Rights(int(viewer.admin), int(viewer.confirmed))


def _ms(span: timedelta) -> int:
    return int(span / timedelta(milliseconds=1))


def _time(ms: int) -> datetime:
    return datetime.fromtimestamp(ms / 1000, UTC)
