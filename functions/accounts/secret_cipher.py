"""Encryption of second factors at rest: AES-256-GCM, with the account's id as associated data.

A text that was copied from another account's row is therefore rejected. A text that was made up by somebody who can
only write to the database is rejected too. The key is derived from a setting by HKDF (RFC 5869).
"""

from __future__ import annotations

import base64
import secrets

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from functions.platform.errors import SettingMissing

KEY_CHARACTERS = 32
NONCE_BYTES = 12
_INFO = b"notflix second factors"


class CannotDecrypt(SettingMissing):
    """None of the keys decrypts a stored second factor."""


class SecretCipher:
    """Encrypts with the first key and decrypts with any of them, so that a key can be replaced without losing factors.

    `keys` is the setting SECOND_FACTOR_KEYS.
    """

    def __init__(self, keys: str) -> None:
        self._keys = tuple(key.strip() for key in keys.split(",") if key.strip())

    def encrypt(self, secret: bytes, user_id: str) -> str:
        """Return the secret, encrypted for an account, in base64. Raises SettingMissing if there is no valid key."""
        nonce = secrets.token_bytes(NONCE_BYTES)
        return base64.b64encode(nonce + self._ciphers()[0].encrypt(nonce, secret, user_id.encode())).decode()

    def decrypt(self, text: str, user_id: str) -> bytes:
        """Return the secret in a text that was encrypted for an account. Raises CannotDecrypt, SettingMissing."""
        raw = base64.b64decode(text)
        for cipher in self._ciphers():
            try:
                return cipher.decrypt(raw[:NONCE_BYTES], raw[NONCE_BYTES:], user_id.encode())
            except InvalidTag:
                continue
        raise CannotDecrypt(
            "A stored second factor cannot be decrypted; SECOND_FACTOR_KEYS lacks the key it was stored with."
        )

    @property
    def has_old_keys(self) -> bool:
        """Return whether there are keys that only decrypt."""
        return len(self._keys) > 1

    def renewed(self, text: str, user_id: str) -> str | None:
        """Return a text encrypted with the first key instead of an older one; None if it already was.

        Raises CannotDecrypt, SettingMissing.
        """
        secret = self.decrypt(text, user_id)
        raw = base64.b64decode(text)
        try:
            self._ciphers()[0].decrypt(raw[:NONCE_BYTES], raw[NONCE_BYTES:], user_id.encode())
        except InvalidTag:
            return self.encrypt(secret, user_id)
        return None

    def _ciphers(self) -> list[AESGCM]:
        if not self._keys or min(map(len, self._keys)) < KEY_CHARACTERS:
            raise SettingMissing(
                f"Each key in SECOND_FACTOR_KEYS must have at least {KEY_CHARACTERS} characters; "
                "`openssl rand -hex 32` makes one."
            )
        return [AESGCM(HKDF(SHA256(), 32, None, _INFO).derive(key.encode())) for key in self._keys]
