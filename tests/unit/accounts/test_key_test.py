"""The set-up's test of the keys decrypts stored data, and names the key that is wrong."""

from __future__ import annotations

import pytest

from functions.accounts.key_test import KeyTest
from functions.accounts.model import Factor, SecondFactor
from functions.accounts.secret_cipher import CannotDecrypt, SecretCipher
from functions.platform.errors import SettingMissing
from functions.platform.signed_tokens import SignedTokens
from tests.support.account_logins import FakeLoginStore, FakeSecondFactorStore
from tests.support.clock import NOON

USER, OLD, NEW = "a" * 32, "o" * 32, "n" * 32


def make_test(keys: str = NEW, *, operator_key: str = "k" * 32, stored_with: str = "") -> KeyTest:
    """Return the test; if `stored_with` is given, the account has a second factor that was encrypted with this key."""
    factors = FakeSecondFactorStore(FakeLoginStore())
    if stored_with:
        secret = SecretCipher(stored_with).encrypt(b"secret", USER)
        factors.factors["f"] = SecondFactor("f", USER, Factor.TOTP, "Phone", secret, "", 0, NOON)
    return KeyTest(SignedTokens("s" * 32, lambda: NOON), SecretCipher(keys), factors, operator_key, lambda: NOON)


def test_keys_that_work_are_said_to_work() -> None:
    assert make_test().run(USER).works
    found = make_test(f"{NEW},{OLD}", stored_with=OLD).run(USER)
    assert found.works and "second step of your account" in found.sentence


def test_a_key_that_was_replaced_without_keeping_the_old_one_is_found() -> None:
    with pytest.raises(CannotDecrypt, match="SECOND_FACTOR_KEYS"):
        make_test(NEW, stored_with=OLD).run(USER)


def test_keys_that_are_too_short_are_named() -> None:
    with pytest.raises(SettingMissing, match="SECOND_FACTOR_KEYS"):
        make_test("short").run(USER)
    found = make_test(operator_key="short").run(USER)
    assert not found.works and "OPERATOR_KEY" in found.sentence
