"""Accounts: what a person does with their own, what the owner does, and what other slices ask: who is this?"""

from __future__ import annotations

import logging
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from functions.accounts.addresses import address_of
from functions.accounts.model import Login, Outcome, Purpose, Viewer
from functions.accounts.password_policy import chosen_password
from functions.accounts.rate_limits import (
    CONFIRMATION,
    LINK,
    REGISTRATION,
    RESET_OF_ADDRESS,
    RESET_OF_NETWORK,
    Count,
    network_of,
    require,
)
from functions.platform.errors import (
    Conflict,
    Forbidden,
    Malformed,
    NotFound,
    StoreUnavailable,
    Unauthenticated,
    WrongCredentials,
    WrongPassword,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from functions.accounts.authentication import Gate, Hasher
    from functions.accounts.links import Links
    from functions.accounts.login_history import Journal
    from functions.accounts.model import HistoryEntry, Logins, NewSession, Origin, Session
    from functions.accounts.rate_limits import Limiter

log = logging.getLogger(__name__)


class Sessions(Protocol):
    """The store of sessions; every method raises StoreUnavailable while it is away."""

    def open(self, viewer: Viewer, *, ip: str, browser: str) -> NewSession:
        """Open a session."""

    def find(self, token: str) -> Session | None:
        """Return the live session of a token, and note that it is in use."""

    def close(self, token: str) -> None:
        """End the session of a token."""

    def close_all(self, user_id: str) -> None:
        """End every session of an account."""

    def amend(self, viewer: Viewer) -> None:
        """Let the live sessions of an account know its rights."""


@dataclass(frozen=True, slots=True)
class Parts:
    """What accounts are made of."""

    logins: Logins
    sessions: Sessions
    hasher: Hasher
    gate: Gate
    limiter: Limiter
    links: Links
    journal: Journal


@dataclass(frozen=True, slots=True)
class Outside:
    """What accounts ask of the rest of the application; each of the senders raises StoreUnavailable."""

    send_letter: Callable[[str, str, str], None]
    """Of a kind, to an address, with a link."""

    start_reset: Callable[[str], None]
    """Of an address, whether there is an account of it or not."""

    forget: Callable[[str], None]
    """All that is known of a user, once the account is gone."""

    pseudonym: Callable[[str], str]
    now: Callable[[], datetime]


class Accounts:
    """The accounts."""

    def __init__(self, parts: Parts, outside: Outside) -> None:
        self._logins = parts.logins
        self._sessions = parts.sessions
        self._hasher = parts.hasher
        self._gate = parts.gate
        self._limiter = parts.limiter
        self._links = parts.links
        self._journal = parts.journal
        self._outside = outside

    # Who is asking

    def session(self, token: str) -> Session:
        """Return the session of a token; raise Unauthenticated if it is missing, unknown or over."""
        session = self._sessions.find(token) if token else None
        if session is None:
            raise Unauthenticated("Nobody is logged in, or no longer; log in and try again.")
        return session

    def viewer(self, token: str) -> Viewer:
        """Return who is logged in under a token; raise Unauthenticated."""
        return self.session(token).viewer

    def administrator(self, token: str) -> Viewer:
        """Return the administrator logged in under a token; raise Unauthenticated, or Forbidden for anyone else."""
        viewer = self.viewer(token)
        if not viewer.admin:
            raise Forbidden("Only an administrator may do this; log in as one.")
        return viewer

    # Coming and going

    def register(self, email: str, password: str, origin: Origin) -> Viewer:
        """Open an account and mail a link that confirms its address; raise AddressTaken, Malformed, TooManyAttempts."""
        address = address_of(email)
        chosen = chosen_password(password, address)
        require(
            self._limiter,
            Count(network_of(origin.ip), "registration", REGISTRATION),
            "Many accounts were opened from your network within the hour.",
        )
        login = self._new_login(address.email, address.key, self._hasher.hash(chosen))
        self._logins.register(login)
        try:
            self._send_confirmation(login.user_id, login.email)
        except StoreUnavailable as error:
            log.error("The first letter to %s could not be sent: %s", self._name(login.address), error.detail)
        return _viewer(login)

    def log_in(self, email: str, password: str, origin: Origin, *, replacing: str = "") -> NewSession:
        """Open a session, always under a new token, and end the one of the token `replacing`; raise as Gate.admit."""
        login = self._gate.admit(address_of(email), password, origin)
        opened = self._sessions.open(_viewer(login), ip=origin.ip, browser=origin.browser)
        # Whoever changes a password or deletes an account ends its sessions afterwards. One that was opened between
        # the two, by the old password, is found out here; one that is opened before them is ended by them.
        current = self._logins.get(login.user_id)
        if current is None or not self._gate.still(login, current, password):
            self._sessions.close(opened.token)
            raise WrongCredentials("The address or the password is wrong.")
        if _viewer(current) != _viewer(login):
            self._sessions.amend(_viewer(current))
        if replacing:
            self._sessions.close(replacing)
        self._gate.renew(login, password)
        self._journal.note(login.user_id, origin, Outcome.SUCCESS)
        return opened

    def log_out(self, token: str) -> None:
        """End the session of a token."""
        self._sessions.close(token)

    def log_out_everywhere(self, viewer: Viewer) -> None:
        """End every session of a viewer."""
        self._sessions.close_all(viewer.user_id)

    def logins_of(self, viewer: Viewer, cursor: str) -> tuple[list[HistoryEntry], str | None]:
        """Return a page of a viewer's history, newest first, and the next cursor; raise Malformed."""
        return self._journal.page(viewer.user_id, cursor)

    # One's own account

    def change_password(self, viewer: Viewer, current: str, new: str, origin: Origin) -> NewSession:
        """Set a new password, end every session and open a new one; raise WrongPassword, Malformed, TooManyAttempts."""
        chosen = chosen_password(new, address_of(viewer.email))
        login = self._admit_again(viewer, current, origin)
        if not self._logins.replace_hash(login.user_id, over=login.password_hash, new=self._hasher.hash(chosen)):
            raise Conflict("The password was changed elsewhere at this moment; log in again and look.")
        self._sessions.close_all(login.user_id)
        opened = self._sessions.open(_viewer(login), ip=origin.ip, browser=origin.browser)
        self._tell("password_changed", login)
        return opened

    def delete(self, viewer: Viewer, password: str, origin: Origin) -> None:
        """Delete the account and have all that is known of it forgotten; raise WrongPassword, TooManyAttempts."""
        login = self._admit_again(viewer, password, origin)
        # Asked for first, and done only once the account is gone: so nothing can be left that nobody asks for again.
        self._outside.forget(login.user_id)
        self._logins.delete(login.user_id)
        self._sessions.close_all(login.user_id)
        self._tell("account_deleted", login)

    def is_gone(self, user_id: str) -> bool:
        """Return whether there is no account of that id; its sessions are ended then, should any be left."""
        if self._logins.get(user_id) is not None:
            return False
        self._sessions.close_all(user_id)
        return True

    def tidy(self) -> None:
        """Delete what nobody needs any more: links that are over, entries of the history that are old."""
        links, entries = self._logins.expire_links(self._outside.now()), self._journal.expire()
        log.info("%d links and %d entries of the login history were deleted for their age.", links, entries)

    # Mailed links

    def send_confirmation(self, viewer: Viewer) -> None:
        """Mail another link that confirms the address; raise Conflict if it is confirmed, TooManyAttempts."""
        if viewer.confirmed:
            raise Conflict("The address is confirmed already.")
        require(
            self._limiter,
            Count(viewer.user_id, "confirmation", CONFIRMATION),
            "Several links were mailed to you within the hour; look for the last of them, also among unwanted mail.",
        )
        self._send_confirmation(viewer.user_id, viewer.email)

    def confirm(self, link_token: str, origin: Origin) -> str:
        """Note that the address of a link is confirmed, and return it; raise LinkOver."""
        self._count_link(origin)
        user_id = self._links.use(link_token, Purpose.CONFIRM)
        self._logins.confirm(user_id, self._outside.now())
        return self._amended(user_id).email

    def ask_reset(self, email: str, origin: Origin) -> None:
        """Have a link mailed that sets a new password, if there is an account; raise Malformed, TooManyAttempts."""
        address = address_of(email)
        sentence = "Several links were asked for within the hour; look for the last, also among unwanted mail."
        require(self._limiter, Count(network_of(origin.ip), "reset", RESET_OF_NETWORK), sentence)
        require(self._limiter, Count(self._name(address.key), "reset", RESET_OF_ADDRESS), sentence)
        self._outside.start_reset(address.email)

    def start_reset(self, email: str) -> None:
        """Mail the link that was asked for; nothing happens if there is no account of the address."""
        login = self._logins.find(address_of(email).key, self._hasher.dummy)
        if login.user_id:
            self._outside.send_letter("reset", login.email, self._links.make(login.user_id, Purpose.RESET))

    def reset(self, link_token: str, password: str, origin: Origin) -> None:
        """Set a new password by a mailed link, confirm the address and end every session; raise LinkOver, Malformed."""
        self._count_link(origin)
        user_id = self._links.use(link_token, Purpose.RESET)
        try:
            login = self._require(user_id)
            new = self._hasher.hash(chosen_password(password, address_of(login.email)))
        except (Malformed, StoreUnavailable):
            self._links.give_back(link_token, user_id, Purpose.RESET)
            raise
        if not self._logins.replace_hash(user_id, over=login.password_hash, new=new):
            raise Conflict("The password was changed elsewhere at this moment; ask for a new link.")
        self._logins.confirm(user_id, self._outside.now())
        self._sessions.close_all(user_id)
        self._tell("password_changed", login)

    # The owner

    def find(self, email: str) -> Viewer:
        """Return the account of an address; raise NotFound."""
        login = self._logins.find(address_of(email).key, self._hasher.dummy)
        if not login.user_id:
            raise NotFound("There is no account of that address; whoever it is for must register first.")
        return _viewer(login)

    def make_administrator(self, email: str) -> tuple[Viewer, bool, str | None]:
        """Make the account of an address an administrator's; return it, whether it is new, and a link if it needs one.

        An account whose address nobody has confirmed may be that of a stranger who got there first: its password is
        taken away, and the link, which is mailed too, sets another.
        """
        address = address_of(email)
        login = self._logins.find(address.key, self._hasher.dummy)
        created = not login.user_id
        if created:
            login = self._new_login(address.email, address.key, self._hasher.unusable())
            self._logins.register(login)
        elif login.confirmed_at is None:
            unusable = self._hasher.unusable()
            if not self._logins.replace_hash(login.user_id, over=login.password_hash, new=unusable):
                raise Conflict("The password of this account was changed at this moment; try again.")
            self._sessions.close_all(login.user_id)
        self._logins.make_administrator(login.user_id)
        viewer = self._amended(login.user_id)
        if viewer.confirmed:
            return viewer, created, None
        link = self._links.make(login.user_id, Purpose.RESET)
        self._tell("welcome_admin", login, link)
        return viewer, created, link

    def _admit_again(self, viewer: Viewer, password: str, origin: Origin) -> Login:
        try:
            login = self._gate.admit(address_of(viewer.email), password, origin)
        except WrongCredentials:
            raise WrongPassword("The password is wrong.") from None
        if login.user_id != viewer.user_id:
            raise Unauthenticated("This account is gone; log in again.")
        return login

    def _new_login(self, email: str, key: str, password_hash: str) -> Login:
        return Login(uuid.uuid4().hex, key, email, password_hash, False, None, self._outside.now())

    def _send_confirmation(self, user_id: str, email: str) -> None:
        self._outside.send_letter("confirm", email, self._links.make(user_id, Purpose.CONFIRM))

    def _tell(self, kind: str, login: Login, link: str = "") -> None:
        """Send a letter about what has been done already, and which must not seem undone if it cannot be sent."""
        try:
            self._outside.send_letter(kind, login.email, link)
        except StoreUnavailable as error:
            log.error("A letter (%s) to %s could not be sent: %s", kind, self._name(login.address), error.detail)

    def _amended(self, user_id: str) -> Viewer:
        """Return the viewer as the store has them now, and let their sessions know."""
        viewer = _viewer(self._require(user_id))
        self._sessions.amend(viewer)
        return viewer

    def _require(self, user_id: str) -> Login:
        login = self._logins.get(user_id)
        if login is None:
            raise Conflict("The account has just been deleted.")
        return login

    def _count_link(self, origin: Origin) -> None:
        require(self._limiter, Count(network_of(origin.ip), "link", LINK), "Many links were tried from your network.")

    def _name(self, key: str) -> str:
        return self._outside.pseudonym(key)


def _viewer(login: Login) -> Viewer:
    return Viewer(login.user_id, login.email, admin=login.admin, confirmed=login.confirmed_at is not None)
