"""Accounts: registration, sessions, passwords and mailed links, for viewers, the owner, and other slices."""

from __future__ import annotations

import logging
import uuid
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from functions.accounts.addresses import address_of, tagged_inbox_of
from functions.accounts.hash_queue import Line
from functions.accounts.model import LinkPurpose, Login, LoginOutcome
from functions.accounts.password_policy import validate_new_password
from functions.accounts.rate_limits import (
    CONFIRMATION,
    LINK,
    REGISTRATION,
    RESET_OF_ADDRESS,
    RESET_OF_NETWORK,
    UNCONFIRMED_TAGS_OF_INBOX,
    RateLimitBucket,
    network_of,
    require,
    site_of,
)
from functions.platform.errors import (
    AccountStillExists,
    Conflict,
    Forbidden,
    Malformed,
    NotFound,
    StoreUnavailable,
    TooManyAttempts,
    Unauthenticated,
    WrongCredentials,
    WrongPassword,
)
from functions.platform.messages import ForgetViewer, SendMail, StartReset
from functions.platform.viewer import Viewer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import datetime

    from functions.accounts.authentication import Authentication
    from functions.accounts.known_devices import KnownDevices
    from functions.accounts.links import MailedLinks
    from functions.accounts.login_history import LoginHistoryService
    from functions.accounts.model import LoginHistoryEntry, OpenedSession, RequestOrigin, Session
    from functions.accounts.ports import LoginStore, MessageSender, PasswordHasher, RateLimiter, SessionStore
    from functions.platform.pagination import Page

log = logging.getLogger(__name__)

