"""Authentication by password: the one place where a password is verified.

The attempt is counted before anything else. After that, every address causes the same work: one lookup, one hash, one
message with the outcome. The time of the response therefore does not reveal whether an address has an account.

Guessing one account's password from many networks is slowed down, but never locks the account. Attempts from each known
device and from the account's own sessions are counted separately, and every network keeps one attempt.
"""

from __future__ import annotations

import logging
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from functions.accounts.hash_queue import Line
from functions.accounts.login_history import NOBODY
from functions.accounts.model import LoginOutcome
from functions.accounts.password_policy import normalize_password
from functions.accounts.rate_limits import (
    BUSY_OF_NETWORK,
    GUESSES_OF_ACCOUNT,
    GUESSES_WHILE_SLOW,
    KNOWN_DEVICE,
    PASSWORD_OF_ADDRESS,
    PASSWORD_OF_NETWORK,
    RateLimit,
    RateLimitBucket,
    Refusal,
    network_buckets,
    site_of,
)
from functions.platform.errors import Busy, StoreUnavailable, WrongCredentials

if TYPE_CHECKING:
    from collections.abc import Callable

    from functions.accounts.addresses import EmailAddress
    from functions.accounts.login_history import LoginHistoryService
    from functions.accounts.model import Login, RequestOrigin
    from functions.accounts.ports import LoginStore, PasswordHasher, RateLimiter
    from functions.accounts.rate_limits import Reservation

log = logging.getLogger(__name__)

BUSY = "password-busy"
GUESSES = "guesses"
SESSION = "session"
"""The value of `known` for somebody who is logged in and enters the password again. All sessions of an account count
together, because whoever has stolen one may use it from any number of networks."""


@dataclass(frozen=True, slots=True)
class PasswordLimits:
    """Limits on failed attempts.

    Each limit except `of_account` applies to the attempts from one network:
    - `of_address`: for one address
    - `of_network`: for all addresses together
    - `busy_of_network`: refused as Busy
    - `of_known`: for one address, from known devices and sessions
    - `while_slow`: for one address whose password is being guessed

    A password counts as being guessed after `of_account` failures in all networks together. Unknown devices, each known
    device, and sessions are counted separately.
    """

    of_address: RateLimit = PASSWORD_OF_ADDRESS
    of_network: RateLimit = PASSWORD_OF_NETWORK
    busy_of_network: RateLimit = BUSY_OF_NETWORK
    of_known: RateLimit = KNOWN_DEVICE
    while_slow: RateLimit = GUESSES_WHILE_SLOW
    of_account: RateLimit = GUESSES_OF_ACCOUNT


class Authentication:
    """Verifies passwords. `pseudonym` replaces an address in the rate limiter."""

    def __init__(
        self,
        logins: LoginStore,
        hasher: PasswordHasher,
        limiter: RateLimiter,
        history: LoginHistoryService,
        pseudonym: Callable[[str], str],
        limits: PasswordLimits | None = None,
    ) -> None:
        self._logins = logins
        self._hasher = hasher
        self._limiter = limiter
        self._history = history
        self._pseudonym = pseudonym
        self._limits = limits or PasswordLimits()

    def authenticate(self, address: EmailAddress, typed: str, origin: RequestOrigin, *, known: str = "") -> Login:
        """Return the login with this address and password.

        `known` is what makes the caller known: the id of a known device, or SESSION. If it is set, the attempt has
        priority in the hash queue, and its failures count only against callers with the same `known`. Raises
        WrongCredentials, TooManyAttempts (even for the right password), Busy, StoreUnavailable, and Malformed for a
        password that no account can have.
        """
        password = normalize_password(typed)
        pseudonym, limits = self._pseudonym(address.key), self._limits
        line = Line(pseudonym, known=True) if known else Line(site_of(origin.ip))
        reserved = self._reserve(pseudonym, origin.ip, known)
        if isinstance(reserved, Refusal):
            if reserved.first:
                self._record_limited(address, origin)
            raise reserved.error("Too many failed attempts.")
        try:
            login = self._logins.find_login(address.key, self._hasher.dummy)
            right = self._hasher.verify(login.password_hash, password, line)
        except StoreUnavailable as error:
            with suppress(StoreUnavailable):  # nothing was verified, so this is not a failed attempt
                for reservation in reserved:
                    self._limiter.cancel(reservation)
                if isinstance(error, Busy) and not known:
                    self._limiter.reserve(network_buckets(origin.ip, BUSY, limits.busy_of_network))
            raise
        if not (right and login.user_id):
            with suppress(StoreUnavailable):
                self._limiter.reserve((RateLimitBucket(pseudonym, _name(GUESSES, known), limits.of_account),))
            self._history.record_attempt(login.user_id or NOBODY, origin, LoginOutcome.WRONG_PASSWORD)
            raise WrongCredentials("The email address or the password is wrong.")
        for reservation in reserved:
            self._limiter.record_success(reservation)
        return login

    def _reserve(self, pseudonym: str, ip: str, known: str) -> tuple[Reservation, ...] | Refusal:
        """Count an attempt; the first bucket of each reservation is the one that a success clears."""
        limits = self._limits
        first = self._limiter.reserve(
            network_buckets(ip, f"password-known:{pseudonym}", limits.of_known)
            if known
            else (
                *network_buckets(ip, f"password:{pseudonym}", limits.of_address),
                *network_buckets(ip, "password", limits.of_network),
                *network_buckets(ip, BUSY, limits.busy_of_network, only_checked=True),
            )
        )
        if isinstance(first, Refusal):
            return first
        guesses = RateLimitBucket(pseudonym, _name(GUESSES, known), limits.of_account, only_checked=True)
        if not isinstance(self._limiter.reserve((guesses,)), Refusal):
            return (first,)
        slow = self._limiter.reserve(network_buckets(ip, _name(f"password-slow:{pseudonym}", known), limits.while_slow))
        if isinstance(slow, Refusal):
            self._limiter.cancel(first)  # nothing is verified, so this is not a failed attempt
            return slow
        return first, slow

    def line_of(self, login: Login) -> Line:
        """Return the hash queue's line for somebody who has already proved that the account is theirs."""
        return Line(self._pseudonym(login.address), known=True)

    def still_valid(self, login: Login, current: Login | None, typed: str) -> bool:
        """Return whether a password that was verified for `login` is also valid for the account as stored now."""
        if current is None:
            return False
        same = current.password_hash == login.password_hash
        return same or self._hasher.verify(current.password_hash, normalize_password(typed), self.line_of(login))

    def renew_hash(self, login: Login, typed: str) -> Login:
        """Hash the password again if the parameters have changed, and return the login with the hash as stored.

        If this fails, the next login tries again.
        """
        if self._hasher.outdated(login.password_hash):
            try:
                new = self._hasher.hash(normalize_password(typed), self.line_of(login))
                if self._logins.replace_hash(login.user_id, over=login.password_hash, new=new):
                    return replace(login, password_hash=new)
            except StoreUnavailable as error:
                log.warning("A password hash with old parameters could not be replaced: %s", error.detail)
        return login

    def _record_limited(self, address: EmailAddress, origin: RequestOrigin) -> None:
        """Record the first attempt that a limit refuses; the limit applies even if recording fails."""
        with suppress(StoreUnavailable):
            login = self._logins.find_login(address.key, self._hasher.dummy)
            self._history.record_attempt(login.user_id or NOBODY, origin, LoginOutcome.LIMITED)


def _name(bucket: str, known: str) -> str:
    """Return the name of a bucket that everybody with the same `known` shares."""
    return f"{bucket}:{known}" if known else bucket
