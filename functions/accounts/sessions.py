"""Sessions in Redis: the viewer has an opaque token, and Redis stores its SHA-256, so a dump of Redis grants no access.

`sess:<sha256 of the token>` is a hash with the viewer of the session; it expires after the idle limit, but never later
than the absolute limit. `sess:of:<user_id>` lists the sessions of an account by expiry. A session is written before its
list entry is added, and deleted before its list entry is removed. Its token is returned only after both are written.
Every session whose token anybody knows is therefore in the list. A session that is opened while all sessions of its
account are being ended may remain, but the list contains it the next time. `sess:of:<profile_id>` lists the sessions
that use a profile other than the account's own in the same way; a session that has changed to another profile stays in
the list until it expires there, so the profile in the session itself decides. No command uses two of these keys, so
they may be on different nodes of a cluster. All times come from the clock of Redis.
"""

from __future__ import annotations

import hashlib
import secrets
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple

from functions.accounts.model import Factor, OpenedSession, Session
from functions.platform.redis import answering
from functions.platform.viewer import Viewer

if TYPE_CHECKING:
    from collections.abc import Callable

    from redis import Redis

TOKEN_BYTES = 32
MOST_SESSIONS = 50
"""The maximum number of concurrent sessions of an account; a further login ends the oldest."""

MOST_LISTED = 1_000_000
"""No limit: the list of a profile also has sessions that use another profile by now."""

_NOW = """
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
"""

# KEYS: the session; ARGV: idle limit and lifetime in ms, then fields and values. Returns when it begins and ends.
_PUT = f"""{_NOW}
local ends_at = now + ARGV[2]
redis.call('HSET', KEYS[1], 'created_at', now, 'ends_at', ends_at, unpack(ARGV, 3))
redis.call('PEXPIRE', KEYS[1], ARGV[1])
return {{now, ends_at}}
"""

# KEYS: the list; ARGV: session id, lifetime in ms, maximum number. Returns the ids of the oldest sessions, which must
# be ended; they stay in the list until they have ended.
_ADD = f"""{_NOW}
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
redis.call('ZADD', KEYS[1], now + time[2] % 1000 / 1000 + ARGV[2], ARGV[1])
redis.call('PEXPIRE', KEYS[1], ARGV[2])
local surplus = redis.call('ZCARD', KEYS[1]) - ARGV[3]
if surplus <= 0 then return {{}} end
return redis.call('ZRANGE', KEYS[1], 0, surplus - 1)
"""

# KEYS: the session; ARGV: idle limit in ms. The expiry is extended only once a hundredth of the limit has passed, so
# that most requests write nothing.
_FIND = f"""
local session = redis.call(
  'HMGET', KEYS[1], 'user_id', 'email', 'admin', 'confirmed', 'created_at', 'ends_at', 'factor', 'profile_id',
  'age_limit')
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

# KEYS: the session; ARGV: profile id, age limit. A session that has ended in the meantime is not restored.
_USE_PROFILE = """
if redis.call('EXISTS', KEYS[1]) == 1 then
  redis.call('HSET', KEYS[1], 'profile_id', ARGV[1], 'age_limit', ARGV[2])
end
"""

# KEYS: the session; ARGV: profile id, age limit. The session may use another profile by now.
_UPDATE_AGE_LIMIT = """
if redis.call('HGET', KEYS[1], 'profile_id') == ARGV[1] then
  redis.call('HSET', KEYS[1], 'age_limit', ARGV[2])
