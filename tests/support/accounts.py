"""Accounts in tests: their stores in memory, cheap hashing, and a class that connects them."""

from __future__ import annotations

import secrets
import threading
import uuid
from collections import defaultdict
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from argon2 import Parameters, Type

from functions.accounts.authentication import Authentication, PasswordLimits
from functions.accounts.hash_queue import UNNAMED, FairQueue
from functions.accounts.known_devices import KnownDevices
from functions.accounts.links import MailedLinks
from functions.accounts.login_history import LoginHistoryService
from functions.accounts.model import (
    LinkPurpose,
    Login,
    LoginHistoryEntry,
    LoginOutcome,
    OpenedSession,
    RequestOrigin,
    Session,
)
from functions.accounts.passwords import Argon2Hasher
from functions.accounts.rate_limits import Refusal, Reservation
from functions.accounts.service import AccountDependencies, AccountParts, AccountService
from functions.platform.errors import AccountStillExists, AddressTaken, StoreUnavailable
from functions.platform.messages import ForgetViewer, RecordLogin, SendMail, StartReset
from functions.platform.signed_tokens import SignedTokens
from tests.support.queues import MemoryQueues

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from functions.accounts.hash_queue import Line
    from functions.accounts.rate_limits import RateLimitBucket
    from functions.platform.messages import Message
    from functions.platform.pagination import TimePosition
    from functions.platform.viewer import Viewer

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
HOME = RequestOrigin("203.0.113.7", "Firefox on Linux")
ELSEWHERE = RequestOrigin("198.51.100.9", "Chrome on Android")
PASSWORD = "seven quiet lanterns"
OTHER_PASSWORD = "nine slow bicycles"
SITE = "https://films.example.org"

CHEAP = Parameters(Type.ID, 19, salt_len=16, hash_len=32, time_cost=1, memory_cost=8, parallelism=1)
"""argon2id with its lowest cost, for tests that do not test hashing."""


def make_email(name: str = "jo") -> str:
    """Return an address that no other test uses."""
    return f"{name}.{uuid.uuid4().hex[:10]}@example.org"


def make_login(email: str = "", **changes: Any) -> Login:
    """Return a stored account."""
    email = email or make_email()
    unusable = Argon2Hasher(CHEAP).unusable()
    return replace(Login(uuid.uuid4().hex, email, email, unusable, False, None, NOON), **changes)


def make_entry(user_id: str, **changes: Any) -> LoginHistoryEntry:
    """Return an entry of the login history."""
    entry = LoginHistoryEntry(uuid.uuid4().hex, user_id, NOON, HOME.ip, HOME.browser, LoginOutcome.SUCCESS)
    return replace(entry, **changes)


class Clock:
    """A clock that only moves on request."""

    def __init__(self, now: datetime = NOON) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def forward(self, **span: float) -> None:
        self.now += timedelta(**span)


class FakeStore:
    """A store that can be unreachable."""

    away = False

    def check(self) -> None:
        """Raise StoreUnavailable if the store is unreachable."""
        if self.away:
            raise StoreUnavailable("The store does not answer.")


