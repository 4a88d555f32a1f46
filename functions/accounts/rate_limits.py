"""Rate limits: how many attempts are allowed per time window, and by which key they are counted."""

from __future__ import annotations

import math
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address
from typing import TYPE_CHECKING

from functions.platform.errors import TooManyAttempts

if TYPE_CHECKING:
    from functions.accounts.ports import RateLimiter

IPV6_NETWORK_BITS = 64
"""The smallest network assigned to a subscriber (RFC 6177), who can use any address in it at no cost."""

IPV6_SITE_BITS = 48
"""The largest network that a site is usually assigned (RFC 6177, section 2)."""


@dataclass(frozen=True, slots=True)
class RateLimit:
    """At most `attempts` in any `window_s` seconds."""

    attempts: int
    window_s: float


PASSWORD_OF_ADDRESS = RateLimit(5, 60)
PASSWORD_OF_NETWORK = RateLimit(50, 60)
"""Failed logins: the limit for one address from one network, and a higher limit for all addresses from one network,
because many people may share it (in an office, for example)."""

BUSY_OF_NETWORK = RateLimit(30, 60)
"""Attempts from one network that were refused as Busy; generous, because they count towards no other limit."""

REGISTRATION = RateLimit(100, 3600)
"""Registrations from one network. Each reveals whether an address is taken and sends an email."""

RESET_OF_ADDRESS = RateLimit(3, 1800)
RESET_OF_NETWORK = RateLimit(30, 3600)
CONFIRMATION = RateLimit(5, 3600)
"""Emails: reset links to one address, reset links requested from one network, confirmation links of one account.

A reset link stays valid for as long as it counts towards its limit, so a person who is refused another link still has a
valid one in the inbox.
"""

UNCONFIRMED_TAGS_OF_INBOX = RateLimit(5, 3600)
"""Emails to the unconfirmed addresses of one inbox, which anybody can register by varying the `+tag`."""

LINK = RateLimit(30, 60)
"""Uses of mailed links from one network; 256-bit tokens cannot be guessed, so this only limits the store's load."""


@dataclass(frozen=True, slots=True)
class RateLimitBucket:
    """A key by which attempts are counted, and its limit. Buckets that are reserved together have the same `shard`.

    The buckets of a shard are on one node of a cluster, where they can be checked and written in one step. An attempt
    is not counted in a bucket that is `only_checked`.
    """

    shard: str
    name: str
    limit: RateLimit
    only_checked: bool = False


@dataclass(frozen=True, slots=True)
class Reservation:
    """An accepted attempt, which counts until it is cancelled."""

    attempt_id: str
    buckets: tuple[RateLimitBucket, ...]


@dataclass(frozen=True, slots=True)
class Refusal:
    """A refused attempt; `first` is true for the first refused attempt since the limit was reached."""

    retry_after_s: int
    first: bool

    def error(self, sentence: str) -> TooManyAttempts:
        """Return an error whose detail is the sentence and the time to wait."""
        minutes = math.ceil(self.retry_after_s / 60)
        unit = "second" if self.retry_after_s == 1 else "seconds"
        when = f"{self.retry_after_s} {unit}" if self.retry_after_s <= 90 else f"{minutes} minutes"
        return TooManyAttempts(f"{sentence} Try again in {when}.", self.retry_after_s)


def require(limiter: RateLimiter, bucket: RateLimitBucket, sentence: str) -> None:
    """Count an attempt; if there are too many, raise TooManyAttempts, whose detail begins with the sentence."""
    outcome = limiter.reserve((bucket,))
    if isinstance(outcome, Refusal):
        raise outcome.error(sentence)


def network_of(ip: str) -> str:
    """Return the network by which an IP address is counted: the address itself for IPv4, its /64 for IPv6."""
    return _network(ip, IPV6_NETWORK_BITS)


def site_of(ip: str) -> str:
    """Return the network in whose line an IP address waits: the address itself for IPv4, its /48 for IPv6."""
    return _network(ip, IPV6_SITE_BITS)


def _network(ip: str, ipv6_bits: int) -> str:
    try:
        address = ip_address(ip)
    except ValueError:
        return ip
    if not isinstance(address, IPv6Address):
        return str(address)
    if address.ipv4_mapped:
        return str(address.ipv4_mapped)
    rest = 128 - ipv6_bits
    return f"{IPv6Address(int(address) >> rest << rest)}/{ipv6_bits}"
