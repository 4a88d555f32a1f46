"""The interfaces that accounts need: stores of logins, login history and sessions, hashing, rate limiting, queues."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from functions.accounts.hash_queue import Line
    from functions.accounts.model import (
        EmailChoices,
        Factor,
        LinkPurpose,
        Login,
        LoginHistoryEntry,
        NewPasskey,
        OpenedSession,
        SecondFactor,
        Session,
    )
    from functions.accounts.profiles import Profile
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

    def list_administrators(self) -> list[Viewer]:
        """Return all administrators, sorted by email address."""

    def emails_of(self, user_ids: Sequence[str]) -> dict[str, str]:
        """Return the email addresses of accounts by their ids, without those that do not exist."""

    def get_email_choices(self, user_id: str) -> EmailChoices:
        """Return which optional emails the account receives; all of them, unless it has chosen otherwise."""

    def set_email_choices(self, user_id: str, choices: EmailChoices) -> None:
        """Store which optional emails the account receives; does nothing for an unknown account."""

    def get_language(self, user_id: str) -> str:
        """Return the code of the language in which the account receives emails; empty if none was chosen."""

    def set_language(self, user_id: str, language: str) -> None:
        """Store the language in which the account receives emails; does nothing for an unknown account."""

    def revoke_administrator(self, user_id: str) -> bool:
        """Take the rights of an administrator away; return whether the account had them."""

    def store_link(self, link_hash: str, user_id: str, purpose: LinkPurpose, expires_at: datetime) -> None:
        """Store the hash of a link; earlier links of the same account stay valid."""

    def renew_link(self, link_hash: str, expires_at: datetime) -> None:
        """Let a link expire at a later time, even if it has expired; does nothing if it was used or deleted."""

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
        """Store an entry; idempotent by its id. A finished login replaces an unfinished one with the same id."""

    def entries_of(self, user_id: str, *, after: TimePosition | None, limit: int) -> list[LoginHistoryEntry]:
        """Return at most `limit` entries of a user after a position, sorted by descending time, then descending id."""

    def delete_entries_of(self, user_id: str) -> None:
        """Delete all entries of a user."""

    def delete_entries_before(self, before: datetime) -> int:
        """Delete the entries that are older than a time; return their number."""


class SecondFactorStore(Protocol):
    """The store of second factors and recovery codes: each method is one procedure. All raise StoreUnavailable."""

    def add_factor(self, factor: SecondFactor, *, most: int, code_hashes: Sequence[str]) -> bool:
        """Store a factor and, if it is the account's first, recovery codes; return whether these codes are stored.

        Idempotent. Raises Conflict if the account has `most` factors, or if another account has this one.
        """

    def list_factors(self, user_id: str) -> list[SecondFactor]:
        """Return the factors of an account, oldest first."""

    def record_use(self, factor: SecondFactor, *, sign_count: int, at: datetime) -> bool:
        """Record a use of a factor; return whether the factor still exists."""

    def remove_factor(self, user_id: str, factor_id: str) -> int:
        """Delete a factor and, if it was the last one, all recovery codes; return the number of remaining factors.

        Raises Conflict for the last factor of an administrator.
        """

    def page_factors(self, after: str, *, limit: int) -> list[SecondFactor]:
        """Return at most `limit` factors of any account, with factor ids greater than `after`, sorted by id."""

    def replace_secret(self, factor: SecondFactor, new: str) -> None:
        """Replace the encrypted secret of a factor by `new`, unless it has changed since the factor was read."""

    def remove_factors(self, user_id: str) -> None:
        """Delete all factors and recovery codes of an account."""

    def replace_recovery_codes(self, user_id: str, code_hashes: Sequence[str]) -> None:
        """Replace the recovery codes of an account."""

    def count_recovery_codes(self, user_id: str) -> int:
        """Return the number of unused recovery codes."""

    def use_recovery_code(self, user_id: str, code_hash: str) -> bool:
        """Invalidate a recovery code; return whether it was valid."""


class ProfileStore(Protocol):
    """The store of profiles: each method is one procedure. All raise StoreUnavailable."""

    def list_profiles(self, user_id: str) -> list[Profile]:
        """Return the stored profiles of an account, its own first, then the oldest first."""

    def add_profile(self, profile: Profile) -> bool:
        """Store a profile; return whether it is stored: not for a deleted account. Idempotent.

        Raises Conflict if the account has MOST_PROFILES.
        """

    def change_profile(self, profile: Profile) -> bool:
        """Change a profile, or store the account's own; return whether it exists."""

    def delete_profile(self, profile: Profile) -> None:
        """Delete a profile; idempotent."""

    def is_in_use(self, profile_id: str) -> bool:
        """Return whether a profile exists and its account does, too."""

    def forget_profiles(self, user_id: str) -> None:
        """Delete the profiles of a deleted account; does nothing while the account exists."""


class UsedCodes(Protocol):
    """Remembers used codes."""

    def claim(self, name: str, *, for_s: int) -> bool:
        """Return whether this is the first claim of a name within `for_s` seconds. Raises StoreUnavailable."""


class PasskeyCeremonies(Protocol):
    """Creates the options of WebAuthn ceremonies and verifies the browser's answers, in the JSON forms of WebAuthn."""

    def creation_options(
        self, challenge: bytes, *, user_id: str, email: str, existing: Sequence[str]
    ) -> Mapping[str, Any]:
        """Return options to create a passkey; `existing` are the account's credential ids."""

    def request_options(self, challenge: bytes, credential_ids: Sequence[str]) -> Mapping[str, Any]:
        """Return options to ask for one of the passkeys."""

    def verify_creation(self, answer: Mapping[str, Any], challenge: bytes) -> NewPasskey:
        """Return the passkey that the browser created. Raises Malformed."""

    def verify_use(self, answer: Mapping[str, Any], challenge: bytes, *, public_key: bytes, sign_count: int) -> int:
        """Return the new sign count of a passkey that signed a challenge. Raises WrongSecondFactor."""


class SessionStore(Protocol):
    """The store of sessions; every method raises StoreUnavailable."""

    def open_session(self, viewer: Viewer, *, ip: str, browser: str, factor: Factor) -> OpenedSession:
        """Open a session under a new token; `factor` is the second factor that the login proved."""

    def find_session(self, token: str) -> Session | None:
        """Return the live session of a token and restart its idle period; None if there is none."""

    def end_session(self, token: str) -> None:
        """End the session of a token; idempotent."""

    def end_sessions_of(self, user_id: str) -> None:
        """End every session of an account, or every session that uses a profile, whose id is given instead."""

    def update_rights(self, viewer: Viewer) -> None:
        """Update the rights in all live sessions of an account: administrator or not, confirmed or not."""

    def use_profile(self, token: str, profile_id: str, *, age_limit: int | None) -> None:
        """Let a live session use a profile, the account's own if the id is empty; restores no ended session.

        While a session uses another profile than the account's own, nobody is an administrator in it.
        """

    def update_age_limit(self, profile_id: str, age_limit: int | None) -> None:
        """Update the limit in all live sessions that use a profile."""


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
