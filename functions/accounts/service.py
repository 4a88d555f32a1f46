"""Accounts: registration, sessions, passwords and mailed links, for viewers, the owner, and other slices."""

from __future__ import annotations

import logging
import re
import uuid
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from functions.accounts.addresses import address_of
from functions.accounts.administrators import Administrators
from functions.accounts.authentication import SESSION
from functions.accounts.email_choices import EmailChoiceService
from functions.accounts.hash_queue import Line
from functions.accounts.model import Factor, LinkPurpose, Login, viewer_of
from functions.accounts.moderation import Moderation
from functions.accounts.password_policy import validate_new_password
from functions.accounts.rate_limits import (
    CONFIRMATION,
    LINK,
    REGISTRATION,
    RENDITIONS_OF_ACCOUNT,
    RESET_OF_ADDRESS,
    RESET_OF_NETWORK,
    TRAILERS_OF_NETWORK,
    RateLimitBucket,
    Reservation,
    network_buckets,
    require,
    site_of,
)
from functions.accounts.rights import update_rights
from functions.platform.deferrals import next_deferral_s
from functions.platform.errors import (
    AccountStillExists,
    Conflict,
    Forbidden,
    Malformed,
    NotFound,
    SecondFactorRequired,
    StoreUnavailable,
    TooManyAttempts,
    Unauthenticated,
    WrongCredentials,
    WrongPassword,
)
from functions.platform.messages import StartReset

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import datetime

    from functions.accounts.account_mail import AccountMail
    from functions.accounts.authentication import Authentication
    from functions.accounts.factor_service import FactorService
    from functions.accounts.known_devices import KnownDevices
    from functions.accounts.links import MailedLinks
    from functions.accounts.login_flow import LoginFlow
    from functions.accounts.login_history import LoginHistoryService
    from functions.accounts.model import FactorProof, LoginHistoryEntry, OpenedSession, RequestOrigin, Session
    from functions.accounts.ports import LoginStore, MessageSender, PasswordHasher, RateLimiter, SessionStore
    from functions.accounts.profile_service import ProfileService
    from functions.platform.pagination import Page
    from functions.platform.viewer import Viewer

log = logging.getLogger(__name__)

_USER_ID = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True, slots=True)
class AccountParts:
    """The components of accounts."""

    logins: LoginStore
    sessions: SessionStore
    hasher: PasswordHasher
    authentication: Authentication
    limiter: RateLimiter
    links: MailedLinks
    devices: KnownDevices
    history: LoginHistoryService
    flow: LoginFlow
    factors: FactorService
    profiles: ProfileService
    mail: AccountMail


@dataclass(frozen=True, slots=True)
class AccountDependencies:
    """The functions of the rest of the application that accounts need.

    `forgetters` returns the functions with which other slices delete all data of a viewer; each is idempotent and may
    raise StoreUnavailable. `pseudonym` replaces an address in logs and rate limits.
    """

    queues: MessageSender
    forgetters: Callable[[], Iterable[Callable[[str], None]]]
    pseudonym: Callable[[str], str]
    now: Callable[[], datetime]


