"""The whole accounts slice in one process: its services on stores in memory, with cheap hashing."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import pytest

from functions.accounts.account_mail import AccountMail
from functions.accounts.addresses import address_of
from functions.accounts.authentication import Authentication, PasswordLimits
from functions.accounts.factor_service import ChangedFactors, FactorService
from functions.accounts.hash_queue import UNNAMED, FairQueue
from functions.accounts.known_devices import KnownDevices
from functions.accounts.links import MailedLinks
from functions.accounts.login_flow import LoginFlow, SecondFactorNeeded
from functions.accounts.login_history import LoginHistoryService
from functions.accounts.model import FactorChallenge, FactorProof, Login, OpenedSession, RequestOrigin, Session
from functions.accounts.passkeys import Passkeys
from functions.accounts.passwords import Argon2Hasher
from functions.accounts.profile_service import ProfileService
from functions.accounts.second_factors import FactorParts, SecondFactors
from functions.accounts.secret_cipher import SecretCipher
from functions.accounts.service import AccountDependencies, AccountParts, AccountService
from functions.platform.errors import AccountStillExists, StoreUnavailable, WrongCredentials
from functions.platform.messages import ForgetViewer, RecordLogin, SendMail, StartReset
from functions.platform.signed_tokens import SignedTokens
from tests.support.account_logins import FakeLoginHistoryStore, FakeLoginStore
from tests.support.account_sessions import FakeRateLimiter, FakeSessionStore, FakeUsedCodes
from tests.support.accounts import CHEAP, HOME, OTHER_PASSWORD, PASSWORD, SITE, make_email, token_of
from tests.support.authenticators import AuthenticatorApp, SoftPasskey
from tests.support.clock import Clock
from tests.support.queues import MemoryQueues

if TYPE_CHECKING:
    from collections.abc import Callable

    from argon2 import Parameters

    from functions.accounts.hash_queue import Line
    from functions.platform.messages import Message
    from functions.platform.viewer import Viewer


class FakeQueues(MemoryQueues):
    """Queues in memory that refuse messages of some classes."""

    refused: tuple[type[Message], ...] = ()

    def send(self, message: Message, *, delay_s: int = 0) -> None:
        if isinstance(message, self.refused):
            raise StoreUnavailable(f"The queue {message.QUEUE} does not accept messages.")
        super().send(message, delay_s=delay_s)

    def of[M: Message](self, kind: type[M]) -> list[M]:
        """Return the messages of a class."""
        return [message for message in self.messages if isinstance(message, kind)]


class CountingHasher(Argon2Hasher):
    """A password hasher that counts new hashes, and records the verified hashes and the queue line of each call."""

    def __init__(self, profile: Parameters = CHEAP, queue: FairQueue | None = None) -> None:
        super().__init__(profile, queue or FairQueue(concurrent=64))
        self.verified: list[str] = []
        self.lines: list[Line] = []
        self.hashed = 0

    def verify(self, password_hash: str, password: str, line: Line = UNNAMED) -> bool:
        self.verified.append(password_hash)
        self.lines.append(line)
        return super().verify(password_hash, password, line)

    def hash(self, password: str, line: Line = UNNAMED) -> str:
        self.hashed += 1
        self.lines.append(line)
        return super().hash(password, line)


@dataclass
class World:
    """Accounts with stores in memory."""

    clock: Clock = field(default_factory=Clock)
    logins: FakeLoginStore = field(default_factory=FakeLoginStore)
    history_store: FakeLoginHistoryStore = field(default_factory=FakeLoginHistoryStore)
    queues: FakeQueues = field(default_factory=FakeQueues)
    hasher: CountingHasher = field(default_factory=CountingHasher)
    limits: PasswordLimits = field(default_factory=PasswordLimits)
    mails_per_hour: int = 1000
    forgetters: tuple[Callable[[str], None], ...] = ()
    passkeys: Passkeys = field(default_factory=lambda: Passkeys(SITE))
    second_factor_keys: str = "c" * 32

    def __post_init__(self) -> None:
        self.sessions = FakeSessionStore(self.clock)
        self.limiter = FakeRateLimiter(self.clock)
        self.history = LoginHistoryService(
            self.queues, self.history_store, lambda user_id: self.logins.get_login(user_id) is not None, self.clock
        )
        tokens = SignedTokens("k" * 32, self.clock)
        pseudonym = tokens.pseudonym
        self.authentication = Authentication(
            self.logins, self.hasher, self.limiter, self.history, pseudonym, self.limits
        )
        devices, links = KnownDevices(tokens, self.clock), MailedLinks(self.logins, SITE, self.clock)
        mail = AccountMail(self.queues, self.limiter, links, self.logins.get_language, pseudonym, self.mails_per_hour)
        factor_parts = FactorParts(
            logins=self.logins,
            factors=self.logins.factors,
            used=FakeUsedCodes(self.clock),
            limiter=self.limiter,
            history=self.history,
            tokens=tokens,
            cipher=SecretCipher(self.second_factor_keys),
            passkeys=lambda: self.passkeys,
            now=self.clock,
        )
        factors = SecondFactors(factor_parts)
        flow = LoginFlow(self.logins, self.sessions, self.authentication, devices, factors, self.history)
        self.factors = FactorService(factor_parts, factors, self.authentication, flow, self.sessions, mail)
        parts = AccountParts(
            logins=self.logins,
            sessions=self.sessions,
            hasher=self.hasher,
            authentication=self.authentication,
            limiter=self.limiter,
            links=links,
            devices=devices,
            history=self.history,
            flow=flow,
            factors=self.factors,
            profiles=ProfileService(
                self.logins.profiles,
                self.logins,
                self.sessions,
                self.authentication,
                self.hasher,
                self.limiter,
                self.queues,
                self.clock,
            ),
            mail=mail,
        )
        dependencies = AccountDependencies(self.queues, lambda: self.forgetters, pseudonym, self.clock)
        self.accounts = AccountService(parts, dependencies)

    def member(self, email: str = "", password: str = PASSWORD) -> Viewer:
        """Register a viewer."""
        return self.accounts.register(email or make_email(), password, HOME)

    def confirmed_member(self, email: str = "") -> Viewer:
        """Register a viewer and confirm the address."""
        viewer = self.member(email)
        self.logins.confirm_address(viewer.user_id, self.clock())
        return replace(viewer, confirmed=True)

    def protect(self, viewer: Viewer, origin: RequestOrigin = HOME) -> tuple[AuthenticatorApp, OpenedSession]:
        """Add an authenticator app to an account without a second factor; return the app and the new session."""
        opened = self.accounts.log_in(viewer.email, PASSWORD, origin)
        permit = self.factors.request_permit(viewer, PASSWORD, origin).permit
        setup = self.factors.begin_totp(viewer, permit)
        app = AuthenticatorApp(setup.key)
        changed = self.factors.finish_totp(opened.session, setup.ticket, app.code(self.clock()), "Phone", origin)
        self.clock.forward(seconds=60)  # the next code
        return app, changed.opened

    def challenge(self, email: str, password: str = PASSWORD, origin: RequestOrigin = HOME) -> FactorChallenge:
        """Log in with the password of an account that has a second factor; return the challenge."""
        try:
            self.accounts.log_in(email, password, origin)
        except SecondFactorNeeded as needed:
            return needed.challenge
        raise AssertionError(f"{email} has no second factor")

    def log_in_with_code(self, email: str, app: AuthenticatorApp, origin: RequestOrigin = HOME) -> OpenedSession:
        """Log in with the password and the app's present code."""
        proof = FactorProof(app.code(self.clock()))
        return self.accounts.log_in_with_factor(self.challenge(email, origin=origin).ticket, proof, origin)

    def permit_of(self, viewer: Viewer, app: AuthenticatorApp | None = None) -> str:
        """Return a permit to change second factors, proved with the app if the account has one."""
        asked = self.factors.request_permit(viewer, PASSWORD, HOME)
        if asked.challenge is None:
            return asked.permit
        assert app is not None
        proof = FactorProof(app.code(self.clock()))
        permit = self.factors.confirm_permit(viewer, asked.challenge.ticket, proof, HOME).permit
        self.clock.forward(seconds=60)  # the next code
        return permit

    def add_passkey(
        self, session: Session, key: SoftPasskey, app: AuthenticatorApp | None = None, name: str = "Key"
    ) -> ChangedFactors:
        """Create a passkey for the account of a session, which has an authenticator app if `app` is given."""
        setup = self.factors.begin_passkey(session.viewer, self.permit_of(session.viewer, app))
        return self.factors.finish_passkey(session, setup.ticket, key.create(setup.options), name, HOME)

    def authenticate(self, email: str, password: str = PASSWORD, origin: RequestOrigin = HOME) -> Login:
        """Check a password that an unknown device has sent."""
        return self.authentication.authenticate(address_of(email), password, origin)

    def fail_attempts(self, email: str, times: int = 1, origin: RequestOrigin = HOME) -> None:
        """Try a wrong password `times` times; no attempt is refused by a rate limit."""
        for _ in range(times):
            with pytest.raises(WrongCredentials):
                self.authenticate(email, OTHER_PASSWORD, origin)

    @property
    def emails(self) -> list[SendMail]:
        """Return the emails that were requested."""
        return self.queues.of(SendMail)

    def last_email(self, kind: str) -> SendMail:
        """Return the last email of a kind."""
        return next(email for email in reversed(self.emails) if email.kind == kind)

    def last_token(self, kind: str) -> str:
        """Return the token of the last link that was mailed in an email of a kind."""
        return token_of(self.last_email(kind).link)

    def settle(self) -> None:
        """Handle all messages in the queues except emails."""
        due = [message for message in self.queues.messages if not isinstance(message, SendMail)]
        self.queues.sent = [
            (message, delay_s) for message, delay_s in self.queues.sent if isinstance(message, SendMail)
        ]
        for message in due:
            match message:
                case RecordLogin():
                    self.history.store_attempt(message)
                case StartReset():
                    self.accounts.mail_reset_link(message.email, known=message.known)
                case ForgetViewer():
                    with suppress(AccountStillExists):
                        self.accounts.forget_viewer(message.user_id)
