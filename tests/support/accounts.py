"""Accounts in tests: their stores in memory, hashing that costs nothing, and a world where all of it fits together."""

from __future__ import annotations

import secrets
import threading
import uuid
from collections import defaultdict
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from argon2 import Parameters, Type

from functions.accounts.authentication import Gate, PasswordLimits
from functions.accounts.links import Links
from functions.accounts.login_history import Journal
from functions.accounts.model import HistoryEntry, Login, NewSession, Origin, Outcome, Purpose, Session, Viewer
from functions.accounts.passwords import Passwords
from functions.accounts.rate_limits import Attempt, Refusal
from functions.accounts.service import Accounts, Outside, Parts
from functions.platform.errors import AddressTaken, StoreUnavailable
from functions.platform.signed_tokens import SignedTokens

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from functions.accounts.rate_limits import Count

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
HOME = Origin("203.0.113.7", "Firefox on Linux")
ELSEWHERE = Origin("198.51.100.9", "Chrome on Android")
PASSWORD = "seven quiet lanterns"
OTHER_PASSWORD = "nine slow bicycles"
SITE = "https://films.example.org"

CHEAP = Parameters(Type.ID, 19, salt_len=16, hash_len=32, time_cost=1, memory_cost=8, parallelism=1)
"""argon2id at its least, so that a test of something else does not wait for it."""


def make_email(name: str = "jo") -> str:
    """Return an address that no other test uses."""
    return f"{name}.{uuid.uuid4().hex[:10]}@example.org"


def make_login(email: str = "", **changes: Any) -> Login:
    """Return an account as the store keeps it."""
    email = email or make_email()
    unusable = Passwords(CHEAP).unusable()
    return replace(Login(uuid.uuid4().hex, email, email, unusable, False, None, NOON), **changes)


def make_entry(user_id: str, **changes: Any) -> HistoryEntry:
    """Return an entry of the history."""
    entry = HistoryEntry(uuid.uuid4().hex, user_id, NOON, HOME.ip, HOME.browser, Outcome.SUCCESS)
    return replace(entry, **changes)


class Clock:
    """A clock that moves when it is told to."""

    def __init__(self, now: datetime = NOON) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def forward(self, **span: float) -> None:
        self.now += timedelta(**span)


class Store:
    """A store that can be away."""

    away = False

    def asked(self) -> None:
        if self.away:
            raise StoreUnavailable("The store does not answer.")


class FakeLogins(Store):
    """Logins in memory."""

    def __init__(self) -> None:
        self.logins: dict[str, Login] = {}
        self.links: dict[tuple[str, Purpose], tuple[str, datetime]] = {}

    def register(self, login: Login) -> None:
        self.asked()
        if any(other.address == login.address and other.user_id != login.user_id for other in self.logins.values()):
            raise AddressTaken("There is an account of that address already.")
        self.logins.setdefault(login.user_id, login)

    def find(self, address: str, dummy_hash: str) -> Login:
        self.asked()
        dummy = Login("", address, "", dummy_hash, False, None, NOON)
        return next((login for login in self.logins.values() if login.address == address), dummy)

    def get(self, user_id: str) -> Login | None:
        self.asked()
        return self.logins.get(user_id)

    def replace_hash(self, user_id: str, *, over: str, new: str) -> bool:
        self.asked()
        login = self.logins.get(user_id)
        if login is None or login.password_hash not in (over, new):
            return False
        self.logins[user_id] = replace(login, password_hash=new)
        self.links.pop((user_id, Purpose.RESET), None)
        return True

    def make_administrator(self, user_id: str) -> None:
        self._change(user_id, admin=True)

    def keep_link(self, link_hash: str, user_id: str, purpose: Purpose, expires_at: datetime) -> None:
        self.asked()
        self.links[user_id, purpose] = (link_hash, expires_at)

    def use_link(self, link_hash: str, purpose: Purpose, now: datetime) -> str | None:
        self.asked()
        for (user_id, of), (known, expires_at) in self.links.items():
            if (known, of) == (link_hash, purpose) and expires_at > now:
                del self.links[user_id, of]
                return user_id
        return None

    def confirm(self, user_id: str, at: datetime) -> None:
        login = self.get(user_id)
        if login and login.confirmed_at is None:
            self._change(user_id, confirmed_at=at)

    def delete(self, user_id: str) -> None:
        self.asked()
        self.logins.pop(user_id, None)
        for purpose in Purpose:
            self.links.pop((user_id, purpose), None)

    def expire_links(self, now: datetime) -> int:
        self.asked()
        over = [key for key, (_, expires_at) in self.links.items() if expires_at <= now]
        for key in over:
            del self.links[key]
        return len(over)

    def _change(self, user_id: str, **changes: Any) -> None:
        self.asked()
        if user_id in self.logins:
            self.logins[user_id] = replace(self.logins[user_id], **changes)