class AccountService:
    """Operations on accounts. Every method raises StoreUnavailable while a store that it needs is unreachable."""

    def __init__(self, parts: AccountParts, dependencies: AccountDependencies) -> None:
        self._logins = parts.logins
        self._sessions = parts.sessions
        self._hasher = parts.hasher
        self._authentication = parts.authentication
        self._limiter = parts.limiter
        self._links = parts.links
        self._devices = parts.devices
        self._flow = parts.flow
        self._mail = parts.mail
        self.login_history = parts.history
        self.factors = parts.factors
        self.profiles = parts.profiles
        self.administrators = Administrators(parts.logins, parts.sessions)
        self.email_choices = EmailChoiceService(parts.logins)
        self.moderation = Moderation(parts.logins, parts.sessions, parts.mail, dependencies.queues)
        self._queues = dependencies.queues
        self._forgetters = dependencies.forgetters
        self._pseudonym = dependencies.pseudonym
        self._now = dependencies.now

    # Sessions

    def session(self, token: str) -> Session:
        """Return the session of a token. Raises Unauthenticated if it is missing, unknown or expired."""
        session = self._sessions.find_session(token) if token else None
        if session is None:
            raise Unauthenticated("You are not logged in, or your session has expired. Log in and try again.")
        return session

    def viewer(self, token: str) -> Viewer:
        """Return the viewer of a session. Raises Unauthenticated."""
        return self.session(token).viewer

    def administrator(self, token: str) -> Viewer:
        """Return the administrator of a session that began with a second factor.

        Raises Unauthenticated, Forbidden for another viewer's session, SecondFactorRequired.
        """
        session = self.session(token)
        if not session.viewer.admin:
            raise Forbidden("Only an administrator can do this. Log in as one.")
        if session.factor is Factor.NONE:
            raise SecondFactorRequired(
                "Administrators need a second step. Set one up on your account page, or log in again with yours."
            )
        return session.viewer

    def register(self, email: str, password: str, origin: RequestOrigin) -> Viewer:
        """Open an account and mail a confirmation link. Raises AddressTaken, Malformed, TooManyAttempts."""
        address = address_of(email)
        chosen = validate_new_password(password, address)
        require(
            self._limiter,
            network_buckets(origin.ip, "registration", REGISTRATION),
            "Too many accounts were created from your network in the last hour.",
        )
        new = self._hasher.hash(chosen, Line(site_of(origin.ip)))
        login = self._new_login(address.email, address.key, new)
        self._logins.add_login(login)
        try:
            self.email_choices.use_language(login.user_id, origin.language)
            self._mail.send_confirmation(login)
        except (StoreUnavailable, TooManyAttempts) as error:
            log.error("The first email to %s could not be sent: %s", self._pseudonym(login.address), error.detail)
        return viewer_of(login)

    def log_in(
        self, email: str, password: str, origin: RequestOrigin, *, replacing: str = "", device: str = ""
    ) -> OpenedSession:
        """Open a session; see `LoginFlow.log_in`."""
        return self._flow.log_in(email, password, origin, replacing=replacing, device=device)

    def log_in_with_factor(
        self, ticket: str, proof: FactorProof, origin: RequestOrigin, *, replacing: str = "", device: str = ""
    ) -> OpenedSession:
        """Verify the answer to a challenge and open a session; see `LoginFlow.log_in_with_factor`."""
        return self._flow.log_in_with_factor(ticket, proof, origin, replacing=replacing, device=device)

    def log_out(self, token: str) -> None:
        """End the session of a token."""
        self._sessions.end_session(token)

    def log_out_everywhere(self, viewer: Viewer) -> None:
        """End every session of a viewer."""
        self._sessions.end_sessions_of(viewer.user_id)

    def logins_of(self, viewer: Viewer, *, cursor: str, limit: int) -> Page[LoginHistoryEntry]:
        """Return a page of a viewer's login history, newest first. Raises Malformed for an unknown cursor."""
        return self.login_history.page_of(viewer.user_id, cursor=cursor, limit=limit)

    # The viewer's own account

    def change_password(
        self, viewer: Viewer, current: str, new: str, origin: RequestOrigin, *, factor: Factor = Factor.NONE
    ) -> OpenedSession:
        """Set a new password, end all sessions and open a new one, with the `factor` of the present session.

        Raises WrongPassword, Malformed, TooManyAttempts, and Unauthenticated or Conflict if the account was changed at
        the same time.
        """
        chosen = validate_new_password(new, address_of(viewer.email))
        login = self._authenticate_again(viewer, current, origin)
        new_hash = self._hasher.hash(chosen, self._authentication.line_of(login))
        if not self._logins.replace_hash(login.user_id, over=login.password_hash, new=new_hash):
            raise Conflict("Your password was changed on another device at the same time. Log in again.")
        self._mail.notify("password_changed", login)
        return self._flow.renew_sessions(replace(login, password_hash=new_hash), origin, factor)

    def delete_account(self, viewer: Viewer, password: str, origin: RequestOrigin) -> None:
        """Delete the account and enqueue the deletion of its data. Raises WrongPassword, TooManyAttempts."""
        login = self._authenticate_again(viewer, password, origin)
        language = self._mail.language_of(login)
        self.moderation.delete(login)
        self._mail.notify("account_deleted", login, language=language)

    def forget_viewer(self, user_id: str) -> None:
        """Delete all data of a deleted account, or of a deleted profile, in every slice. Idempotent.

        Raises AccountStillExists.
        """
        if self._logins.get_login(user_id) is not None or self.profiles.is_in_use(user_id):
            raise AccountStillExists(f"The account or profile {user_id} still exists; its data is not deleted.")
        self._sessions.end_sessions_of(user_id)
        self.login_history.forget_viewer(user_id)
        for forget in self._forgetters():
            forget(user_id)
        self.profiles.forget(user_id)

    def may_begin_renditions(self, user_id: str) -> bool:
        """Count an encode of renditions on demand that an account begins; return false if it has begun too many."""
        bucket = RateLimitBucket(user_id, "renditions", RENDITIONS_OF_ACCOUNT)
        return isinstance(self._limiter.reserve((bucket,)), Reservation)

    def admit_guest(self, ip: str) -> None:
        """Count a trailer that a guest opens. Raises TooManyAttempts if the guest's network has opened too many."""
        buckets = network_buckets(ip, "trailer", TRAILERS_OF_NETWORK)
        require(self._limiter, buckets, "Too many trailers were opened from your network.")

    def tidy(self) -> None:
        """Delete expired links and old entries of the login history, and encrypt second factors with the newest key."""
        links, entries = self._links.delete_expired(), self.login_history.delete_expired()
        log.info("%d expired links and %d old entries of the login history were deleted.", links, entries)
        self.factors.renew_encryption()

    # Mailed links

    def send_confirmation(self, viewer: Viewer) -> None:
        """Mail another confirmation link. Raises Conflict if the address is already confirmed, TooManyAttempts."""
        if viewer.confirmed:
            raise Conflict("Your email address is already confirmed.")
        require(
            self._limiter,
            (RateLimitBucket(viewer.user_id, "confirmation", CONFIRMATION),),
            "We already sent you several links in the last hour. Check your inbox and your spam folder.",
        )
        self._mail.send_confirmation(self._existing_login(viewer.user_id))

    def renew_link(self, link: str) -> None:
        """Begin the life of a mailed link, because its email is being sent."""
        self._links.renew_link(link)

    def confirm_address(self, link_token: str, origin: RequestOrigin) -> str:
        """Confirm the address to which a link was mailed, and return it. Raises LinkExpired, TooManyAttempts."""
        self._limit_links(origin)
        user_id = self._links.use_link(link_token, LinkPurpose.CONFIRM)
        self._logins.confirm_address(user_id, self._now())
        return self._updated_viewer(user_id).email

    def request_reset(self, email: str, origin: RequestOrigin, *, device: str = "") -> None:
        """Request a reset link; takes the same time with or without an account. Raises Malformed, TooManyAttempts.

        Requests from a known device (`device` is its token) are counted separately, so that strangers cannot use up
        the requests of the account's owner.
        """
        address = address_of(email)
        known = self._devices.is_known(address.key, device)
        sentence = "Several links were requested recently, and each is valid. Check your inbox and your spam folder."
        if not known:
            require(self._limiter, network_buckets(origin.ip, "reset", RESET_OF_NETWORK), sentence)
        name = "reset-known" if known else "reset"
        require(self._limiter, (RateLimitBucket(self._pseudonym(address.key), name, RESET_OF_ADDRESS),), sentence)
        self._mail.require_capacity(proved=known)
        self._queues.send(StartReset(address.email, known))

    def mail_reset_link(self, email: str, *, known: bool = False) -> None:
        """Mail a requested reset link, if the address has an account."""
        login = self._logins.find_login(address_of(email).key, self._hasher.dummy)
        if not login.user_id:
            return
        try:
            self._mail.send_reset(login, proved=known)
        except TooManyAttempts as error:
            log.warning("A reset link for %s is not mailed: %s", self._pseudonym(login.address), error.detail)

    def defer_reset(self, message: StartReset) -> None:
        """Defer a requested reset link that has no attempts left, or give it up after its last deferral."""
        name, delay_s = self._pseudonym(address_of(message.email).key), next_deferral_s(message.deferrals)
        if delay_s is None:
            log.error("A reset link for %s is given up, because all attempts to mail it failed.", name)
            return
        self._queues.send(replace(message, deferrals=message.deferrals + 1), delay_s=delay_s)
        log.warning("A reset link for %s could not be mailed and is deferred for %d s.", name, delay_s)

    def reset_password(self, link_token: str, password: str, origin: RequestOrigin) -> str:
        """Set a new password by a mailed link, confirm the address and end every session.

        Returns a token by which this device is known at the next login. Raises LinkExpired, Malformed, TooManyAttempts.
        """
        self._limit_links(origin)
        user_id = self._links.use_link(link_token, LinkPurpose.RESET)
        try:
            login = self._existing_login(user_id)
            chosen = validate_new_password(password, address_of(login.email))
            new = self._hasher.hash(chosen, self._authentication.line_of(login))
        except (Malformed, StoreUnavailable):
            self._links.restore_link(link_token, user_id, LinkPurpose.RESET)
            raise
        if not self._logins.replace_hash(user_id, over=login.password_hash, new=new):
            raise Conflict("Your password was changed on another device at the same time. Request a new link.")
        self._logins.confirm_address(user_id, self._now())
        self._sessions.end_sessions_of(user_id)
        self._mail.notify("password_changed", login)
        return self._devices.issue_token(login.address)

    # The owner

    def find_account(self, email: str) -> Viewer:
        """Return the account of an address. Raises NotFound."""
        login = self._logins.find_login(address_of(email).key, self._hasher.dummy)
        if not login.user_id:
            raise NotFound("This email address has no account. The person must register first.")
        return viewer_of(login)

    def emails_of(self, user_ids: Iterable[str | None]) -> dict[str, str]:
        """Return the email addresses of accounts by their ids, without those that do not exist."""
        return self._logins.emails_of(sorted({each for each in user_ids if each and _USER_ID.fullmatch(each)}))

    def make_administrator(self, email: str, *, language: str = "") -> tuple[Viewer, bool, str | None]:
        """Make an account an administrator; return the account, whether it is new, and a password link if needed.

        An account with an unconfirmed address may belong to a stranger who registered the address first. Its password
        is therefore removed, and a link to set a new one is returned and mailed. `language` is that of a new account.
        """
        address = address_of(email)
        login = self._logins.find_login(address.key, self._hasher.dummy)
        created = not login.user_id
        if created:
            login = self._new_login(address.email, address.key, self._hasher.unusable())
            self._logins.add_login(login)
            self.email_choices.use_language(login.user_id, language)
        elif login.confirmed_at is None:
            unusable = self._hasher.unusable()
            if not self._logins.replace_hash(login.user_id, over=login.password_hash, new=unusable):
                raise Conflict("The password of this account was changed at the same time. Try again.")
            self._sessions.end_sessions_of(login.user_id)
        self._logins.make_administrator(login.user_id)
        viewer = self._updated_viewer(login.user_id)
        if viewer.confirmed:
            return viewer, created, None
        link = self._links.make_link(login.user_id, LinkPurpose.RESET)
        self._mail.notify("welcome_admin", login, link, by_owner=True)
        return viewer, created, link

    def _authenticate_again(self, viewer: Viewer, password: str, origin: RequestOrigin) -> Login:
        try:
            login = self._authentication.authenticate(address_of(viewer.email), password, origin, known=SESSION)
        except WrongCredentials:
            raise WrongPassword("The password is wrong.") from None
        if login.user_id != viewer.user_id:
            raise Unauthenticated("This account has been deleted, so you are logged out.")
        return login

    def _new_login(self, email: str, key: str, password_hash: str) -> Login:
        return Login(uuid.uuid4().hex, key, email, password_hash, False, None, self._now())

    def _updated_viewer(self, user_id: str) -> Viewer:
        """Return the viewer as currently stored, and update the rights of their sessions."""
        return update_rights(self._logins, self._sessions, viewer_of(self._existing_login(user_id)))

    def _existing_login(self, user_id: str) -> Login:
        login = self._logins.get_login(user_id)
        if login is None:
            raise Conflict("This account has just been deleted.")
        return login

    def _limit_links(self, origin: RequestOrigin) -> None:
        require(
            self._limiter, network_buckets(origin.ip, "link", LINK), "Too many links were opened from your network."
        )
