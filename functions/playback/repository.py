"""The stores of playback: playlists in blob storage, and open streams in Redis.

`streams:<user_id>` is a hash with one JSON entry per stream of an account. An entry counts until the key that was last
issued for it expires, by the clock of Redis. So the streams of a crashed player end without any action. The entry of a
stopped stream is kept until then too, so that its player learns why it cannot renew its key.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from azure.core.exceptions import HttpResponseError, ResourceNotFoundError

from functions.platform.blob_errors import blobs_answering
from functions.platform.errors import StoreUnavailable
from functions.platform.redis import answering
from functions.playback.model import QuestionOutcome, Stream, StreamEnded, StreamLimitReached, StreamOpened

if TYPE_CHECKING:
    from datetime import timedelta

    from azure.storage.blob import BlobServiceClient
    from redis import Redis

    from functions.playback.model import StreamRequest

MOST_STOPPED = 20
"""How many stopped streams of an account are remembered, so that the size of its hash is bounded."""

_NOW = """
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
"""

# Reads the hash KEYS[1]: `open` contains the entries of open streams by id, `stopped` those of stopped streams. Expired
# entries are deleted.
_READ = f"""{_NOW}
local open, stopped, stops = {{}}, {{}}, 0
local flat = redis.call('HGETALL', KEYS[1])
for i = 1, #flat, 2 do
  local entry = cjson.decode(flat[i + 1])
  if entry.ends_at <= now or (entry.stopped_by and stops >= {MOST_STOPPED}) then
    redis.call('HDEL', KEYS[1], flat[i])
  elseif entry.stopped_by then
    stopped[flat[i]] = entry
    stops = stops + 1
  else
    open[flat[i]] = entry
  end
