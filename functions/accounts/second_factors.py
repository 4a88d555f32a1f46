"""Verification of second factors: a challenge is issued after the password, and the answer to it is verified.

The challenge is a signed token, so nothing is stored until it is answered. It contains a digest of the account's state
(password hash and factors) and is worthless once this state changes. Each code and each challenge is accepted once.
"""

from __future__ import annotations

import hashlib
import logging
import secrets
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from functions.accounts import totp
from functions.accounts.model import Factor, FactorChallenge, LoginOutcome
from functions.accounts.rate_limits import (
    CODE_OF_ACCOUNT,
    FACTOR_OF_NETWORK,
    RateLimitBucket,
    Refusal,
    network_buckets,
    require,
)
from functions.accounts.recovery_codes import code_hash, normalized_code
from functions.accounts.secret_cipher import CannotDecrypt
from functions.platform.errors import SettingMissing, Unauthenticated, WrongSecondFactor

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

    from functions.accounts.login_history import LoginHistoryService
    from functions.accounts.model import FactorProof, Login, RequestOrigin, SecondFactor
    from functions.accounts.ports import LoginStore, PasskeyCeremonies, RateLimiter, SecondFactorStore, UsedCodes
    from functions.accounts.secret_cipher import SecretCipher
    from functions.platform.signed_tokens import SignedTokens

log = logging.getLogger(__name__)

LIFETIME = timedelta(minutes=5)
CHALLENGE_BYTES = 32
CODE_REMEMBERED_S = totp.STEP_S * (2 * totp.TOLERANCE + 1)
WRONG = "This code is wrong or was already used. Wait for the next one, and try again."


@dataclass(frozen=True, slots=True)
class FactorParts:
    """The components that verify second factors; `passkeys` is called when a passkey is first needed."""

    logins: LoginStore
    factors: SecondFactorStore
    used: UsedCodes
    limiter: RateLimiter
    history: LoginHistoryService
    tokens: SignedTokens
    cipher: SecretCipher
    passkeys: Callable[[], PasskeyCeremonies]
    now: Callable[[], datetime]


@dataclass(frozen=True, slots=True)
class ProvedFactor:
    """The account whose second factor was proved, the kind of the proof, and the challenge that it answered."""

    login: Login
    factor: Factor
    challenge_id: str


