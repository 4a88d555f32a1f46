"""The interfaces that accounts need: stores of logins, login history and sessions, hashing, rate limiting, queues."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from functions.accounts.hash_queue import Line
    from functions.accounts.model import (
        LinkPurpose,
        Login,
        LoginHistoryEntry,
        OpenedSession,
        Session,
    )
    from functions.accounts.rate_limits import RateLimitBucket, Refusal, Reservation
    from functions.platform.messages import Message
    from functions.platform.pagination import TimePosition
    from functions.platform.viewer import Viewer


class LoginStore(Protocol):
    """The store of logins: each method is one stored procedure. All raise StoreUnavailable."""

    def add_login(self, login: Login) -> None:
        """Store a new login. Raises AddressTaken. Repeating the call changes nothing."""

    def find_login(self, address: str, dummy_hash: str) -> Login:
        """Return the login of an address; for an unknown address, a login without id and with `dummy_hash`."""

    def get_login(self, user_id: str) -> Login | None:
        """Return the login with this id."""

    def replace_hash(self, user_id: str, *, over: str, new: str) -> bool:
        """Replace the password hash `over` by `new`, and end all reset links; return whether the hash is now `new`."""

    def make_administrator(self, user_id: str) -> None:
        """Make the account an administrator."""

    def store_link(self, link_hash: str, user_id: str, purpose: LinkPurpose, expires_at: datetime) -> None:
        """Store the hash of a link; earlier links of the same account stay valid."""

    def use_link(self, link_hash: str, purpose: LinkPurpose, now: datetime) -> str | None:
        """Invalidate a link and return its user id; None if it is unknown, used, expired or for another purpose."""

    def confirm_address(self, user_id: str, at: datetime) -> None:
        """Record when the address was confirmed; if a time is already recorded, it is kept."""

    def delete_login(self, user_id: str) -> None:
        """Delete the account and its links; idempotent."""

    def delete_expired_links(self, now: datetime) -> int:
        """Delete expired links; return their number."""


class LoginHistoryStore(Protocol):
    """The store of login history: each method is one stored procedure. All raise StoreUnavailable."""

    def store_entry(self, entry: LoginHistoryEntry) -> None:
        """Store an entry; idempotent by its id."""

    def entries_of(self, user_id: str, *, after: TimePosition | None, limit: int) -> list[LoginHistoryEntry]:
        """Return at most `limit` entries of a user after a position, sorted by descending time, then descending id."""

    def delete_entries_of(self, user_id: str) -> None:
        """Delete all entries of a user."""

    def delete_entries_before(self, before: datetime) -> int:
        """Delete the entries that are older than a time; return their number."""


class SessionStore(Protocol):
    """The store of sessions; every method raises StoreUnavailable."""

    def open_session(self, viewer: Viewer, *, ip: str, browser: str) -> OpenedSession:
        """Open a session under a new token."""

    def find_session(self, token: str) -> Session | None:
        """Return the live session of a token and restart its idle period; None if there is none."""

    def end_session(self, token: str) -> None:
        """End the session of a token; idempotent."""

    def end_sessions_of(self, user_id: str) -> None:
        """End every session of an account."""

    def update_rights(self, viewer: Viewer) -> None:
        """Update the rights in all live sessions of an account: administrator or not, confirmed or not."""


class PasswordHasher(Protocol):
    """Hashes and verifies passwords; `hash` and `verify` wait in `line`, and raise Busy if too many calls wait."""

    @property
    def dummy(self) -> str:
        """Return a hash that matches no known password, for verification if an address has no account."""

    def hash(self, password: str, line: Line) -> str:
        """Return a hash of the password with a new salt."""

    def verify(self, password_hash: str, password: str, line: Line) -> bool:
        """Return whether the password matches the hash; both results take the same time."""

    def outdated(self, password_hash: str) -> bool:
        """Return whether the hash was made with parameters other than the current ones."""

    def unusable(self) -> str:
        """Return a new hash that matches no known password and takes as long to verify as any other."""


class RateLimiter(Protocol):
    """Counts attempts; every method takes one round trip and raises StoreUnavailable."""

    def reserve(self, buckets: Sequence[RateLimitBucket]) -> Reservation | Refusal:
        """Count an attempt in all buckets, which have the same shard, or in none if one of them is full.

        If a bucket is `only_checked`, it refuses the attempt when it is full, but does not count the attempt.
        """

    def cancel(self, reservation: Reservation) -> None:
        """Undo the attempt."""

    def record_success(self, reservation: Reservation) -> None:
        """Undo the attempt and all other attempts in the first of its buckets."""


class MessageSender(Protocol):
    """Sends messages to queues."""

    def send(self, message: Message, *, delay_s: int = 0) -> None:
        """Enqueue a message that stays invisible for `delay_s` seconds. Raises StoreUnavailable."""