end
local function listed()
  local found = {{}}
  for id, entry in pairs(open) do
    found[#found + 1] = id
    found[#found + 1] = cjson.encode(entry)
  end
  return found
end
"""

# ARGV: stream id, limit, lifetime in ms, session id, device, title id, title.
# Returns 'open', the id and the time of the renewal; or 'stopped' and the device that stopped the stream; or 'full' and
# the open streams. A device without the id of its stream is recognised by session and title.
_OPEN = f"""{_READ}
local id = ARGV[1]
if stopped[id] then return {{'stopped', stopped[id].stopped_by}} end
local count = 0
for _ in pairs(open) do count = count + 1 end
local mine = open[id]
if not mine then
  for other, entry in pairs(open) do
    if entry.session == ARGV[4] and entry.title_id == ARGV[6] then id, mine = other, entry end
  end
end
if not mine and count >= tonumber(ARGV[2]) then return {{'full', listed()}} end
local since = now
if mine and mine.title_id == ARGV[6] then since = mine.since end
local entry = {{session = ARGV[4], device = ARGV[5], title_id = ARGV[6], title = ARGV[7], since = since, renewal = now,
  ends_at = now + ARGV[3]}}
redis.call('HSET', KEYS[1], id, cjson.encode(entry))
if redis.call('PTTL', KEYS[1]) < tonumber(ARGV[3]) then redis.call('PEXPIRE', KEYS[1], ARGV[3]) end
return {{'open', id, now}}
"""

_LIST = f"""{_READ}
return listed()
"""

# ARGV: stream id, name of the device that stops it. Returns whether the stream was open.
_STOP = f"""{_READ}
local entry = open[ARGV[1]]
if not entry then return 0 end
entry.stopped_by = ARGV[2]
redis.call('HSET', KEYS[1], ARGV[1], cjson.encode(entry))
return 1
"""

_IS_OPEN = f"""{_READ}
return open[ARGV[1]] and 1 or 0
"""

# ARGV: stream id, title id, the most questions in a window, window in ms. The count is part of the stream's entry, and
# starts again with the next window and with the next renewal.
_QUESTION = f"""{_READ}
local entry = open[ARGV[1]]
if not entry or entry.title_id ~= ARGV[2] then return 'ended' end
if not entry.asked_at or now - entry.asked_at >= tonumber(ARGV[4]) then
  entry.asked_at = now
  entry.asked = 0
end
if entry.asked >= tonumber(ARGV[3]) then return 'too often' end
entry.asked = entry.asked + 1
redis.call('HSET', KEYS[1], ARGV[1], cjson.encode(entry))
return 'allowed'
"""

# ARGV: stream id, time of its renewal. A stopped stream is kept, because its page may be opened again.
_LEAVE = f"""{_READ}
local entry = open[ARGV[1]]
if entry and entry.renewal == tonumber(ARGV[2]) then redis.call('HDEL', KEYS[1], ARGV[1]) end
"""

# ARGV: session id.
_END_SESSION = f"""{_READ}
for id, entry in pairs(open) do
  if entry.session == ARGV[1] then redis.call('HDEL', KEYS[1], id) end
end
"""


class BlobPlaylists:
    """Playlists in the containers of titles."""

    def __init__(self, service: BlobServiceClient) -> None:
        self._service = service

    def read_playlist(self, container: str, blob: str) -> str | None:
        try:
            with blobs_answering():
                return self._service.get_blob_client(container, blob).download_blob().readall().decode()
        except ResourceNotFoundError:
            return None
        except (HttpResponseError, StoreUnavailable):  # the text of the cause contains the blob's address
            raise StoreUnavailable("The film's storage does not answer; try again in a minute.") from None


class RedisStreams:
    """Open streams in Redis."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._open = redis.register_script(_OPEN)
        self._list = redis.register_script(_LIST)
        self._stop = redis.register_script(_STOP)
        self._is_open = redis.register_script(_IS_OPEN)
        self._question = redis.register_script(_QUESTION)
        self._leave = redis.register_script(_LEAVE)
        self._end_session = redis.register_script(_END_SESSION)

    def open_stream(
        self, user_id: str, request: StreamRequest, *, limit: int, lifetime: timedelta
    ) -> StreamOpened | StreamLimitReached | StreamEnded:
        device, lifetime_ms = request.device, int(lifetime.total_seconds() * 1000)
        stream = (request.stream_id, limit, lifetime_ms)
        place = (device.session_id, device.name, request.title_id, request.title)
        with answering():
            answer: list[Any] = self._open(keys=[_key(user_id)], args=[*stream, *place])
        match answer:
            case ["open", stream_id, renewal]:
                return StreamOpened(stream_id, renewal)
            case ["stopped", by]:
                return StreamEnded(by)
            case _:
                return StreamLimitReached(tuple(_streams(answer[1])))

    def streams_of(self, user_id: str) -> list[Stream]:
        with answering():
            return _streams(self._list(keys=[_key(user_id)]))

    def stop_stream(self, user_id: str, stream_id: str, *, by: str) -> bool:
        with answering():
            return bool(self._stop(keys=[_key(user_id)], args=[stream_id, by]))

    def is_open(self, user_id: str, stream_id: str) -> bool:
        with answering():
            return bool(self._is_open(keys=[_key(user_id)], args=[stream_id]))

    def count_question(
        self, user_id: str, stream_id: str, *, title_id: str, most: int, window: timedelta
    ) -> QuestionOutcome:
        window_ms = int(window.total_seconds() * 1000)
        with answering():
            return QuestionOutcome(self._question(keys=[_key(user_id)], args=[stream_id, title_id, most, window_ms]))

    def leave_stream(self, user_id: str, stream_id: str, *, renewal: int) -> None:
        with answering():
            self._leave(keys=[_key(user_id)], args=[stream_id, renewal])

    def end_streams_of(self, user_id: str, *, session_id: str = "") -> None:
        with answering():
            if session_id:
                self._end_session(keys=[_key(user_id)], args=[session_id])
            else:
                self._redis.delete(_key(user_id))


def _key(user_id: str) -> str:
    return f"streams:{user_id}"


def _streams(flat: list[str]) -> list[Stream]:
    """Return streams from ids and JSON entries in turn, oldest first."""
    found = [_stream(stream_id, json.loads(text)) for stream_id, text in zip(flat[::2], flat[1::2], strict=True)]
    return sorted(found, key=lambda stream: (stream.since, stream.stream_id))


def _stream(stream_id: str, entry: dict[str, Any]) -> Stream:
    return Stream(
        stream_id=stream_id,
        session_id=entry["session"],
        device=entry["device"],
        title_id=entry["title_id"],
        title=entry["title"],
        since=datetime.fromtimestamp(entry["since"] / 1000, UTC),
    )
