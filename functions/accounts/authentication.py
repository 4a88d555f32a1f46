"""The gate: the one place where a password is asked for and compared.

A try is counted before anything else is done. Then the same happens for every address: one look-up, one hash, one
message of what came of it. Whether there is an account of the address shows in nothing.
"""

from __future__ import annotations

import logging
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from functions.accounts.login_history import NOBODY
from functions.accounts.model import Outcome
from functions.accounts.password_policy import given_password
from functions.accounts.rate_limits import PASSWORD_OF_ADDRESS, PASSWORD_OF_NETWORK, Count, Limit, Refusal, network_of
from functions.platform.errors import StoreUnavailable, WrongCredentials

if TYPE_CHECKING:
    from collections.abc import Callable

    from functions.accounts.addresses import Address
    from functions.accounts.login_history import Journal
    from functions.accounts.model import Login, Logins, Origin
    from functions.accounts.rate_limits import Limiter

log = logging.getLogger(__name__)


class Hasher(Protocol):
    """Whoever hashes passwords; those that do the work raise Busy."""

    @property
    def dummy(self) -> str:
        """Return a hash of no password that anyone knows, to be verified where there is no account."""

    def hash(self, password: str) -> str:
        """Return a hash of the password."""

    def verify(self, password_hash: str, password: str) -> bool:
        """Return whether the hash is of the password."""

    def outdated(self, password_hash: str) -> bool:
        """Return whether the hash should be made anew."""

    def unusable(self) -> str:
        """Return a new hash of no password."""


@dataclass(frozen=True, slots=True)
class PasswordLimits:
    """How many failed tries there may be: of one address from one network, and from one network in all."""

    of_address: Limit = PASSWORD_OF_ADDRESS
    of_network: Limit = PASSWORD_OF_NETWORK


class Gate:
    """Compares passwords. `pseudonym` disguises an address for the limiter."""

    def __init__(
        self,
        logins: Logins,
        hasher: Hasher,
        limiter: Limiter,
        journal: Journal,
        pseudonym: Callable[[str], str],
        limits: PasswordLimits | None = None,
    ) -> None:
        self._logins = logins
        self._hasher = hasher
        self._limiter = limiter
        self._journal = journal
        self._pseudonym = pseudonym
        self._limits = limits or PasswordLimits()

    def admit(self, address: Address, typed: str, origin: Origin) -> Login:
        """Return the login whose address and password these are.

        Raises WrongCredentials, TooManyAttempts (the right password is refused then, too), Busy, StoreUnavailable, and
        Malformed for what can be nobody's password.
        """
        password = given_password(typed)
        network = network_of(origin.ip)
        counts = (
            Count(network, f"password:{self._pseudonym(address.key)}", self._limits.of_address),
            Count(network, "password", self._limits.of_network),
        )
        attempt = self._limiter.reserve(counts)
        if isinstance(attempt, Refusal):
            if attempt.first:
                self._note_limited(address, origin)
            raise attempt.error("There were too many failed tries.")
        try:
            login = self._logins.find(address.key, self._hasher.dummy)
            right = self._hasher.verify(login.password_hash, password)
        except StoreUnavailable:
            with suppress(StoreUnavailable):  # nobody has compared anything, so it was no try
                self._limiter.take_back(attempt)
            raise
        if not (right and login.user_id):
            self._journal.note(login.user_id or NOBODY, origin, Outcome.WRONG_PASSWORD)
            raise WrongCredentials("The address or the password is wrong.")
        self._limiter.succeeded(attempt)
        return login

    def still(self, login: Login, current: Login | None, typed: str) -> bool:
        """Return whether the password that opened `login` opens what the store holds of it `current`ly."""
        if current is None:
            return False
        same = current.password_hash == login.password_hash
        return same or self._hasher.verify(current.password_hash, given_password(typed))

    def renew(self, login: Login, typed: str) -> None:
        """Hash the password of a login anew if the parameters have changed since; what fails is done next time."""
        if self._hasher.outdated(login.password_hash):
            try:
                new = self._hasher.hash(given_password(typed))
                self._logins.replace_hash(login.user_id, over=login.password_hash, new=new)
            except StoreUnavailable as error:
                log.warning("A hash with old parameters stays for now: %s", error.detail)

    def _note_limited(self, address: Address, origin: Origin) -> None:
        """Note the first try that a block refused, for both kinds of address alike; the block stands in any case."""
        with suppress(StoreUnavailable):
            login = self._logins.find(address.key, self._hasher.dummy)
            self._journal.note(login.user_id or NOBODY, origin, Outcome.LIMITED)
