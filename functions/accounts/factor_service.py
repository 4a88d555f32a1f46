"""The second factors of an account: listing, adding and removing them, recovery codes, and the owner's reset.

A change needs a permit, which proves the password and, if the account has a second factor, that factor. A change ends
all sessions, opens a new one, and sends an email.
"""

from __future__ import annotations

import hashlib
import secrets
import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from functions.accounts import totp
from functions.accounts.addresses import address_of
from functions.accounts.admin_auth import OPERATOR
from functions.accounts.authentication import SESSION
from functions.accounts.model import Factor, SecondFactor, viewer_of
from functions.accounts.recovery_codes import code_hash, make_codes
from functions.accounts.secret_renewal import SecretRenewal
from functions.platform.errors import (
    AddressNotConfirmed,
    Conflict,
    Forbidden,
    Malformed,
    NotFound,
    Unauthenticated,
    WrongCredentials,
    WrongPassword,
    WrongSecondFactor,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from functions.accounts.account_mail import AccountMail
    from functions.accounts.authentication import Authentication
    from functions.accounts.login_flow import LoginFlow
    from functions.accounts.model import FactorChallenge, FactorProof, Login, OpenedSession, RequestOrigin, Session
    from functions.accounts.ports import SessionStore
    from functions.accounts.second_factors import FactorParts, SecondFactors
    from functions.platform.viewer import Viewer

MOST_FACTORS = 10
LONGEST_NAME = 60
PERMIT_FACTOR, PERMIT, TOTP_SETUP, PASSKEY_SETUP = "permit-factor", "factor-permit", "totp-setup", "passkey-setup"


@dataclass(frozen=True, slots=True)
class FactorOverview:
    """The second factors of an account, and the number of unused recovery codes."""

    factors: tuple[SecondFactor, ...]
    recovery_codes: int
    required: bool


@dataclass(frozen=True, slots=True)
class FactorPermit:
    """A permit to change second factors, or the challenge that must be answered to get one."""

    permit: str = field(default="", repr=False)
    challenge: FactorChallenge | None = None


@dataclass(frozen=True, slots=True)
class TotpSetup:
    """What an authenticator app needs; `ticket` is sent back with the app's first code."""

    ticket: str = field(repr=False)
    key: str = field(repr=False)
    uri: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class PasskeySetup:
    """What the browser needs to create a passkey; `ticket` is sent back with its answer."""

    ticket: str = field(repr=False)
    options: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class ChangedFactors:
    """The session after a change, and the new recovery codes to show once; there are none if they did not change."""

    opened: OpenedSession
    recovery_codes: tuple[str, ...] = field(default=(), repr=False)


class FactorService:
    """Operations on second factors; every method raises StoreUnavailable."""

    def __init__(
        self,
        parts: FactorParts,
        factors: SecondFactors,
        authentication: Authentication,
        flow: LoginFlow,
        sessions: SessionStore,
        mail: AccountMail,
    ) -> None:
        self._parts = parts
        self._factors = factors
        self._authentication = authentication
        self._flow = flow
        self._sessions = sessions
        self._mail = mail

    def overview(self, viewer: Viewer) -> FactorOverview:
        """Return the second factors of a viewer."""
        found = self._parts.factors.list_factors(viewer.user_id)
        return FactorOverview(tuple(found), self._parts.factors.count_recovery_codes(viewer.user_id), viewer.admin)

    # Permits

    def request_permit(self, viewer: Viewer, password: str, origin: RequestOrigin) -> FactorPermit:
        """Return a permit, or a challenge if the account has a second factor.

        Raises WrongPassword, TooManyAttempts, and AddressNotConfirmed: otherwise, somebody who registered a stranger's
        address could add a second factor and thereby lock out the address's owner.
        """
        try:
            login = self._authentication.authenticate(address_of(viewer.email), password, origin, known=SESSION)
        except WrongCredentials:
            raise WrongPassword("The password is wrong.") from None
        if login.user_id != viewer.user_id:
            raise Unauthenticated("This account has been deleted, so you are logged out.")
        if login.has_second_factor:
            return FactorPermit(challenge=self._factors.challenge(login, PERMIT_FACTOR))
        if login.confirmed_at is None:
            raise AddressNotConfirmed("Confirm your email address first: open the link that we sent you.")
        return FactorPermit(self._permit(login, ()))

    def confirm_permit(self, viewer: Viewer, ticket: str, proof: FactorProof, origin: RequestOrigin) -> FactorPermit:
        """Verify the answer to a challenge and return a permit.

        Raises WrongSecondFactor, TooManyAttempts, Forbidden.
        """
        proved = self._factors.prove(ticket, PERMIT_FACTOR, proof, origin, is_known=lambda _: True)
        _require_same(proved.login, viewer)
        return FactorPermit(self._permit(proved.login, self._parts.factors.list_factors(viewer.user_id)))

    # Changes

    def begin_totp(self, viewer: Viewer, permit: str) -> TotpSetup:
        """Return a new secret for an authenticator app; it is stored once the app's first code has arrived."""
        login, factors = self._permitted(viewer, permit)
        secret = totp.make_secret()
        sealed = self._parts.cipher.encrypt(secret, login.user_id)
        ticket, _ = self._factors.sign(TOTP_SETUP, login, factors, secret=sealed)
        return TotpSetup(ticket, totp.setup_key(secret), totp.setup_uri(secret, login.email))

    def finish_totp(self, session: Session, ticket: str, code: str, name: str, origin: RequestOrigin) -> ChangedFactors:
        """Add an authenticator app that has produced a code. Raises WrongSecondFactor, Conflict, Unauthenticated."""
        login, _, content = self._factors.verify(ticket, TOTP_SETUP)
        _require_same(login, session.viewer)
        secret = self._parts.cipher.decrypt(content["secret"], login.user_id)
        step = totp.matching_step(secret, "".join(code.split()), self._parts.now())
        if step is None:
            raise WrongSecondFactor(
                "This code is wrong. Check that the clock of your device is right, and enter the next code."
            )
        factor_id = uuid.uuid4().hex
        self._parts.used.claim(f"totp:{factor_id}:{step}", for_s=totp.STEP_S * 3)
        added = self._new(login, factor_id, Factor.TOTP, name, content["secret"])
        return self._add(login, added, origin)

    def begin_passkey(self, viewer: Viewer, permit: str) -> PasskeySetup:
        """Return what the browser needs to create a passkey."""
        login, factors = self._permitted(viewer, permit)
        nonce = secrets.token_bytes(32)
        ticket, _ = self._factors.sign(PASSKEY_SETUP, login, factors, nonce=nonce.hex())
        existing = [each.credential_id for each in factors if each.kind is Factor.PASSKEY]
        options = self._parts.passkeys().creation_options(
            nonce, user_id=login.user_id, email=login.email, existing=existing
        )
        return PasskeySetup(ticket, options)

    def finish_passkey(
        self, session: Session, ticket: str, answer: Mapping[str, Any], name: str, origin: RequestOrigin
    ) -> ChangedFactors:
        """Add a passkey that the browser has created. Raises Malformed, Conflict, Unauthenticated."""
        login, _, content = self._factors.verify(ticket, PASSKEY_SETUP)
        _require_same(login, session.viewer)
        made = self._parts.passkeys().verify_creation(answer, bytes.fromhex(content["nonce"]))
        factor_id = hashlib.sha256(made.credential_id.encode()).hexdigest()[:32]
        sealed = self._parts.cipher.encrypt(made.public_key, login.user_id)
        added = self._new(login, factor_id, Factor.PASSKEY, name, sealed, made.credential_id, made.sign_count)
        return self._add(login, added, origin)

    def remove(self, session: Session, permit: str, factor_id: str, origin: RequestOrigin) -> ChangedFactors:
        """Remove a factor. Raises NotFound, and Conflict for the last factor of an administrator."""
        login, factors = self._permitted(session.viewer, permit)
        if factor_id not in [each.factor_id for each in factors]:
            raise NotFound("Your account does not have this passkey or authenticator app. Reload the page.")
        remaining = self._parts.factors.remove_factor(login.user_id, factor_id)
        self._mail.notify("second_factor_removed", login)
        factor = session.factor if remaining else Factor.NONE
        return ChangedFactors(self._flow.renew_sessions(login, origin, factor))

    def renew_recovery_codes(self, viewer: Viewer, permit: str) -> tuple[str, ...]:
        """Replace the recovery codes and return them. Raises Conflict for an account without a second factor."""
        login, factors = self._permitted(viewer, permit)
        if not factors:
            raise Conflict("Add a passkey or an authenticator app first. Recovery codes are only for when you lose it.")
        codes = make_codes()
        self._parts.factors.replace_recovery_codes(login.user_id, [code_hash(code) for code in codes])
        self._mail.notify("recovery_codes_renewed", login)
        return codes

    def reset(self, email: str, *, by: str) -> tuple[Viewer, int]:
        """Remove all second factors of an account and end its sessions; email its owner if any factor was removed.

        Returns the account and the number of removed factors. Raises NotFound. Raises Forbidden unless `by` is
        OPERATOR, so that a stolen session of one administrator does not give access to another administrator's account.
        """
        if by != OPERATOR:
            raise Forbidden("Only the operator's key can do this: run `./notflix admin reset-second-factor`.")
        login = self._parts.logins.find_login(address_of(email).key, "")
        if not login.user_id:
            raise NotFound("This email address has no account.")
        removed = len(self._parts.factors.list_factors(login.user_id))
        self._parts.factors.remove_factors(login.user_id)
        self._sessions.end_sessions_of(login.user_id)
        if removed:
            self._mail.notify("second_factor_removed", login, by_owner=True)
        return viewer_of(login), removed

    def renew_encryption(self) -> None:
        """Encrypt all stored secrets with the first of several keys. Raises StoreUnavailable, SettingMissing."""
        SecretRenewal(self._parts.factors, self._parts.cipher).renew_all()

    def _permit(self, login: Login, factors: Sequence[SecondFactor]) -> str:
        permit, _ = self._factors.sign(PERMIT, login, factors)
        return permit

    def _permitted(self, viewer: Viewer, permit: str) -> tuple[Login, list[SecondFactor]]:
        login, factors, _ = self._factors.verify(permit, PERMIT)
        _require_same(login, viewer)
        return login, factors

    def _new(
        self,
        login: Login,
        factor_id: str,
        kind: Factor,
        name: str,
        secret: str,
        credential_id: str = "",
        sign_count: int = 0,
    ) -> SecondFactor:
        label = " ".join("".join(each if each.isprintable() else " " for each in name).split())
        if len(label) > LONGEST_NAME:
            raise Malformed(f"A name can have at most {LONGEST_NAME} characters.")
        label = label or ("Passkey" if kind is Factor.PASSKEY else "Authenticator app")
        now = self._parts.now()
        return SecondFactor(factor_id, login.user_id, kind, label, secret, credential_id, sign_count, now)

    def _add(self, login: Login, added: SecondFactor, origin: RequestOrigin) -> ChangedFactors:
        codes = make_codes()
        hashes = [code_hash(code) for code in codes]
        stored = self._parts.factors.add_factor(added, most=MOST_FACTORS, code_hashes=hashes)
        self._mail.notify("second_factor_added", login)
        return ChangedFactors(self._flow.renew_sessions(login, origin, added.kind), codes if stored else ())


def _require_same(login: Login, viewer: Viewer) -> None:
    if login.user_id != viewer.user_id:
        raise Forbidden("You started this with another account. Start again.")