class FakeLoginStore(FakeStore):
    """Logins in memory."""

    def __init__(self) -> None:
        self.logins: dict[str, Login] = {}
        self.links: dict[str, tuple[str, LinkPurpose, datetime]] = {}

    def add_login(self, login: Login) -> None:
        self.check()
        if any(other.address == login.address and other.user_id != login.user_id for other in self.logins.values()):
            raise AddressTaken("There is an account of that address already.")
        self.logins.setdefault(login.user_id, login)

    def find_login(self, address: str, dummy_hash: str) -> Login:
        self.check()
        dummy = Login("", address, "", dummy_hash, False, None, NOON)
        return next((login for login in self.logins.values() if login.address == address), dummy)

    def get_login(self, user_id: str) -> Login | None:
        self.check()
        return self.logins.get(user_id)

    def replace_hash(self, user_id: str, *, over: str, new: str) -> bool:
        self.check()
        login = self.logins.get(user_id)
        if login is None or login.password_hash not in (over, new):
            return False
        self.logins[user_id] = replace(login, password_hash=new)
        self._end_links(user_id, LinkPurpose.RESET)
        return True

    def make_administrator(self, user_id: str) -> None:
        self._change(user_id, admin=True)

    def store_link(self, link_hash: str, user_id: str, purpose: LinkPurpose, expires_at: datetime) -> None:
        self.check()
        self.links[link_hash] = (user_id, purpose, expires_at)

    def use_link(self, link_hash: str, purpose: LinkPurpose, now: datetime) -> str | None:
        self.check()
        user_id, of, expires_at = self.links.get(link_hash, ("", purpose, now))
        if of != purpose or expires_at <= now:
            return None
        del self.links[link_hash]
        return user_id

    def confirm_address(self, user_id: str, at: datetime) -> None:
        login = self.get_login(user_id)
        if login and login.confirmed_at is None:
            self._change(user_id, confirmed_at=at)

    def delete_login(self, user_id: str) -> None:
        self.check()
        self.logins.pop(user_id, None)
        for purpose in LinkPurpose:
            self._end_links(user_id, purpose)

    def delete_expired_links(self, now: datetime) -> int:
        self.check()
        over = [key for key, (_, _, expires_at) in self.links.items() if expires_at <= now]
        for key in over:
            del self.links[key]
        return len(over)

    def _end_links(self, user_id: str, purpose: LinkPurpose) -> None:
        self.links = {key: link for key, link in self.links.items() if link[:2] != (user_id, purpose)}

    def _change(self, user_id: str, **changes: Any) -> None:
        self.check()
        if user_id in self.logins:
            self.logins[user_id] = replace(self.logins[user_id], **changes)


class FakeLoginHistoryStore(FakeStore):
    """Login history in memory."""

    def __init__(self) -> None:
        self.entries: dict[str, LoginHistoryEntry] = {}

    def store_entry(self, entry: LoginHistoryEntry) -> None:
        self.check()
        self.entries.setdefault(entry.entry_id, entry)

    def entries_of(self, user_id: str, *, after: TimePosition | None, limit: int) -> list[LoginHistoryEntry]:
        self.check()
        own = [entry for entry in self.entries.values() if entry.user_id == user_id]
        newest = sorted(own, key=lambda entry: (entry.at, entry.entry_id), reverse=True)
        follow = [each for each in newest if after is None or (each.at, each.entry_id) < (after.at, after.entry_id)]
        return follow[:limit]

    def delete_entries_of(self, user_id: str) -> None:
        self.check()
        self.entries = {key: entry for key, entry in self.entries.items() if entry.user_id != user_id}

    def delete_entries_before(self, before: datetime) -> int:
        self.check()
        old = [key for key, entry in self.entries.items() if entry.at < before]
        for key in old:
            del self.entries[key]
        return len(old)


class FakeSessionStore(FakeStore):
    """Sessions in memory, which do not expire."""

    def __init__(self, now: Clock) -> None:
        self._now = now
        self.live: dict[str, Session] = {}

    def open_session(self, viewer: Viewer, *, ip: str, browser: str) -> OpenedSession:
        self.check()
        token = secrets.token_urlsafe(32)
        self.live[token] = Session(viewer, self._now(), self._now() + timedelta(days=30))
        return OpenedSession(token, self.live[token])

    def find_session(self, token: str) -> Session | None:
        self.check()
        return self.live.get(token)

    def end_session(self, token: str) -> None:
        self.check()
        self.live.pop(token, None)

    def end_sessions_of(self, user_id: str) -> None:
        self.check()
        self.live = {token: each for token, each in self.live.items() if each.viewer.user_id != user_id}

    def update_rights(self, viewer: Viewer) -> None:
        self.check()
        for token, session in self.live.items():
            if session.viewer.user_id == viewer.user_id:
                self.live[token] = replace(session, viewer=viewer)


class FakeRateLimiter(FakeStore):
    """A rate limiter in memory."""

    def __init__(self, now: Clock) -> None:
        self._now = now
        self._lock = threading.Lock()
        self.attempts: defaultdict[tuple[str, str], dict[str, datetime]] = defaultdict(dict)
        self._refused: dict[tuple[str, str], datetime] = {}

    def reserve(self, buckets: Sequence[RateLimitBucket]) -> Reservation | Refusal:
        self.check()
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


