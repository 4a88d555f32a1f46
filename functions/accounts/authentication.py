"""Authentication by password: the one place where a password is verified.

The attempt is counted before anything else. After that, every address causes the same work: one lookup, one hash, one
message with the outcome. The time of the response therefore does not reveal whether an address has an account.
"""

from __future__ import annotations

import logging
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from functions.accounts.hash_queue import Line
from functions.accounts.login_history import NOBODY
from functions.accounts.model import LoginOutcome
from functions.accounts.password_policy import normalize_password
from functions.accounts.rate_limits import (
    BUSY_OF_NETWORK,
    PASSWORD_OF_ADDRESS,
    PASSWORD_OF_NETWORK,
    RateLimit,
    RateLimitBucket,
    Refusal,
    network_of,
    site_of,
)
from functions.platform.errors import Busy, StoreUnavailable, WrongCredentials

if TYPE_CHECKING:
    from collections.abc import Callable

    from functions.accounts.addresses import EmailAddress
    from functions.accounts.login_history import LoginHistoryService
    from functions.accounts.model import Login, RequestOrigin
    from functions.accounts.ports import LoginStore, PasswordHasher, RateLimiter

log = logging.getLogger(__name__)

BUSY = "password-busy"


@dataclass(frozen=True, slots=True)
class PasswordLimits:
    """Limits per network: failed attempts for one address, failed attempts in total, and attempts refused as Busy."""

    of_address: RateLimit = PASSWORD_OF_ADDRESS
    of_network: RateLimit = PASSWORD_OF_NETWORK
    busy_of_network: RateLimit = BUSY_OF_NETWORK


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

    def authenticate(self, address: EmailAddress, typed: str, origin: RequestOrigin, *, known: bool = False) -> Login:
        """Return the login with this address and password; with `known`, the attempt has priority in the hash queue.

        Raises WrongCredentials, TooManyAttempts (even for the right password), Busy, StoreUnavailable, and Malformed
        for a password that no account can have.
        """
        password = normalize_password(typed)
        network, pseudonym, limits = network_of(origin.ip), self._pseudonym(address.key), self._limits
        line = Line(pseudonym, known=True) if known else Line(site_of(origin.ip))
        buckets = (
            RateLimitBucket(network, f"password:{pseudonym}", limits.of_address),
            RateLimitBucket(network, "password", limits.of_network),
            RateLimitBucket(network, BUSY, limits.busy_of_network, only_checked=True),
        )
        reservation = self._limiter.reserve(buckets)
        if isinstance(reservation, Refusal):
            if reservation.first:
                self._record_limited(address, origin)
            raise reservation.error("Too many failed attempts.")
        try:
            login = self._logins.find_login(address.key, self._hasher.dummy)
            right = self._hasher.verify(login.password_hash, password, line)
        except StoreUnavailable as error:
            with suppress(StoreUnavailable):  # nothing was verified, so this is no failed attempt
                self._limiter.cancel(reservation)
                if isinstance(error, Busy):
                    self._limiter.reserve((RateLimitBucket(network, BUSY, limits.busy_of_network),))
            raise
        if not (right and login.user_id):
            self._history.record_attempt(login.user_id or NOBODY, origin, LoginOutcome.WRONG_PASSWORD)
            raise WrongCredentials("The email address or the password is wrong.")
        self._limiter.record_success(reservation)
        return login

    def line_of(self, login: Login) -> Line:
        """Return the hash queue's line for somebody who has already proved that the account is theirs."""
        return Line(self._pseudonym(login.address), known=True)

    def still_valid(self, login: Login, current: Login | None, typed: str) -> bool:
        """Return whether a password that was verified for `login` is also valid for the account as stored now."""
        if current is None:
            return False
        same = current.password_hash == login.password_hash
        return same or self._hasher.verify(current.password_hash, normalize_password(typed), self.line_of(login))

    def renew_hash(self, login: Login, typed: str) -> None:
        """Hash the password again if the parameters have changed; if this fails, the next login tries again."""
        if self._hasher.outdated(login.password_hash):
            try:
                new = self._hasher.hash(normalize_password(typed), self.line_of(login))
                self._logins.replace_hash(login.user_id, over=login.password_hash, new=new)
            except StoreUnavailable as error:
                log.warning("A password hash with old parameters could not be replaced: %s", error.detail)

    def _record_limited(self, address: EmailAddress, origin: RequestOrigin) -> None:
        """Record the first attempt that a limit refuses; the limit applies even if recording fails."""
        with suppress(StoreUnavailable):
            login = self._logins.find_login(address.key, self._hasher.dummy)
            self._history.record_attempt(login.user_id or NOBODY, origin, LoginOutcome.LIMITED)
