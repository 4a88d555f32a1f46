"""Logging in: the password, then the second factor if the account has one, then a session."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from functions.accounts.addresses import address_of
from functions.accounts.model import Factor, LoginOutcome, viewer_of
from functions.accounts.rights import update_rights
from functions.platform.errors import Unauthenticated, WrongCredentials

if TYPE_CHECKING:
    from functions.accounts.authentication import Authentication
    from functions.accounts.known_devices import KnownDevices
    from functions.accounts.login_history import LoginHistoryService
    from functions.accounts.model import FactorChallenge, FactorProof, Login, OpenedSession, RequestOrigin
    from functions.accounts.ports import LoginStore, SessionStore
    from functions.accounts.second_factors import SecondFactors

PURPOSE = "login-factor"


class SecondFactorNeeded(Unauthenticated):
    """The password is right, and the account has a second factor; `challenge` says how to prove it."""

    code = "second_factor_needed"

    def __init__(self, challenge: FactorChallenge) -> None:
        super().__init__("Your password is right. Now confirm that it is you.")
        self.challenge = challenge


class LoginFlow:
    """Opens sessions."""

    def __init__(
        self,
        logins: LoginStore,
        sessions: SessionStore,
        authentication: Authentication,
        devices: KnownDevices,
        factors: SecondFactors,
        history: LoginHistoryService,
    ) -> None:
        self._logins = logins
        self._sessions = sessions
        self._authentication = authentication
        self._devices = devices
        self._factors = factors
        self._history = history

    def log_in(
        self, email: str, password: str, origin: RequestOrigin, *, replacing: str = "", device: str = ""
    ) -> OpenedSession:
        """Open a session under a new token, and end the session of the token `replacing`.

        If `device` is the token of a known device, the attempt has priority. Raises SecondFactorNeeded, and the errors
        of `Authentication.authenticate`.
        """
        address = address_of(email)
        known = self._devices.device_id(address.key, device)
        login = self._authentication.authenticate(address, password, origin, known=known)
        if login.has_second_factor:
            raise self._ask_for_factor(self._authentication.renew_hash(login, password), origin)
        opened = self.open_session(login, origin, Factor.NONE)
        # Changing the password or deleting the account ends all sessions as its last step. If this session was
        # opened before that step, the step ends it; if it was opened later, it is ended here.
        current = self._logins.get_login(login.user_id)
        if current is None or not self._authentication.still_valid(login, current, password):
            self._sessions.end_session(opened.token)
            raise WrongCredentials("The email address or the password is wrong.")
        if current.has_second_factor:
            self._sessions.end_session(opened.token)
            raise self._ask_for_factor(current, origin)
        self._finish(login, current, opened, origin, replacing)
        self._authentication.renew_hash(login, password)
        return opened

    def log_in_with_factor(
        self, ticket: str, proof: FactorProof, origin: RequestOrigin, *, replacing: str = "", device: str = ""
    ) -> OpenedSession:
        """Open a session for somebody who has proved the password and now proves the second factor.

        Raises the errors of `SecondFactors.prove`.
        """
        proved = self._factors.prove(
            ticket, PURPOSE, proof, origin, is_known=lambda address: self._devices.is_known(address, device)
        )
        opened = self.open_session(proved.login, origin, proved.factor)
        try:
            # as in `log_in`: a change in the meantime may have ended all sessions before this one was opened
            current, _, _ = self._factors.verify(ticket, PURPOSE)
        except Unauthenticated:
            self._sessions.end_session(opened.token)
            raise
        self._finish(proved.login, current, opened, origin, replacing, entry_id=proved.challenge_id)
        return opened

    def open_session(self, login: Login, origin: RequestOrigin, factor: Factor) -> OpenedSession:
        """Open a session for an account whose owner has proved who they are, and issue a token for the device."""
        opened = self._sessions.open_session(viewer_of(login), ip=origin.ip, browser=origin.browser, factor=factor)
        return replace(opened, device=self._devices.issue_token(login.address))

    def renew_sessions(self, login: Login, origin: RequestOrigin, factor: Factor) -> OpenedSession:
        """End all sessions of an account that its owner has just changed, and open a new one.

        `login` is the account with the password hash after the change. If the account was changed again in the
        meantime, raises Unauthenticated and opens no session. If only its rights were changed, the new session has the
        new rights.
        """
        self._sessions.end_sessions_of(login.user_id)
        opened = self.open_session(login, origin, factor)
        # as in `log_in`: a change in the meantime may have ended all sessions before this one was opened
        current = self._logins.get_login(login.user_id)
        lacks_factor = current is not None and current.has_second_factor and factor is Factor.NONE
        if current is None or current.password_hash != login.password_hash or lacks_factor:
            self._sessions.end_session(opened.token)
            raise Unauthenticated("Your account was changed on another device at the same time. Log in again.")
        if viewer_of(current) != viewer_of(login):
            update_rights(self._logins, self._sessions, viewer_of(current))
        return opened

    def _ask_for_factor(self, login: Login, origin: RequestOrigin) -> SecondFactorNeeded:
        """Return the error that asks for the second factor; until it is proved, the history shows an unfinished login.

        Without this entry, somebody could verify a stolen or guessed password without leaving a trace.
        """
        challenge = self._factors.challenge(login, PURPOSE)
        self._history.record_attempt(login.user_id, origin, LoginOutcome.UNFINISHED, entry_id=challenge.challenge_id)
        return SecondFactorNeeded(challenge)

    def _finish(
        self,
        login: Login,
        current: Login,
        opened: OpenedSession,
        origin: RequestOrigin,
        replacing: str,
        *,
        entry_id: str = "",
    ) -> None:
        if viewer_of(current) != viewer_of(login):
            update_rights(self._logins, self._sessions, viewer_of(current))
        if replacing:
            self._sessions.end_session(replacing)
        if origin.language:
            self._logins.set_language(login.user_id, origin.language)
        self._history.record_attempt(login.user_id, origin, LoginOutcome.SUCCESS, entry_id=entry_id)