FORGET_AFTER_S = 5
"""Delay of the message, so that the account is deleted first; a message that is handled too early is retried."""


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
        self.login_history = parts.history
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
        """Return the administrator of a session. Raises Unauthenticated, or Forbidden for another viewer's session."""
        viewer = self.viewer(token)
        if not viewer.admin:
            raise Forbidden("Only an administrator can do this. Log in as one.")
        return viewer

    def register(self, email: str, password: str, origin: RequestOrigin) -> Viewer:
        """Open an account and mail a confirmation link. Raises AddressTaken, Malformed, TooManyAttempts."""
        address = address_of(email)
        chosen = validate_new_password(password, address)
        require(
            self._limiter,
            RateLimitBucket(network_of(origin.ip), "registration", REGISTRATION),
            "Too many accounts were created from your network in the last hour.",
        )
        new = self._hasher.hash(chosen, Line(site_of(origin.ip)))
        login = self._new_login(address.email, address.key, new)
        self._logins.add_login(login)
        try:
            self._limit_tags(login)
            self._send_confirmation(login.user_id, login.email)
        except (StoreUnavailable, TooManyAttempts) as error:
            log.error("The first email to %s could not be sent: %s", self._pseudonym(login.address), error.detail)
        return _viewer(login)

    def log_in(
        self, email: str, password: str, origin: RequestOrigin, *, replacing: str = "", device: str = ""
    ) -> OpenedSession:
        """Open a session under a new token, and end the session of the token `replacing`.

        If `device` is the token of a known device, the attempt has priority. Raises the errors of
        `Authentication.authenticate`.
        """
        address = address_of(email)
        known = self._devices.is_known(address.key, device)
        login = self._authentication.authenticate(address, password, origin, known=known)
        opened = self._open_session(login, origin)
        # Changing the password or deleting the account ends all sessions as its last step. A session that the old
        # password opened before that step is ended by that step; a session opened later is detected here.
        current = self._logins.get_login(login.user_id)
        if current is None or not self._authentication.still_valid(login, current, password):
            self._sessions.end_session(opened.token)
            raise WrongCredentials("The email address or the password is wrong.")
        if _viewer(current) != _viewer(login):
            self._sessions.update_rights(_viewer(current))
        if replacing:
            self._sessions.end_session(replacing)
        self._authentication.renew_hash(login, password)
        self.login_history.record_attempt(login.user_id, origin, LoginOutcome.SUCCESS)
        return opened

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

    def change_password(self, viewer: Viewer, current: str, new: str, origin: RequestOrigin) -> OpenedSession:
        """Set a new password, end all sessions and open a new one. Raises WrongPassword, Malformed, TooManyAttempts."""
        chosen = validate_new_password(new, address_of(viewer.email))
        login = self._authenticate_again(viewer, current, origin)
        new_hash = self._hasher.hash(chosen, self._authentication.line_of(login))
        if not self._logins.replace_hash(login.user_id, over=login.password_hash, new=new_hash):
            raise Conflict("Your password was changed on another device at the same time. Log in again.")
        self._sessions.end_sessions_of(login.user_id)
        opened = self._open_session(login, origin)
        self._notify("password_changed", login)
        return opened

    def delete_account(self, viewer: Viewer, password: str, origin: RequestOrigin) -> None:
        """Delete the account and enqueue the deletion of its data. Raises WrongPassword, TooManyAttempts."""
        login = self._authenticate_again(viewer, password, origin)
        # enqueued first and executed only once the account is deleted, so that no data can be left behind
        self._queues.send(ForgetViewer(login.user_id), delay_s=FORGET_AFTER_S)
        self._logins.delete_login(login.user_id)
        self._sessions.end_sessions_of(login.user_id)
        self._notify("account_deleted", login)

    def forget_viewer(self, user_id: str) -> None:
        """Delete all data of a deleted account in every slice. Raises AccountStillExists. Idempotent."""
        if self._logins.get_login(user_id) is not None:
            raise AccountStillExists(f"The account {user_id} still exists; its data is not deleted.")
        self._sessions.end_sessions_of(user_id)
        self.login_history.forget_viewer(user_id)
        for forget in self._forgetters():
            forget(user_id)

    def delete_expired(self) -> None:
        """Delete expired links and old entries of the login history."""
        links, entries = self._logins.delete_expired_links(self._now()), self.login_history.delete_expired()
        log.info("%d expired links and %d old entries of the login history were deleted.", links, entries)

    # Mailed links

    def send_confirmation(self, viewer: Viewer) -> None:
        """Mail another confirmation link. Raises Conflict if the address is already confirmed, TooManyAttempts."""
        if viewer.confirmed:
            raise Conflict("Your email address is already confirmed.")
        require(
            self._limiter,
            RateLimitBucket(viewer.user_id, "confirmation", CONFIRMATION),
            "We already sent you several links in the last hour. Check your inbox and your spam folder.",
        )
        self._limit_tags(self._existing_login(viewer.user_id))
        self._send_confirmation(viewer.user_id, viewer.email)

    def confirm_address(self, link_token: str, origin: RequestOrigin) -> str:
        """Confirm the address to which a link was mailed, and return it. Raises LinkExpired, TooManyAttempts."""
        self._limit_links(origin)
        user_id = self._links.use_link(link_token, LinkPurpose.CONFIRM)
        self._logins.confirm_address(user_id, self._now())
        return self._updated_viewer(user_id).email

    def request_reset(self, email: str, origin: RequestOrigin) -> None:
        """Request a reset link; takes the same time with or without an account. Raises Malformed, TooManyAttempts."""
        address = address_of(email)
        sentence = "Several links were requested recently, and each is valid. Check your inbox and your spam folder."
        require(self._limiter, RateLimitBucket(network_of(origin.ip), "reset", RESET_OF_NETWORK), sentence)
        require(self._limiter, RateLimitBucket(self._pseudonym(address.key), "reset", RESET_OF_ADDRESS), sentence)
        self._queues.send(StartReset(address.email))

    def mail_reset_link(self, email: str) -> None:
        """Mail a requested reset link, if the address has an account."""
        login = self._logins.find_login(address_of(email).key, self._hasher.dummy)
        if not login.user_id:
            return
        try:
            self._limit_tags(login)
        except TooManyAttempts as error:
            log.warning("A reset link for %s is not mailed: %s", self._pseudonym(login.address), error.detail)
            return
        link = self._links.make_link(login.user_id, LinkPurpose.RESET)
        self._queues.send(SendMail("reset", login.email, link))

    def give_up_reset(self, email: str) -> None:
        """Log that a requested reset link could not be mailed; the person can request another."""
        log.error("A reset link for %s could not be mailed; it is given up.", self._pseudonym(address_of(email).key))

    def reset_password(self, link_token: str, password: str, origin: RequestOrigin) -> None:
        """Set a new password by a mailed link, confirm the address and end every session.

        Raises LinkExpired, Malformed, TooManyAttempts.
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
        self._notify("password_changed", login)

    # The owner

    def find_account(self, email: str) -> Viewer:
        """Return the account of an address. Raises NotFound."""
        login = self._logins.find_login(address_of(email).key, self._hasher.dummy)
        if not login.user_id:
            raise NotFound("This email address has no account. The person must register first.")
        return _viewer(login)

    def make_administrator(self, email: str) -> tuple[Viewer, bool, str | None]:
        """Make an account an administrator; return the account, whether it is new, and a password link if needed.

        An account with an unconfirmed address may belong to a stranger who registered the address first. Its password
        is therefore removed, and a link to set a new one is returned and mailed.
        """
        address = address_of(email)
        login = self._logins.find_login(address.key, self._hasher.dummy)
        created = not login.user_id
        if created:
            login = self._new_login(address.email, address.key, self._hasher.unusable())
            self._logins.add_login(login)
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
        self._notify("welcome_admin", login, link)
        return viewer, created, link

    def _authenticate_again(self, viewer: Viewer, password: str, origin: RequestOrigin) -> Login:
        try:
            login = self._authentication.authenticate(address_of(viewer.email), password, origin, known=True)
        except WrongCredentials:
            raise WrongPassword("The password is wrong.") from None
        if login.user_id != viewer.user_id:
            raise Unauthenticated("This account has been deleted. Log in again.")
        return login

    def _open_session(self, login: Login, origin: RequestOrigin) -> OpenedSession:
        opened = self._sessions.open_session(_viewer(login), ip=origin.ip, browser=origin.browser)
        return replace(opened, device=self._devices.issue_token(login.address))

    def _new_login(self, email: str, key: str, password_hash: str) -> Login:
        return Login(uuid.uuid4().hex, key, email, password_hash, False, None, self._now())

    def _send_confirmation(self, user_id: str, email: str) -> None:
        self._queues.send(SendMail("confirm", email, self._links.make_link(user_id, LinkPurpose.CONFIRM)))

    def _notify(self, kind: str, login: Login, link: str = "") -> None:
        """Send an email about a completed change; the change does not fail if the email cannot be sent."""
        try:
            self._queues.send(SendMail(kind, login.email, link))
        except StoreUnavailable as error:
            name = self._pseudonym(login.address)
            log.error("An email of kind %s to %s could not be sent: %s", kind, name, error.detail)

    def _updated_viewer(self, user_id: str) -> Viewer:
        """Return the viewer as currently stored, and update the rights of their sessions."""
        viewer = _viewer(self._existing_login(user_id))
        self._sessions.update_rights(viewer)
        return viewer

    def _existing_login(self, user_id: str) -> Login:
        login = self._logins.get_login(user_id)
        if login is None:
            raise Conflict("This account has just been deleted.")
        return login

    def _limit_tags(self, login: Login) -> None:
        """Count an email to an unconfirmed address with a `+tag`. Raises TooManyAttempts.

        Anybody can register such addresses for a stranger's inbox. Emails to the inbox's other addresses are not
        counted, so that the limit cannot be used against the inbox's owner.
        """
        inbox = tagged_inbox_of(login.address)
        if inbox and login.confirmed_at is None:
            bucket = RateLimitBucket(self._pseudonym(inbox), "tags", UNCONFIRMED_TAGS_OF_INBOX)
            require(self._limiter, bucket, "Several emails were sent to this inbox in the last hour.")

    def _limit_links(self, origin: RequestOrigin) -> None:
        bucket = RateLimitBucket(network_of(origin.ip), "link", LINK)
        require(self._limiter, bucket, "Too many links were opened from your network.")


def _viewer(login: Login) -> Viewer:
    return Viewer(login.user_id, login.email, admin=login.admin, confirmed=login.confirmed_at is not None)
