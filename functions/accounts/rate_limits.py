"""Rate limits: how many attempts are allowed per time window, and by which key they are counted."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address
from typing import TYPE_CHECKING

from functions.platform.errors import TooManyAttempts
from functions.platform.time import wait_text

if TYPE_CHECKING:
    from collections.abc import Sequence

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
"""Failed logins from one network: the limit for one address, and the limit for all addresses together. The latter is
higher, because many people may share a network (in an office, for example)."""

BUSY_OF_NETWORK = RateLimit(30, 60)
"""Attempts from one network that were refused as Busy; generous, because they count towards no other limit."""

GUESSES_OF_ACCOUNT = RateLimit(20, 900)
"""Failed attempts for one address in all networks. Unknown devices, each known device, and the account's sessions are
counted separately. GUESSES_WHILE_SLOW applies to whichever of them has reached this limit."""

GUESSES_WHILE_SLOW = RateLimit(1, 900)
"""Attempts in one network for an address whose password is being guessed from many networks.

Each network still has one attempt, which is enough with the right password. The owner of the account needs it on a new
device, or if a thief guesses with the owner's stolen session or device token. An owner who mistypes the password can
reset it, which ends all sessions and makes their device known.
"""

KNOWN_DEVICE = RateLimit(5, 60)
"""Failed attempts for one address from known devices and sessions in one network. Unknown devices do not count."""

CODE_OF_ACCOUNT = RateLimit(10, 3600)
"""Wrong codes of authenticator apps for one account, counted separately for known devices and for all others.

A guess is right with a probability of 3 in a million, so the probability that one of a day's 480 guesses is right is 1
in 700.
"""

FACTOR_OF_NETWORK = RateLimit(30, 60)
"""Second factors presented from one network."""

PINS_OF_SESSION = RateLimit(5, 900)
PINS_OF_ACCOUNT = RateLimit(20, 900)
"""Wrong PINs in one session, and in all sessions of an account together. A child who guesses the PIN of a parent is
right with a probability of 1 in 21 a day, and cannot lock out the parent, who has another session and the password."""

SITE_FACTOR = 4
"""An IPv6 /48 may make this many times the attempts of a /64, because it may belong to one person or to an office."""

REGISTRATION = RateLimit(100, 3600)
"""Registrations from one network. Each reveals whether an address is taken and sends an email."""

RESET_OF_ADDRESS = RateLimit(3, 1800)
RESET_OF_NETWORK = RateLimit(30, 3600)
CONFIRMATION = RateLimit(5, 3600)
"""Emails: reset links to one address, reset links requested from one network, confirmation links of one account.

A reset link stays valid for as long as it counts towards its limit. A person who is refused another link therefore
still has a valid one in the inbox.
"""

UNCONFIRMED_TAGS_OF_INBOX = RateLimit(5, 3600)
"""Emails to the unconfirmed addresses of one inbox, which anybody can register by varying the `+tag`."""

NOTICES_OF_ADDRESS = RateLimit(10, 3600)
"""Emails about changes that the owner of an account made. Without this limit, one account could use up the hourly limit
of all emails. It can be changed again and again without waiting, and emails about its changes may use the share that
strangers cannot use."""

LINK = RateLimit(30, 60)
"""Uses of mailed links from one network; 256-bit tokens cannot be guessed, so this only limits the store's load."""


RENDITIONS_OF_ACCOUNT = RateLimit(20, 24 * 3600)
"""Encodes of renditions on demand that one account begins. It can open more titles, which play in the renditions that
are there: without this limit, a script could have a whole library encoded while others wait."""


TRAILERS_OF_NETWORK = RateLimit(120, 60)
"""Trailers opened from one network by people who are not logged in. A page that plays one asks again every two minutes,
so this is enough for a whole school."""


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
        return TooManyAttempts(f"{sentence} Try again in {wait_text(self.retry_after_s)}.", self.retry_after_s)


def require(limiter: RateLimiter, buckets: Sequence[RateLimitBucket], sentence: str) -> None:
    """Count an attempt; if there are too many, raise TooManyAttempts, whose detail begins with the sentence."""
    outcome = limiter.reserve(buckets)
    if isinstance(outcome, Refusal):
        raise outcome.error(sentence)


def network_buckets(ip: str, name: str, limit: RateLimit, *, only_checked: bool = False) -> tuple[RateLimitBucket, ...]:
    """Return the buckets in which an attempt from an IP address counts.

    There is one for an IPv4 address. For IPv6 there are two, for the /64 and the /48, because one /48 contains 65,536
    networks of a size that a single subscriber gets. Both have the same shard.
    """
    network, site = network_of(ip), site_of(ip)
    if network == site:
        return (RateLimitBucket(site, name, limit, only_checked),)
    wider = RateLimit(limit.attempts * SITE_FACTOR, limit.window_s)
    return (
        RateLimitBucket(site, f"{name}:{network}", limit, only_checked),
        RateLimitBucket(site, name, wider, only_checked),
    )


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
