"""Encryption of the stored second factors with the newest key, so that older keys can be retired."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from functions.accounts.secret_cipher import CannotDecrypt

if TYPE_CHECKING:
    from functions.accounts.ports import SecondFactorStore
    from functions.accounts.secret_cipher import SecretCipher

log = logging.getLogger(__name__)

PER_PAGE = 500


class SecretRenewal:
    """Replaces secrets that were encrypted with an older key; does nothing while there is only one key."""

    def __init__(self, factors: SecondFactorStore, cipher: SecretCipher) -> None:
        self._factors = factors
        self._cipher = cipher

    def renew_all(self) -> int:
        """Encrypt all secrets with the first key; return the number of secrets that none of the keys decrypts.

        Afterwards the other keys are no longer needed. To make an unreadable secret readable again, add the key that
        encrypted it. Idempotent. Raises StoreUnavailable, SettingMissing.
        """
        if not self._cipher.has_old_keys:
            return 0
        renewed = unreadable = 0
        after = ""
        while page := self._factors.page_factors(after, limit=PER_PAGE):
            for factor in page:
                try:
                    new = self._cipher.renewed(factor.secret, factor.user_id)
                except CannotDecrypt:
                    unreadable += 1
                    continue
                if new:
                    self._factors.replace_secret(factor, new)
                    renewed += 1
            after = page[-1].factor_id
        log.warning(
            "%d second factors were encrypted again with the first key of SECOND_FACTOR_KEYS, so the others can be "
            "removed. %d cannot be decrypted with any of the keys.",
            renewed,
            unreadable,
        )
        return unreadable