end
"""

# KEYS: the session; ARGV: the id of an account or profile. A session that uses another profile by now does not end.
_END_OF = """
local session = redis.call('HMGET', KEYS[1], 'user_id', 'profile_id')
if session[1] == ARGV[1] or session[2] == ARGV[1] then redis.call('DEL', KEYS[1]) end
"""


class RedisSessionStore:
    """The session store in Redis.

    `ended(user_id, session_id)` is called after a session has ended, and with an empty `session_id` after all sessions
    of an account have ended.
    """

    def __init__(
        self,
        redis: Redis,
        *,
        idle: timedelta,
        lifetime: timedelta,
        ended: Callable[[str, str], None] = lambda _user_id, _session_id: None,
    ) -> None:
        self._redis = redis
        self._ended = ended
        self._idle_ms = _ms(idle)
        self._lifetime_ms = _ms(lifetime)
        self._put = redis.register_script(_PUT)
        self._add = redis.register_script(_ADD)
        self._find = redis.register_script(_FIND)
        self._end = redis.register_script(_END)
        self._update_rights = redis.register_script(_UPDATE_RIGHTS)
        self._use_profile = redis.register_script(_USE_PROFILE)
        self._update_age_limit = redis.register_script(_UPDATE_AGE_LIMIT)
        self._end_of = redis.register_script(_END_OF)

    def open_session(self, viewer: Viewer, *, ip: str, browser: str, factor: Factor) -> OpenedSession:
        token = secrets.token_urlsafe(TOKEN_BYTES)
        session_id = _id_of(token)
        rights = _rights(viewer)
        person = ("user_id", viewer.user_id, "email", viewer.email, "ip", ip, "browser", browser)
        granted = ("admin", rights.admin, "confirmed", rights.confirmed, "factor", factor.value)
        with answering():
            began_at, ends_at = self._put(
                keys=[_key(session_id)],
                args=[min(self._idle_ms, self._lifetime_ms), self._lifetime_ms, *person, *granted],
            )
            for old in self._add(keys=[_list(viewer.user_id)], args=[session_id, self._lifetime_ms, MOST_SESSIONS]):
                self._delete(viewer.user_id, str(old))
        return OpenedSession(token, Session(viewer, _time(began_at), _time(ends_at), session_id, factor))

    def find_session(self, token: str) -> Session | None:
        # one round trip, because every request of a viewer needs this
        session_id = _id_of(token)
        with answering():
            found = self._find(keys=[_key(session_id)], args=[self._idle_ms])
        if not found:
            return None
        user_id, email, admin, confirmed, created_at, ends_at, factor, profile_id, age_limit = found
        viewer = Viewer(
            user_id,
            email,
            admin=admin == "1" and not profile_id,
            confirmed=confirmed == "1",
            profile_id=profile_id or "",
            age_limit=int(age_limit) if age_limit else None,
        )
        # a session of release 0.2 has no factor
        proved = Factor(factor or Factor.NONE)
        return Session(viewer, _time(int(created_at)), _time(int(ends_at)), session_id, proved)

    def end_session(self, token: str) -> None:
        session_id = _id_of(token)
        with answering():
            user_id = self._end(keys=[_key(session_id)])
            if user_id:
                self._redis.zrem(_list(user_id), session_id)
        if user_id:
            self._ended(user_id, session_id)

    def end_sessions_of(self, user_id: str) -> None:
        with answering():
            for session_id in self._of(user_id):
                self._delete(user_id, session_id)  # one by one, as a new session may have been added
        self._ended(user_id, "")

    def update_rights(self, viewer: Viewer) -> None:
        rights = _rights(viewer)
        with answering():
            for session_id in self._of(viewer.user_id):
                self._update_rights(keys=[_key(session_id)], args=[rights.admin, rights.confirmed])

    def use_profile(self, token: str, profile_id: str, *, age_limit: int | None) -> None:
        session_id = _id_of(token)
        with answering():
            if profile_id:  # listed first, so that every session that uses the profile is in its list
                self._add(keys=[_list(profile_id)], args=[session_id, self._lifetime_ms, MOST_LISTED])
            self._use_profile(keys=[_key(session_id)], args=[profile_id, _limit(age_limit)])

    def update_age_limit(self, profile_id: str, age_limit: int | None) -> None:
        with answering():
            for session_id in self._of(profile_id):
                self._update_age_limit(keys=[_key(session_id)], args=[profile_id, _limit(age_limit)])

    def _delete(self, user_id: str, session_id: str) -> None:
        self._end_of(keys=[_key(session_id)], args=[user_id])
        self._redis.zrem(_list(user_id), session_id)

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


def _limit(age_limit: int | None) -> str:
    """Return an age limit as stored in Redis."""
    return "" if age_limit is None else str(age_limit)


def _ms(span: timedelta) -> int:
    return int(span / timedelta(milliseconds=1))


def _time(ms: int) -> datetime:
    return datetime.fromtimestamp(ms / 1000, UTC)
