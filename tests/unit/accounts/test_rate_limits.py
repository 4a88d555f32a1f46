"""Rate limits: which addresses count as one network, and the message that a refused user gets."""

from __future__ import annotations

import pytest

from functions.accounts.rate_limits import (
    SITE_FACTOR,
    RateLimit,
    RateLimitBucket,
    Refusal,
    network_buckets,
    network_of,
)


@pytest.mark.parametrize(
    ("ip", "network"),
    [
        ("203.0.113.7", "203.0.113.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::", "2001:db8:1:2::/64"),
        ("2001:db8:1:3::1", "2001:db8:1:3::/64"),
        ("::ffff:203.0.113.7", "203.0.113.7"),
        ("unknown", "unknown"),
    ],
)
def test_an_ipv6_network_is_counted_as_one(ip: str, network: str) -> None:
    assert network_of(ip) == network


@pytest.mark.parametrize(
    ("wait_s", "words"), [(1, "1 second"), (60, "60 seconds"), (91, "2 minutes"), (3600, "60 minutes")]
)
def test_a_refusal_says_when_to_try_again(wait_s: int, words: str) -> None:
    error = Refusal(wait_s, first=True).error("Too many failed attempts.")
    assert (error.status, error.headers) == (429, {"Retry-After": str(wait_s)})
    assert error.detail == f"Too many failed attempts. Try again in {words}."


def test_an_ipv4_address_counts_in_one_bucket_and_an_ipv6_address_in_its_64_and_48() -> None:
    limit = RateLimit(5, 60)
    assert network_buckets("203.0.113.7", "login", limit) == (RateLimitBucket("203.0.113.7", "login", limit),)
    narrow, wide = network_buckets("2001:db8:1:2::3", "login", limit)
    assert narrow == RateLimitBucket("2001:db8:1::/48", "login:2001:db8:1:2::/64", limit)
    assert wide == RateLimitBucket("2001:db8:1::/48", "login", RateLimit(5 * SITE_FACTOR, 60))
    assert network_buckets("::ffff:203.0.113.7", "login", limit) == network_buckets("203.0.113.7", "login", limit)
    assert [each.only_checked for each in network_buckets("2001:db8::1", "x", limit, only_checked=True)] == [True, True]
