"""Limits on attempts: how many there may be in how long, and of what they are counted."""

from __future__ import annotations

import math
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address
from typing import TYPE_CHECKING, Protocol

from functions.platform.errors import TooManyAttempts

if TYPE_CHECKING:
    from collections.abc import Sequence

IPV6_NETWORK_BITS = 64
"""What one subscriber is given at the least (RFC 6177), so within it addresses cost nothing."""


@dataclass(frozen=True, slots=True)
class Limit:
    """At most `attempts` in any `window_s` seconds."""

    attempts: int
    window_s: float


PASSWORD_OF_ADDRESS = Limit(5, 60)
PASSWORD_OF_NETWORK = Limit(50, 60)
"""Failed tries: of one address from one network, and of all addresses from it, which may be an office or a campus."""

REGISTRATION = Limit(100, 3600)
"""Of a network. Each tells whether an address is taken and writes to somebody, so a list cannot be tried fast."""

RESET_OF_ADDRESS = Limit(3, 3600)
RESET_OF_NETWORK = Limit(30, 3600)
CONFIRMATION = Limit(5, 3600)
"""Letters: to one address, asked for from one network, and to one account."""

LINK = Limit(30, 60)
"""Tries of mailed links from one network; 256 bits cannot be guessed, this only keeps the store from being asked."""


@dataclass(frozen=True, slots=True)
class Count:
    """What is counted under which limit. Counts that are asked for together have the same `shard`.

    A shard's counts lie on one node of a cluster, where they can be looked at and written in one step.
    """

    shard: str
    name: str
    limit: Limit


@dataclass(frozen=True, slots=True)
class Attempt:
    """An attempt that was let through and is counted, until it is taken back."""

    attempt_id: str
    counts: tuple[Count, ...]


@dataclass(frozen=True, slots=True)
class Refusal:
    """An attempt that was not let through; `first` says that it is the first since the limit was reached."""

    retry_after_s: int
    first: bool

    def error(self, sentence: str) -> TooManyAttempts:
        """Return the error that says so: the sentence, and when to come back."""
        minutes = math.ceil(self.retry_after_s / 60)
        when = f"{self.retry_after_s} seconds" if self.retry_after_s <= 90 else f"{minutes} minutes"
        return TooManyAttempts(f"{sentence} Try again in {when}.", self.retry_after_s)


class Limiter(Protocol):
    """Whoever counts; every method raises StoreUnavailable if it cannot."""

    def reserve(self, counts: Sequence[Count]) -> Attempt | Refusal:
        """Count an attempt under all of the counts, or under none if one of them is full."""

    def take_back(self, attempt: Attempt) -> None:
        """Let the attempt not have been."""

    def succeeded(self, attempt: Attempt) -> None:
        """Take the attempt back, and all others under the first of its counts."""


def require(limiter: Limiter, count: Count, sentence: str) -> None:
    """Count an attempt; raise TooManyAttempts with the sentence if there were too many."""
    outcome = limiter.reserve((count,))
    if isinstance(outcome, Refusal):
        raise outcome.error(sentence)


def network_of(ip: str) -> str:
    """Return what of an address stands for whoever uses it: all of IPv4, the network of IPv6."""
    try:
        address = ip_address(ip)
    except ValueError:
        return ip
    if not isinstance(address, IPv6Address):
        return str(address)
    if address.ipv4_mapped:
        return str(address.ipv4_mapped)
    return f"{IPv6Address(int(address) >> IPV6_NETWORK_BITS << IPV6_NETWORK_BITS)}/{IPV6_NETWORK_BITS}"