class FakeQueues(MemoryQueues):
    """Queues in memory that refuse messages of some classes."""

    refused: tuple[type[Message], ...] = ()

    def send(self, message: Message, *, delay_s: int = 0) -> None:
        if isinstance(message, self.refused):
            raise StoreUnavailable(f"The queue {message.QUEUE} does not accept messages.")
        super().send(message, delay_s=delay_s)

    def of[M: Message](self, kind: type[M]) -> list[M]:
        """Return the messages of a class."""
        return [message for message in self.messages if isinstance(message, kind)]


class CountingHasher(Argon2Hasher):
    """A password hasher that counts new hashes, and records the verified hashes and the line of each call."""

    def __init__(self, profile: Parameters = CHEAP, queue: FairQueue | None = None) -> None:
        super().__init__(profile, queue or FairQueue(concurrent=64))
        self.verified: list[str] = []
        self.lines: list[Line] = []
        self.hashed = 0

    def verify(self, password_hash: str, password: str, line: Line = UNNAMED) -> bool:
        self.verified.append(password_hash)
        self.lines.append(line)
        return super().verify(password_hash, password, line)

    def hash(self, password: str, line: Line = UNNAMED) -> str:
        self.hashed += 1
        self.lines.append(line)
        return super().hash(password, line)


def token_of(link: str) -> str:
    """Return the token in a mailed link."""
    return link.partition("#token=")[2]


@dataclass
class World:
    """Accounts with stores in memory."""

    clock: Clock = field(default_factory=Clock)
    logins: FakeLoginStore = field(default_factory=FakeLoginStore)
    history_store: FakeLoginHistoryStore = field(default_factory=FakeLoginHistoryStore)
    queues: FakeQueues = field(default_factory=FakeQueues)
    hasher: CountingHasher = field(default_factory=CountingHasher)
    limits: PasswordLimits = field(default_factory=PasswordLimits)
    forgetters: tuple[Callable[[str], None], ...] = ()

    def __post_init__(self) -> None:
        self.sessions = FakeSessionStore(self.clock)
        self.limiter = FakeRateLimiter(self.clock)
        self.history = LoginHistoryService(
            self.queues, self.history_store, lambda user_id: self.logins.get_login(user_id) is not None, self.clock
        )
        tokens = SignedTokens("k" * 32, self.clock)
        pseudonym = tokens.pseudonym
        self.authentication = Authentication(
            self.logins, self.hasher, self.limiter, self.history, pseudonym, self.limits
        )
        parts = AccountParts(
            logins=self.logins,
            sessions=self.sessions,
            hasher=self.hasher,
            authentication=self.authentication,
            limiter=self.limiter,
            links=MailedLinks(self.logins, SITE, self.clock),
            devices=KnownDevices(tokens, self.clock),
            history=self.history,
        )
        dependencies = AccountDependencies(self.queues, lambda: self.forgetters, pseudonym, self.clock)
        self.accounts = AccountService(parts, dependencies)

    def member(self, email: str = "", password: str = PASSWORD) -> Viewer:
        """Register a viewer."""
        return self.accounts.register(email or make_email(), password, HOME)

    @property
    def emails(self) -> list[SendMail]:
        """Return the emails that were requested."""
        return self.queues.of(SendMail)

    def last_email(self, kind: str) -> SendMail:
        """Return the last email of a kind."""
        return next(email for email in reversed(self.emails) if email.kind == kind)

    def last_token(self, kind: str) -> str:
        """Return the token of the last link that was mailed in an email of a kind."""
        return token_of(self.last_email(kind).link)

    def settle(self) -> None:
        """Handle all messages in the queues except emails."""
        due = [message for message in self.queues.messages if not isinstance(message, SendMail)]
        self.queues.sent = [
            (message, delay_s) for message, delay_s in self.queues.sent if isinstance(message, SendMail)
        ]
        for message in due:
            match message:
                case RecordLogin():
                    self.history.store_attempt(message)
                case StartReset():
                    self.accounts.mail_reset_link(message.email)
                case ForgetViewer():
                    with suppress(AccountStillExists):
                        self.accounts.forget_viewer(message.user_id)
