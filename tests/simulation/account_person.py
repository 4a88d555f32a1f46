"""A person with an account in a simulation: what they ask for, and what was acknowledged."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING

from functions import bootstrap
from functions.accounts.admin_auth import OPERATOR
from functions.accounts.login_flow import SecondFactorNeeded
from functions.accounts.model import EmailChoices, FactorProof
from functions.accounts.profiles import Profile, ProfileChange, ProfileColour, ProfileProof
from functions.people import triggers as people_triggers
from functions.platform.audit import call_recorded
from functions.platform.errors import AddressTaken, Unauthenticated, WrongCredentials, WrongPassword, WrongSecondFactor
from functions.usage.model import Heartbeat
from tests.support.accounts import HOME, token_of
from tests.support.authenticators import AuthenticatorApp

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from datetime import datetime

    from functions.accounts.model import OpenedSession, Session
    from functions.mail.model import Email
    from functions.platform.viewer import Viewer
    from tests.support.billing import ModelPayPal

FILM, FILM_S = "film-1a2b3c", 120.0
PLAN = "P-MONTHLY"
GERMAN = "de"
UNUSABLE = ""
"""The password of an account whose password the owner removed: nobody can log in with it."""


@dataclass(slots=True)
class Change:
    """A change of the password: when its request began, and when it was acknowledged or, if it was not, ended."""

    began: datetime
    ended: datetime
    password: str = UNUSABLE
    acknowledged: bool = False


@dataclass(slots=True)
class Received:
    """An email, when it was delivered, and until when its link was valid then."""

    email: Email
    at: datetime
    until: datetime | None


class Inbox:
    """A mail server that delivers every email to one inbox; `until` returns until when the link of a token is valid."""

    def __init__(self, now: Callable[[], datetime], until: Callable[[str], datetime | None]) -> None:
        self.received: list[Received] = []
        self._now = now
        self._until = until

    def deliver(self, email: Email, *, to: str, email_id: str) -> None:
        del to, email_id
        tokens = [token for line in email.text.split() if (token := token_of(line))]
        self.received.append(Received(email, self._now(), self._until(tokens[0]) if tokens else None))

    def link(self, word: str) -> str | None:
        """Return the token of the latest link whose address contains a word, or None."""
        for each in reversed(self.received):
            for line in each.email.text.split():
                if word in line and (token := token_of(line)):
                    return token
        return None


@dataclass
class Person:
    """One person; the methods are requests, which may be repeated until they are answered.

    `changes` are the changes of the password by the name of the request. `log_outs`, `resets` and `actions` are the
    times at which acknowledged requests began: those that end all sessions, those for a link of an existing account,
    and those of the owner, with their names. `tokens` are those of all sessions that the person got, `ended` those of
    the sessions that the person ended. `profiles` are the ids of the accounts by those of their profiles.
    """

    inbox: Inbox
    paypal: ModelPayPal
    now: Callable[[], datetime]
    email: str = "jo@example.org"
    viewer: Viewer | None = None
    confirmed: bool = False
    deleted: set[str] = field(default_factory=set)
    changes: dict[str, Change] = field(default_factory=dict)
    log_outs: list[datetime] = field(default_factory=list)
    resets: list[datetime] = field(default_factory=list)
    actions: list[tuple[str, datetime]] = field(default_factory=list)
    ended: set[str] = field(default_factory=set)
    token: str = ""
    tokens: set[str] = field(default_factory=set)
    apps: list[AuthenticatorApp] = field(default_factory=list)
    codes: tuple[str, ...] = ()
    protected: bool = False
    chosen: bool = False
    profiles: dict[str, str] = field(default_factory=dict)
    removed_profiles: set[str] = field(default_factory=set)

    # What is known about the password

    def possible_passwords(self) -> list[str]:
        """Return the passwords that the account may have now, the latest first.

        A change that was not acknowledged may have been made or not; any change replaces those that had ended before
        it began.
        """
        changes = list(self.changes.values())
        acknowledged = [each for each in changes if each.acknowledged]
        return [
            each.password
            for each in reversed(changes)
            if not any(later.began > each.ended for later in acknowledged if later is not each)
        ]

    @contextmanager
    def _changing(self, name: str, password: str, *, acknowledges: bool = True) -> Iterator[None]:
        """Note a change of the password; unless an error is raised, it is acknowledged."""
        began = self.now()
        change = self.changes.setdefault(name, Change(began, began, password))
        try:
            yield
            if acknowledges:
                change.began = max(began, change.began) if change.acknowledged else began
                change.acknowledged = True
        finally:
            change.ended = self.now()  # also if it was acknowledged before: a repetition may make it again

    def _with_password[R](self, ask: Callable[[str], R], among: Sequence[str] | None = None) -> R:
        """Return the answer to a request that needs the password, trying those that the account may have."""
        for password in self.possible_passwords() if among is None else among:
            if password != UNUSABLE:
                try:
                    return ask(password)
                except (WrongCredentials, WrongPassword):
                    continue
        raise WrongPassword("The account has none of the person's passwords (simulated).")

    # Registering and logging in

    def register(self, password: str) -> None:
        try:
            with self._changing("register", password):
                viewer = bootstrap.accounts().register(self.email, password, HOME)
        except AddressTaken:  # the answer to an earlier try was lost, or the owner has appointed the person
            viewer = bootstrap.accounts().find_account(self.email)
        if self.viewer and self.viewer.user_id != viewer.user_id:  # registered late, after the first was deleted
            self.confirmed = self.protected = self.chosen = False
        self.viewer = viewer

    def confirm(self) -> None:
        if token := self.inbox.link("confirm.html"):
            bootstrap.accounts().confirm_address(token, HOME)
            self.confirmed = True
        elif self.viewer:
            bootstrap.accounts().send_confirmation(self._session().viewer)

    def log_in(self) -> None:
        self._open_session()

    def log_out(self) -> None:
        if token := self.token:
            bootstrap.accounts().log_out(token)
            self.ended.add(token)

    def log_out_everywhere(self) -> None:
        viewer = self._session().viewer
        with self._ending_sessions():
            bootstrap.accounts().log_out_everywhere(viewer)

    @contextmanager
    def _ending_sessions(self) -> Iterator[None]:
        """Note a request that ends all sessions; unless an error is raised, it is acknowledged."""
        began = self.now()
        yield
        self.log_outs.append(began)

    def look(self) -> None:
        """Open the account page."""
        viewer = self._session().viewer
        bootstrap.accounts().logins_of(viewer, cursor="", limit=9)
        bootstrap.accounts().factors.overview(viewer)

    def _session(self) -> Session:
        """Return the person's session; if there is none, log in."""
        try:
            return bootstrap.accounts().session(self.token)
        except Unauthenticated:
            return self._open_session()

    def _open_session(self) -> Session:
        def ask(password: str) -> OpenedSession:
            try:
                return bootstrap.accounts().log_in(self.email, password, HOME)
            except SecondFactorNeeded as needed:
                ticket = needed.challenge.ticket
            return self._prove(lambda proof: bootstrap.accounts().log_in_with_factor(ticket, proof, HOME))

        return self._keep(self._with_password(ask))

    def _keep(self, opened: OpenedSession) -> Session:
        self.token = opened.token
        self.tokens.add(opened.token)
        return opened.session

    def _prove[R](self, ask: Callable[[FactorProof], R]) -> R:
        """Answer a challenge with the code of an app; if none is accepted, with a recovery code."""
        for app in reversed(self.apps):
            try:
                return ask(FactorProof(app.code(self.now())))
            except WrongSecondFactor:
                continue
        for code in self.codes[:2]:
            try:
                return ask(FactorProof(code))
            except WrongSecondFactor:
                continue
        raise WrongSecondFactor("The person has no valid code (simulated).")

    # Changing the account

    def request_reset(self, exists: Callable[[], bool]) -> None:
        began, existed = self.now(), exists()
        bootstrap.accounts().request_reset(self.email, HOME)
        if existed:
            self.resets.append(began)

    def reset_password(self, name: str, password: str) -> None:
        if token := self.inbox.link("reset.html"):
            with self._changing(name, password), self._ending_sessions():
                bootstrap.accounts().reset_password(token, password, HOME)

    def change_password(self, name: str, password: str) -> None:
        session = self._session()

        def ask(current: str) -> OpenedSession:
            return bootstrap.accounts().change_password(session.viewer, current, password, HOME, factor=session.factor)

        among = self.possible_passwords()  # unless an earlier try may have set it, the new one is not among them
        with self._changing(name, password), self._ending_sessions():
            self._keep(self._with_password(ask, among))

    def add_app(self) -> None:
        """Add an authenticator app."""
        factors, session = bootstrap.accounts().factors, self._session()
        setup = factors.begin_totp(session.viewer, self._permit(session.viewer))
        app = AuthenticatorApp(setup.key)
        self.apps.append(app)
        with self._ending_sessions():
            changed = factors.finish_totp(session, setup.ticket, app.code(self.now()), "Phone", HOME)
        self._keep(changed.opened)
        self.protected = True
        self.codes = changed.recovery_codes or self.codes

    def remove_app(self) -> None:
        """Remove the first of the authenticator apps."""
        factors, session = bootstrap.accounts().factors, self._session()
        permit = self._permit(session.viewer)
        for each in factors.overview(session.viewer).factors[:1]:
            with self._ending_sessions():
                self._keep(factors.remove(session, permit, each.factor_id, HOME).opened)

    def renew_codes(self) -> None:
        viewer = self._session().viewer
        self.codes = bootstrap.accounts().factors.renew_recovery_codes(viewer, self._permit(viewer))

    def _permit(self, viewer: Viewer) -> str:
        factors = bootstrap.accounts().factors
        asked = self._with_password(lambda password: factors.request_permit(viewer, password, HOME))
        if asked.challenge is None:
            return asked.permit
        ticket = asked.challenge.ticket
        return self._prove(lambda proof: factors.confirm_permit(viewer, ticket, proof, HOME)).permit

    def choose_emails(self) -> None:
        """Choose to get no emails about payments, and all others in German."""
        viewer = self._session().viewer
        bootstrap.accounts().email_choices.use_language(viewer.user_id, GERMAN)
        bootstrap.accounts().email_choices.choose(viewer, EmailChoices(payments=False))
        self.chosen = True

    # Profiles

    def add_profile(self, name: str) -> None:
        """Add a profile, let the session use it, and put a title on its list."""
        session, profiles = self._session(), bootstrap.accounts().profiles
        change = ProfileChange(name, ProfileColour.MINT, 12)
        added = self._with_password(lambda password: profiles.add(session, change, ProfileProof(password), HOME))
        self.profiles[added.profile_id] = added.user_id
        profiles.switch(self.token, session, added.profile_id, "")
        bootstrap.usage().list_title(self._session().viewer.watcher_id, FILM)

    def limit_profile(self) -> None:
        """Limit the first profile to a lower age, and give the account's own a PIN."""
        session, profiles = self._session(), bootstrap.accounts().profiles

        def edit(each: Profile, password: str) -> Profile:
            change = ProfileChange("Jo", each.colour, None if each.is_own else 6, "1234" if each.is_own else None)
            return profiles.edit(session, each.profile_id, change, ProfileProof(password), HOME)

        for each in profiles.overview(session.viewer).profiles[:2]:
            self._with_password(partial(edit, each))

    def remove_profile(self) -> None:
        """Delete the first profile."""
        session, profiles = self._session(), bootstrap.accounts().profiles

        def remove(profile_id: str, password: str) -> None:
            profiles.remove(self.token, session, profile_id, ProfileProof(password), HOME)

        for each in profiles.overview(session.viewer).profiles[1:2]:
            self._with_password(partial(remove, each.profile_id))
            self.removed_profiles.add(each.profile_id)

    # Watching, paying and leaving

    def subscribe(self) -> None:
        viewer = replace(self._session().viewer, confirmed=True)
        opened = bootstrap.billing().subscriptions.subscribe(viewer, PLAN)
        self.paypal.approve(opened.subscription_id)

    def watch(self) -> None:
        viewer = self._session().viewer
        opened = bootstrap.usage().open(viewer.watcher_id, FILM, duration_s=FILM_S)
        if opened.ticket:
            bootstrap.usage().record_heartbeat(FILM, opened.ticket, Heartbeat(0, 70.0))

    def delete(self) -> None:
        viewer = self.viewer
        if viewer:
            self._with_password(lambda password: bootstrap.accounts().delete_account(viewer, password, HOME))
            self.deleted.add(viewer.user_id)

    # The owner

    def appoint(self, name: str) -> None:
        """Make the person an administrator, which removes the password of an account that is not confirmed."""
        with self._changing(name, UNUSABLE, acknowledges=False):
            bootstrap.accounts().make_administrator(self.email)

    def revoke(self) -> None:
        if self.viewer:
            with self._ending_sessions():
                bootstrap.accounts().administrators.revoke(self.viewer.user_id, by=OPERATOR)

    def remove_factors(self) -> None:
        """Remove all second factors of the person, who has lost them."""
        with self._ending_sessions():
            bootstrap.accounts().factors.reset(self.email, by=OPERATOR)

    def act(self, name: str) -> None:
        """Do something with the account as the owner, by a route of people whose calls are recorded."""
        if viewer := self.viewer:
            (route,) = (each for each in people_triggers.app.routes if each.name == name)
            began, arguments = self.now(), {"id": viewer.user_id, "owner": OPERATOR}
            with self._ending_sessions():
                call_recorded(bootstrap.resources, route, arguments, owner=OPERATOR)
            self.actions.append((name, began))
            if name == "erase_person":
                self.deleted.add(viewer.user_id)
