"""The encryption of second factors: bound to the account, and able to change its key."""

from __future__ import annotations

import base64

import pytest

from functions.accounts.model import Factor, SecondFactor
from functions.accounts.secret_cipher import CannotDecrypt, SecretCipher
from functions.accounts.secret_renewal import PER_PAGE, SecretRenewal
from functions.platform.errors import SettingMissing
from tests.support.account_logins import FakeLoginStore, FakeSecondFactorStore
from tests.support.clock import NOON

OLD, NEW = "o" * 32, "n" * 32
USER, OTHER = "a" * 32, "b" * 32


def test_a_secret_is_encrypted_differently_each_time_and_decrypted() -> None:
    cipher = SecretCipher(OLD)
    first, second = cipher.encrypt(b"secret", USER), cipher.encrypt(b"secret", USER)
    assert first != second and b"secret" not in base64.b64decode(first)
    assert cipher.decrypt(first, USER) == cipher.decrypt(second, USER) == b"secret"


def test_a_text_is_rejected_for_another_account_after_a_change_and_with_another_key() -> None:
    text = SecretCipher(OLD).encrypt(b"secret", USER)
    raw = bytearray(base64.b64decode(text))
    raw[-1] ^= 1
    for keys, changed, user in ((OLD, text, OTHER), (OLD, base64.b64encode(raw).decode(), USER), (NEW, text, USER)):
        with pytest.raises(CannotDecrypt):
            SecretCipher(keys).decrypt(changed, user)


def test_a_new_key_encrypts_and_the_old_one_still_decrypts() -> None:
    text = SecretCipher(OLD).encrypt(b"secret", USER)
    both = SecretCipher(f"{NEW}, {OLD}")
    assert both.decrypt(text, USER) == b"secret"
    assert SecretCipher(NEW).decrypt(both.encrypt(b"secret", USER), USER) == b"secret"


@pytest.mark.parametrize("keys", ["", " , ", "short", f"{NEW},short"])
def test_a_missing_or_short_key_is_named(keys: str) -> None:
    with pytest.raises(SettingMissing, match="SECOND_FACTOR_KEYS"):
        SecretCipher(keys).encrypt(b"secret", USER)


def test_a_text_is_renewed_only_if_the_first_key_does_not_decrypt_it() -> None:
    both = SecretCipher(f"{NEW},{OLD}")
    assert both.has_old_keys and not SecretCipher(f" {NEW} ,").has_old_keys
    renewed = both.renewed(SecretCipher(OLD).encrypt(b"secret", USER), USER)
    assert renewed and SecretCipher(NEW).decrypt(renewed, USER) == b"secret"
    assert both.renewed(renewed, USER) is None
    with pytest.raises(CannotDecrypt):
        both.renewed(renewed, OTHER)


def test_the_secrets_of_many_factors_are_renewed_page_by_page() -> None:
    store = FakeSecondFactorStore(FakeLoginStore())
    secret = SecretCipher(OLD).encrypt(b"secret", USER)
    for number in range(PER_PAGE + 1):
        factor_id = f"{number:032x}"
        store.factors[factor_id] = SecondFactor(factor_id, USER, Factor.TOTP, "Phone", secret, "", 0, NOON)
    store.factors["f" * 32] = SecondFactor("f" * 32, OTHER, Factor.TOTP, "Phone", secret, "", 0, NOON)
    assert SecretRenewal(store, SecretCipher(f"{NEW},{OLD}")).renew_all() == 1, "no key decrypts the last one"
    new = SecretCipher(NEW)
    own = [each.secret for each in store.factors.values() if each.user_id == USER]
    assert {new.decrypt(each, USER) for each in own} == {b"secret"} and len(own) == PER_PAGE + 1
