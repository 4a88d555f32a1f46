"""Limits: what counts as one place, and what someone is told who must wait."""

from __future__ import annotations

import pytest

from functions.accounts.rate_limits import Refusal, network_of


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
def test_whoever_has_a_network_of_ipv6_counts_once(ip: str, network: str) -> None:
    assert network_of(ip) == network


@pytest.mark.parametrize(
    ("wait_s", "words"), [(1, "1 seconds"), (60, "60 seconds"), (91, "2 minutes"), (3600, "60 minutes")]
)
def test_who_is_refused_is_told_when_to_come_back(wait_s: int, words: str) -> None:
    error = Refusal(wait_s, first=True).error("There were too many failed tries.")
    assert (error.status, error.headers) == (429, {"Retry-After": str(wait_s)})
    assert error.detail == f"There were too many failed tries. Try again in {words}."
