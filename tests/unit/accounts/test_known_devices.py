"""Known devices: a token is valid for one account and for 180 days, and only if this service signed it."""

from __future__ import annotations

from datetime import timedelta

import pytest

from functions.accounts.known_devices import LIFETIME, KnownDevices
from functions.platform.signed_tokens import SignedTokens
from tests.support.clock import Clock

JO = "jo@example.org"


def make_devices(clock: Clock | None = None, key: str = "k" * 32) -> KnownDevices:
    clock = clock or Clock()
    return KnownDevices(SignedTokens(key, clock), clock)


def test_a_token_is_known_for_180_days() -> None:
    clock = Clock()
    devices = make_devices(clock)
    token = devices.issue_token(JO)
    assert timedelta(days=180) == LIFETIME
    clock.now += LIFETIME - timedelta(seconds=1)
    assert devices.is_known(JO, token)
    clock.now += timedelta(seconds=1)
    assert not devices.is_known(JO, token)


def test_a_token_is_for_one_account_and_does_not_name_it() -> None:
    devices = make_devices()
    token = devices.issue_token(JO)
    assert not devices.is_known("ada@example.org", token)
    assert "jo" not in SignedTokens("k" * 32, Clock()).verify("device", token)["account"]


@pytest.mark.parametrize("token", ["", "x", "a.b", "é" * 50, "\ud800", "nul\x00", "x" * 60_000])
def test_whatever_is_no_token_makes_no_device_known(token: str) -> None:
    assert not make_devices().is_known(JO, token)


def test_a_token_of_another_key_or_purpose_makes_no_device_known() -> None:
    devices, clock = make_devices(), Clock()
    assert not devices.is_known(JO, make_devices(key="j" * 32).issue_token(JO))
    tokens = SignedTokens("k" * 32, clock)
    assert not devices.is_known(JO, tokens.sign("play", {"account": tokens.pseudonym(JO)}, until=clock.now + LIFETIME))