class FakeHistory(Store):
    """Login history in memory."""

    def __init__(self) -> None:
        self.entries: dict[str, HistoryEntry] = {}

    def record(self, entry: HistoryEntry) -> None:
        self.asked()
        self.entries.setdefault(entry.entry_id, entry)

    def page(self, user_id: str, *, before: datetime | None, limit: int) -> list[HistoryEntry]:
        self.asked()
        own = [entry for entry in self.entries.values() if entry.user_id == user_id]
        newest = sorted(own, key=lambda entry: entry.at, reverse=True)
        return [entry for entry in newest if before is None or entry.at < before][:limit]

    def forget(self, user_id: str) -> None:
        self.asked()
        self.entries = {key: entry for key, entry in self.entries.items() if entry.user_id != user_id}

    def expire(self, before: datetime) -> int:
        self.asked()
        old = [key for key, entry in self.entries.items() if entry.at < before]
        for key in old:
            del self.entries[key]
        return len(old)


class FakeSessions(Store):
    """Sessions in memory, which do not end by themselves."""

    def __init__(self, now: Clock) -> None:
        self._now = now
        self.live: dict[str, Session] = {}

    def open(self, viewer: Viewer, *, ip: str, browser: str) -> NewSession:
        self.asked()
        token = secrets.token_urlsafe(32)
        self.live[token] = Session(viewer, self._now(), self._now() + timedelta(days=30))
        return NewSession(token, self.live[token])

    def find(self, token: str) -> Session | None:
        self.asked()
        return self.live.get(token)

    def close(self, token: str) -> None:
        self.asked()
        self.live.pop(token, None)

    def close_all(self, user_id: str) -> None:
        self.asked()
        self.live = {token: each for token, each in self.live.items() if each.viewer.user_id != user_id}

    def amend(self, viewer: Viewer) -> None:
        self.asked()
        for token, session in self.live.items():
            if session.viewer.user_id == viewer.user_id:
                self.live[token] = replace(session, viewer=viewer)


