"""A test of the keys of this copy: tokens are signed and verified, and stored second factors are decrypted."""

from __future__ import annotations

import secrets
from datetime import timedelta
from typing import TYPE_CHECKING

from functions.accounts.admin_auth import KEY_CHARACTERS
from functions.platform.finding import Finding

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from functions.accounts.ports import SecondFactorStore
    from functions.accounts.secret_cipher import SecretCipher
    from functions.platform.signed_tokens import SignedTokens

PURPOSE = "key-test"


class KeyTest:
    """Tests the signing key, the keys of second factors, and the operator's key."""

    def __init__(
        self,
        tokens: SignedTokens,
        cipher: SecretCipher,
        factors: SecondFactorStore,
        operator_key: str,
        now: Callable[[], datetime],
    ) -> None:
        self._tokens = tokens
        self._cipher = cipher
        self._factors = factors
        self._operator_key = operator_key
        self._now = now

    def run(self, user_id: str) -> Finding:
        """Return whether all keys work, including for the stored second factors of an account.

        Raises StoreUnavailable and Unauthenticated, and also SettingMissing and CannotDecrypt, whose details say which
        key is wrong.
        """
        nonce = secrets.token_hex(16)
        token = self._tokens.sign(PURPOSE, {"nonce": nonce}, until=self._now() + timedelta(minutes=1))
        signed = self._tokens.verify(PURPOSE, token) == {"nonce": nonce}
        encrypted = self._cipher.encrypt(nonce.encode(), user_id)
        if not signed or self._cipher.decrypt(encrypted, user_id) != nonce.encode():
            return Finding(False, "A signed or encrypted text was not the same after reading it. Deploy again.")
        if len(self._operator_key) < KEY_CHARACTERS:
            return Finding(False, f"OPERATOR_KEY is shorter than {KEY_CHARACTERS} characters, so scripts are refused.")
        stored = self._factors.list_factors(user_id)
        for factor in stored:
            self._cipher.decrypt(factor.secret, user_id)
        yours = ", and decrypt the second step of your account" if stored else ""
        return Finding(True, f"The keys are long enough, sign and encrypt{yours}.")