class SecondFactors:
    """Issues challenges and verifies the answers; every method raises StoreUnavailable."""

    def __init__(self, parts: FactorParts) -> None:
        self._parts = parts

    def challenge(self, login: Login, purpose: str) -> FactorChallenge:
        """Return a challenge for an account; it can be answered only for the same purpose."""
        parts = self._parts
        factors = parts.factors.list_factors(login.user_id)
        nonce = secrets.token_bytes(CHALLENGE_BYTES)
        passkeys = [each.credential_id for each in factors if each.kind is Factor.PASSKEY]
        ticket, expires_at = self.sign(purpose, login, factors, nonce=nonce.hex())
        options = self._passkey_options(nonce, passkeys) if passkeys else None
        kinds = tuple(dict.fromkeys([*(each.kind for each in factors), Factor.RECOVERY_CODE]))
        return FactorChallenge(_challenge_id(nonce), ticket, kinds, options, expires_at)

    def prove(
        self,
        ticket: str,
        purpose: str,
        proof: FactorProof,
        origin: RequestOrigin,
        *,
        is_known: Callable[[str], bool],
    ) -> ProvedFactor:
        """Return the account whose second factor was proved; `is_known(address)` says whether the device is known.

        Raises Unauthenticated if the ticket has expired or the account has changed since, WrongSecondFactor,
        TooManyAttempts.
        """
        parts = self._parts
        login, factors, content = self.verify(ticket, purpose)
        buckets = network_buckets(origin.ip, "factor", FACTOR_OF_NETWORK)
        require(parts.limiter, buckets, "Too many attempts from your network.")
        nonce = bytes.fromhex(content["nonce"])
        try:
            if proof.passkey:
                factor = self._prove_passkey(factors, proof.passkey, nonce)
            elif (code := normalized_code(proof.code)) is not None:
                factor = self._prove_recovery_code(login, code)
            else:
                factor = self._prove_totp(login, factors, proof.code, known=is_known(login.address))
        except WrongSecondFactor:
            parts.history.record_attempt(login.user_id, origin, LoginOutcome.WRONG_SECOND_FACTOR)
            raise
        return ProvedFactor(login, factor, _challenge_id(nonce))

    def sign(self, purpose: str, login: Login, factors: Sequence[SecondFactor], **content: str) -> tuple[str, datetime]:
        """Return a token for an account in its present state, and when the token expires."""
        until = self._parts.now() + LIFETIME
        bound = {**content, "user_id": login.user_id, "state": self._state(login, factors)}
        return self._parts.tokens.sign(purpose, bound, until=until), until

    def verify(self, ticket: str, purpose: str) -> tuple[Login, list[SecondFactor], dict[str, str]]:
        """Return the account of a token, its factors and the token's content. Raises Unauthenticated."""
        try:
            content = self._parts.tokens.verify(purpose, ticket)
        except Unauthenticated:
            raise _over() from None
        login = self._parts.logins.get_login(content["user_id"])
        factors = self._parts.factors.list_factors(content["user_id"]) if login else []
        if login is None or content["state"] != self._state(login, factors):
            raise _over()
        return login, factors, content

    def _passkey_options(self, nonce: bytes, credential_ids: Sequence[str]) -> Mapping[str, Any] | None:
        """Return what the browser needs to ask for a passkey; None if passkeys cannot be used at the site's address."""
        try:
            return self._parts.passkeys().request_options(nonce, credential_ids)
        except SettingMissing as error:  # apps and recovery codes still work
            log.error("Passkeys cannot be used: %s", error.detail)
            return None

    def _prove_passkey(self, factors: Sequence[SecondFactor], answer: Mapping[str, Any], challenge: bytes) -> Factor:
        parts, named = self._parts, answer.get("id")
        found = next((each for each in factors if each.kind is Factor.PASSKEY and each.credential_id == named), None)
        if found is None:
            raise WrongSecondFactor("This passkey does not belong to your account. Use another one.")
        key = parts.cipher.decrypt(found.secret, found.user_id)
        count = parts.passkeys().verify_use(answer, challenge, public_key=key, sign_count=found.sign_count)
        if not parts.used.claim(f"passkey:{challenge.hex()}", for_s=int(LIFETIME.total_seconds())):
            raise WrongSecondFactor("This confirmation was already used. Use your passkey again.")
        self._record_use(found, sign_count=count)
        return Factor.PASSKEY

    def _prove_recovery_code(self, login: Login, code: str) -> Factor:
        if not self._parts.factors.use_recovery_code(login.user_id, code_hash(code)):
            raise WrongSecondFactor("This recovery code is wrong or was already used. Enter another one.")
        return Factor.RECOVERY_CODE

    def _prove_totp(self, login: Login, factors: Sequence[SecondFactor], code: str, *, known: bool) -> Factor:
        parts = self._parts
        # known devices have attempts of their own: somebody who has stolen the password cannot use up the owner's
        bucket = RateLimitBucket(login.user_id, "code-known" if known else "code", CODE_OF_ACCOUNT)
        reservation = parts.limiter.reserve((bucket,))
        if isinstance(reservation, Refusal):
            raise reservation.error("Too many wrong codes. You can use a passkey or a recovery code now.")
        digits, apps = "".join(code.split()), [each for each in factors if each.kind is Factor.TOTP]
        unreadable: list[CannotDecrypt] = []
        for each in apps:
            try:
                secret = parts.cipher.decrypt(each.secret, each.user_id)
            except CannotDecrypt as error:  # the other factors still work
                log.error("The authenticator app %s of account %s: %s", each.factor_id, each.user_id, error.detail)
                unreadable.append(error)
                continue
            step = totp.matching_step(secret, digits, parts.now())
            if step is not None and parts.used.claim(f"totp:{each.factor_id}:{step}", for_s=CODE_REMEMBERED_S):
                self._record_use(each, sign_count=0)
                parts.limiter.record_success(reservation)
                return Factor.TOTP
        if unreadable and len(unreadable) == len(apps):
            raise unreadable[0]
        raise WrongSecondFactor(WRONG)

    def _record_use(self, factor: SecondFactor, *, sign_count: int) -> None:
        if not self._parts.factors.record_use(factor, sign_count=sign_count, at=self._parts.now()):
            raise WrongSecondFactor("This second step has just been removed from your account. Use another method.")

    def _state(self, login: Login, factors: Sequence[SecondFactor]) -> str:
        ids = " ".join(sorted(each.factor_id for each in factors))
        return self._parts.tokens.pseudonym(f"factors {login.user_id} {login.password_hash} {ids}")


def _challenge_id(nonce: bytes) -> str:
    return hashlib.sha256(nonce).hexdigest()[:32]


def _over() -> Unauthenticated:
    return Unauthenticated("That took too long, or your account has changed since. Start again with your password.")
