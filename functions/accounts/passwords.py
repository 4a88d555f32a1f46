"""Passwords as hashes: argon2id, few at a time, and the same work for an address that nobody has.

A hash takes 64 MiB, and all of a processor for a tenth of a second or two. So only some run at once, some more wait,
and whoever comes then is asked to come back rather than to take the memory of everybody else.
"""

from __future__ import annotations

import base64
import dataclasses
import logging
import secrets
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

from argon2 import PasswordHasher
from argon2.exceptions import HashingError, InvalidHashError, VerificationError, VerifyMismatchError
from argon2.profiles import RFC_9106_LOW_MEMORY

from functions.accounts.model import Busy

if TYPE_CHECKING:
    from collections.abc import Iterator

    from argon2 import Parameters

log = logging.getLogger(__name__)

PROFILE = dataclasses.replace(RFC_9106_LOW_MEMORY, parallelism=1)
"""64 MiB, 3 passes: the second recommended option of RFC 9106, section 4, in one lane, as an instance has one core."""

AT_ONCE = 2
MOST_WAITING = 8
PATIENCE_S = 10.0


class Passwords:
    """Hashes and verifies; every method that does raises Busy when too many are at it already."""

    def __init__(
        self,
        profile: Parameters = PROFILE,
        *,
        at_once: int = AT_ONCE,
        most_waiting: int = MOST_WAITING,
        patience_s: float = PATIENCE_S,
    ) -> None:
        self._hasher = PasswordHasher.from_parameters(profile)
        self._profile = profile
        self._places = threading.BoundedSemaphore(at_once + most_waiting)
        self._turns = threading.BoundedSemaphore(at_once)
        self._patience_s = patience_s
        self.dummy = self.unusable()

    def hash(self, password: str) -> str:
        """Return a hash with a salt of its own."""
        with self._turn():
            try:
                return self._hasher.hash(password)
            except HashingError:  # no memory
                raise _busy() from None

    def verify(self, password_hash: str, password: str) -> bool:
        """Return whether the hash is of this password, after the same work whatever the answer."""
        with self._turn():
            try:
                return self._hasher.verify(password_hash, password)
            except VerifyMismatchError:
                return False
            except InvalidHashError:
                log.error("A login's hash is not one of argon2; its owner can only reset the password.")
                return False
            except VerificationError:  # no memory
                raise _busy() from None

    def outdated(self, password_hash: str) -> bool:
        """Return whether the hash was made with other parameters than those of today."""
        return self._hasher.check_needs_rehash(password_hash)

    def unusable(self) -> str:
        """Return what has the form of a hash and takes its time to verify, but is of no password that anyone knows."""
        of = self._profile
        salt, digest = (_text(secrets.token_bytes(length)) for length in (of.salt_len, of.hash_len))
        return f"$argon2id$v={of.version}$m={of.memory_cost},t={of.time_cost},p={of.parallelism}${salt}${digest}"

    @contextmanager
    def _turn(self) -> Iterator[None]:
        if not self._places.acquire(blocking=False):
            raise _busy()
        try:
            if not self._turns.acquire(timeout=self._patience_s):
                raise _busy()
            try:
                yield
            finally:
                self._turns.release()
        finally:
            self._places.release()


def _text(raw: bytes) -> str:
    return base64.b64encode(raw).rstrip(b"=").decode()


def _busy() -> Busy:
    return Busy("Too many people log in at this moment; try again in a few seconds.")