class FakeLimiter(Store):
    """A limiter in memory."""

    def __init__(self, now: Clock) -> None:
        self._now = now
        self._lock = threading.Lock()
        self.attempts: defaultdict[tuple[str, str], dict[str, datetime]] = defaultdict(dict)
        self._told: dict[tuple[str, str], datetime] = {}

    def reserve(self, counts: Sequence[Count]) -> Attempt | Refusal:
        self.asked()
        now = self._now()
        with self._lock:
            waits = []
            for count in counts:
                window = timedelta(seconds=count.limit.window_s)
                known = self.attempts[count.shard, count.name]
                for attempt_id in [each for each, at in known.items() if at <= now - window]:
                    del known[attempt_id]
                if len(known) >= count.limit.attempts:
                    waits.append(sorted(known.values())[-count.limit.attempts] + window)
            if waits:
                key = counts[0].shard, counts[0].name
                first = self._told.get(key, now) <= now
                if first:
                    self._told[key] = max(waits)
                return Refusal(-(-(max(waits) - now) // timedelta(seconds=1)), first)
            attempt = Attempt(secrets.token_hex(8), tuple(counts))
            for count in counts:
                self.attempts[count.shard, count.name][attempt.attempt_id] = now
            return attempt

    def take_back(self, attempt: Attempt) -> None:
        self.asked()
        for count in attempt.counts:
            self.attempts[count.shard, count.name].pop(attempt.attempt_id, None)

    def succeeded(self, attempt: Attempt) -> None:
        self.take_back(attempt)
        first = attempt.counts[0]
        self.attempts[first.shard, first.name].clear()
        self._told.pop((first.shard, first.name), None)


class FakeQueue(Store):
    """A queue that keeps its messages."""

    def __init__(self) -> None:
        self.messages: list[Mapping[str, object]] = []

    def send(self, message: Mapping[str, object]) -> None:
        self.asked()
        self.messages.append(message)


class CountingPasswords(Passwords):
    """Passwords that tell how often they hashed, and over which hashes they verified."""

    def __init__(self, profile: Parameters = CHEAP) -> None:
        super().__init__(profile, at_once=64)
        self.verified: list[str] = []
        self.hashed = 0

    def verify(self, password_hash: str, password: str) -> bool:
        self.verified.append(password_hash)
        return super().verify(password_hash, password)

    def hash(self, password: str) -> str:
        self.hashed += 1
        return super().hash(password)


@dataclass(frozen=True, slots=True)
class Letter:
    """A letter that was asked for."""

    kind: str
    to: str
    link: str

    @property
    def token(self) -> str:
        return self.link.partition("#token=")[2]


class Post(Store):
    """Letters that were asked for."""

    def __init__(self) -> None:
        self.letters: list[Letter] = []

    def send(self, kind: str, to: str, link: str) -> None:
        self.asked()
        self.letters.append(Letter(kind, to, link))

    def last(self, kind: str) -> Letter:
        return next(letter for letter in reversed(self.letters) if letter.kind == kind)


@dataclass
class World:
    """Accounts over stores in memory."""

    clock: Clock = field(default_factory=Clock)
    logins: FakeLogins = field(default_factory=FakeLogins)
    history: FakeHistory = field(default_factory=FakeHistory)
    queue: FakeQueue = field(default_factory=FakeQueue)
    post: Post = field(default_factory=Post)
    hasher: CountingPasswords = field(default_factory=CountingPasswords)
    resets: list[str] = field(default_factory=list)
    leaving: list[str] = field(default_factory=list)
    limits: PasswordLimits = field(default_factory=PasswordLimits)

    def __post_init__(self) -> None:
        self.sessions = FakeSessions(self.clock)
        self.limiter = FakeLimiter(self.clock)
        self.journal = Journal(
            self.queue.send, self.history, lambda user_id: self.logins.get(user_id) is not None, self.clock
        )
        pseudonym = SignedTokens("k" * 32, self.clock).pseudonym
        self.gate = Gate(self.logins, self.hasher, self.limiter, self.journal, pseudonym, self.limits)
        parts = Parts(
            logins=self.logins,
            sessions=self.sessions,
            hasher=self.hasher,
            gate=self.gate,
            limiter=self.limiter,
            links=Links(self.logins, SITE, self.clock),
            journal=self.journal,
        )
        outside = Outside(
            send_letter=self.post.send,
            start_reset=self.resets.append,
            forget=self.leaving.append,
            pseudonym=pseudonym,
            now=self.clock,
        )
        self.accounts = Accounts(parts, outside)

    def member(self, email: str = "", password: str = PASSWORD) -> Viewer:
        """Register somebody."""
        return self.accounts.register(email or make_email(), password, HOME)

    def settle(self) -> None:
        """Do what waits in the queues."""
        while self.queue.messages:
            self.journal.record(self.queue.messages.pop(0))
        while self.resets:
            self.accounts.start_reset(self.resets.pop(0))
        while self.leaving:
            user_id = self.leaving.pop(0)
            if self.accounts.is_gone(user_id):
                self.history.forget(user_id)
