"""Accounts in tests: people, their devices and passwords, and a store that can be unreachable."""

from __future__ import annotations

import hashlib
import uuid
from dataclasses import replace
from datetime import timedelta
from typing import Any

from argon2 import Parameters, Type

from functions.accounts.model import Login, LoginHistoryEntry, LoginOutcome, RequestOrigin
from functions.accounts.passwords import Argon2Hasher
from functions.platform.errors import StoreUnavailable
from tests.support.clock import NOON

LATER = NOON + timedelta(minutes=30)
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


def make_hash() -> str:
    """Return the hash of a link or of a code that no other test uses."""
    return hashlib.sha256(uuid.uuid4().bytes).hexdigest()


class FakeStore:
    """A store that can be unreachable."""

    away = False

    def check(self) -> None:
        """Raise StoreUnavailable if the store is unreachable."""
        if self.away:
            raise StoreUnavailable("The store does not answer.")


def token_of(link: str) -> str:
    """Return the token in a mailed link."""
    return link.partition("#token=")[2]
