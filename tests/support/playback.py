"""Playback in memory: keys with a readable text, playlists, and streams."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from functions.platform.errors import StoreUnavailable
from functions.platform.signed_tokens import SignedTokens
from functions.playback.hls import Playlists
from functions.playback.keys import ReadKey
from functions.playback.model import (
    Device,
    QuestionOutcome,
    Stream,
    StreamEnded,
    StreamLimitReached,
    StreamOpened,
    StreamRequest,
)
from functions.playback.streams import Streams
from tests.support.clock import Clock

if TYPE_CHECKING:
    from collections.abc import Callable

SIGNING_KEY = "k" * 32
LIMIT = 3
LIFETIME = timedelta(hours=1)
LAPTOP, PHONE, TELEVISION, TABLET = (
    Device(name[:1] * 64, browser)
    for name, browser in (
        ("laptop", "Firefox on Linux"),
        ("phone", "Safari on iPhone"),
        ("vision", "Chrome on a television"),
        ("tablet", "Chrome on Android"),
    )
)


class Keys:
    """Keys whose text contains their container and their time of issue; they are valid for an hour."""

    def expires_at(self, now: datetime) -> datetime:
        return now + LIFETIME

    def read_key(self, container: str, expires_at: datetime, *, stream_id: str) -> ReadKey:
        assert stream_id
        return ReadKey(f"sig={container}&at={expires_at - LIFETIME:%H%M}", expires_at)

    def url(self, path: str) -> str:
        return f"http://blobs/{path}"


class MemoryPlaylists:
    """Playlists by container and name; unavailable on request."""

    def __init__(self, texts: dict[tuple[str, str], str] | None = None) -> None:
        self.texts = texts or {}
        self.away = False

    def read_playlist(self, container: str, blob: str) -> str | None:
        if self.away:
            raise StoreUnavailable("The film's storage does not answer; try again in a minute.")
        return self.texts.get((container, blob))


@dataclass(frozen=True, slots=True)
class StoredStream:
    """A stream in memory, with the expiry of its key, its last renewal, and the device that stopped it."""

    stream: Stream
    ends_at: datetime
    renewal: int
    stopped_by: str = ""


class MemoryStreams:
    """Streams in memory; unavailable on request."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self.away = False
        self._now = now
        self._stored: dict[str, dict[str, StoredStream]] = {}
        self._asked: dict[str, tuple[datetime, int]] = {}
        self._renewals = 0

    def open_stream(
        self, user_id: str, request: StreamRequest, *, limit: int, lifetime: timedelta
    ) -> StreamOpened | StreamLimitReached | StreamEnded:
        stored = self._of(user_id)
        mine = stored.get(request.stream_id)
        if mine and mine.stopped_by:
            return StreamEnded(mine.stopped_by)
        known = {each.stream.stream_id: each for each in stored.values() if not each.stopped_by}
        place = (request.device.session_id, request.title_id)
        mine = mine or next((e for e in known.values() if (e.stream.session_id, e.stream.title_id) == place), None)
        if mine is None and len(known) >= limit:
            return StreamLimitReached(tuple(self.streams_of(user_id)))
        stream_id = mine.stream.stream_id if mine else request.stream_id
        since = mine.stream.since if mine and mine.stream.title_id == request.title_id else self._now()
        device = request.device
        stream = Stream(stream_id, device.session_id, device.name, request.title_id, request.title, since)
        self._renewals += 1
        self._asked.pop(stream_id, None)
        stored[stream_id] = StoredStream(stream, self._now() + lifetime, self._renewals)
        return StreamOpened(stream_id, self._renewals)

    def streams_of(self, user_id: str) -> list[Stream]:
        found = [each.stream for each in self._of(user_id).values() if not each.stopped_by]
        return sorted(found, key=lambda stream: (stream.since, stream.stream_id))

    def stop_stream(self, user_id: str, stream_id: str, *, by: str) -> bool:
        if not self.is_open(user_id, stream_id):
            return False
        stored = self._of(user_id)
        stored[stream_id] = replace(stored[stream_id], stopped_by=by)
        return True

    def is_open(self, user_id: str, stream_id: str) -> bool:
        found = self._of(user_id).get(stream_id)
        return found is not None and not found.stopped_by

    def count_question(
        self, user_id: str, stream_id: str, *, title_id: str, most: int, window: timedelta
    ) -> QuestionOutcome:
        if not self.is_open(user_id, stream_id) or self._of(user_id)[stream_id].stream.title_id != title_id:
            return QuestionOutcome.ENDED
        since, count = self._asked.get(stream_id, (self._now(), 0))
        if self._now() - since >= window:
            since, count = self._now(), 0
        if count >= most:
            return QuestionOutcome.TOO_OFTEN
        self._asked[stream_id] = since, count + 1
        return QuestionOutcome.ALLOWED

    def leave_stream(self, user_id: str, stream_id: str, *, renewal: int) -> None:
        if self.is_open(user_id, stream_id) and self._of(user_id)[stream_id].renewal == renewal:
            del self._of(user_id)[stream_id]

    def end_streams_of(self, user_id: str, *, session_id: str = "") -> None:
        stored = self._of(user_id)
        for stream_id, each in list(stored.items()):
            if not session_id or (each.stream.session_id == session_id and not each.stopped_by):
                del stored[stream_id]

    def _of(self, user_id: str) -> dict[str, StoredStream]:
        """Return the streams of an account whose keys have not expired."""
        if self.away:
            raise StoreUnavailable("Redis does not answer; try again in a moment.")
        stored = self._stored.setdefault(user_id, {})
        for stream_id in [key for key, each in stored.items() if each.ends_at <= self._now()]:
            del stored[stream_id]
        return stored


def make_streams(store: MemoryStreams | None = None, clock: Clock | None = None, *, limit: int = LIMIT) -> Streams:
    """Return streams in memory; by default, their clock shows noon."""
    clock = clock or Clock()
    tokens = SignedTokens(SIGNING_KEY, clock)
    kept = store or MemoryStreams(clock)
    return Streams(kept, tokens, limit=limit, ticket_lifetime=timedelta(hours=24), now=clock)


def make_playlists(
    store: MemoryPlaylists | None = None, clock: Clock | None = None, streams: Streams | None = None
) -> Playlists:
    """Return an issuer of tickets; by default, its clock shows noon and there are no playlists."""
    clock = clock or Clock()
    streams = streams or make_streams(clock=clock)
    return Playlists(SignedTokens(SIGNING_KEY, clock), store or MemoryPlaylists(), Keys(), streams)


@dataclass
class Demand:
    """Jobs whose renditions are wanted; with `trouble`, nothing can be noted."""

    wanted: list[str] = field(default_factory=list)
    accounts: list[str] = field(default_factory=list)
    trouble: StoreUnavailable | None = None

    def want(self, job_id: str, *, by: str) -> None:
        if self.trouble:
            raise self.trouble
        self.wanted.append(job_id)
        self.accounts.append(by)
