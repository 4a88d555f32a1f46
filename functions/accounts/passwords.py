"""Password hashing with argon2id, with limited concurrency and equal work for addresses without an account.

A hash takes 64 MiB and 0.1 to 0.2 s of a processor. Only a few hashes therefore run at once, and some more wait in a
fair queue. Any further call is refused with Busy, because it would exhaust the memory.
"""

from __future__ import annotations

import base64
import dataclasses
import logging
import secrets
from contextlib import contextmanager
from typing import TYPE_CHECKING

from argon2 import PasswordHasher as Argon2
from argon2.exceptions import HashingError, InvalidHashError, VerificationError, VerifyMismatchError
from argon2.profiles import RFC_9106_LOW_MEMORY

from functions.accounts.hash_queue import UNNAMED, FairQueue, HashTicketState
from functions.platform.errors import Busy

if TYPE_CHECKING:
    from collections.abc import Iterator

    from argon2 import Parameters

    from functions.accounts.hash_queue import Line

log = logging.getLogger(__name__)

PROFILE = dataclasses.replace(RFC_9106_LOW_MEMORY, parallelism=1)
"""64 MiB, 3 passes: the second recommended option of RFC 9106, section 4, with one lane for an instance's one core."""

LONGEST_WAIT_S = 10.0


class Argon2Hasher:
    """The password hasher based on argon2id; safe to share among threads."""

    def __init__(
        self,
        profile: Parameters = PROFILE,
        queue: FairQueue | None = None,
        *,
        longest_wait_s: float = LONGEST_WAIT_S,
    ) -> None:
        self._argon2 = Argon2.from_parameters(profile)
        self._profile = profile
        self._queue = queue or FairQueue()
        self._longest_wait_s = longest_wait_s
        self.dummy = self.unusable()

    def hash(self, password: str, line: Line = UNNAMED) -> str:
        with self._slot(line):
            try:
                return self._argon2.hash(password)
            except HashingError:  # no memory
                raise _busy() from None

    def verify(self, password_hash: str, password: str, line: Line = UNNAMED) -> bool:
        with self._slot(line):
            try:
                self._argon2.verify(password_hash, password)
            except VerifyMismatchError:
                return False
            except InvalidHashError:
                log.error("A stored password hash is not a valid argon2 hash; the account needs a password reset.")
                return False
            except VerificationError:  # no memory
                raise _busy() from None
            self._queue.forgive(line)
            return True

    def outdated(self, password_hash: str) -> bool:
        return self._argon2.check_needs_rehash(password_hash)

    def unusable(self) -> str:
        profile = self._profile
        salt, digest = (_base64(secrets.token_bytes(length)) for length in (profile.salt_len, profile.hash_len))
        cost = f"m={profile.memory_cost},t={profile.time_cost},p={profile.parallelism}"
        return f"$argon2id$v={profile.version}${cost}${salt}${digest}"

    @contextmanager
    def _slot(self, line: Line) -> Iterator[None]:
        """Wait until this hash may run. Raises Busy if there is no place to wait, or after LONGEST_WAIT_S."""
        ticket = self._queue.enter(line)
        try:
            ticket.settled.wait(self._longest_wait_s)
            if ticket.state is not HashTicketState.RUNNING:
                raise _busy()
            yield
        finally:
            self._queue.leave(ticket)


def _base64(raw: bytes) -> str:
    return base64.b64encode(raw).rstrip(b"=").decode()


def _busy() -> Busy:
    return Busy("Many people are logging in right now. Try again in a few seconds.")
