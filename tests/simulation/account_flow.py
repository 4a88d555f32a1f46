"""From registering to being forgotten: accounts, mailed links, sessions, and everything that a deletion must remove."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

from functions import bootstrap
from functions.accounts import triggers as accounts_triggers
from functions.accounts.links import LIFETIME
from functions.accounts.login_flow import SecondFactorNeeded
from functions.accounts.secret_cipher import CannotDecrypt, SecretCipher
from functions.audit import triggers as audit_triggers
from functions.billing import triggers as billing_triggers
from functions.billing.model import Plan, State
from functions.mail import triggers as mail_triggers
from functions.mail.model import EmailKind
from functions.mail.templates import email_for
from functions.platform.errors import (
    AddressNotConfirmed,
    AddressTaken,
    AlreadySubscribed,
    Conflict,
    LinkExpired,
    MailUnavailable,
    NotFound,
    TooManyAttempts,
    Unauthenticated,
    WrongPassword,
)
from functions.platform.languages import LANGUAGES
from functions.usage import triggers as usage_triggers
from functions.usage.model import UsageKind
from tests.simulation.account_person import FILM, GERMAN, PLAN, UNUSABLE, Inbox, Person
from tests.simulation.flow import Flow, FlowRun
from tests.simulation.host import SimulatedHost, functions_of
from tests.simulation.kernel import LEASE, Port
from tests.support.account_logins import FakeLoginHistoryStore, FakeLoginStore
from tests.support.account_sessions import FakeRateLimiter, FakeSessionStore, FakeUsedCodes
from tests.support.accounts import ELSEWHERE, PASSWORD
from tests.support.audit import MemoryAudit
from tests.support.billing import MONTHLY, ModelPayPal
from tests.support.billing_caches import MemoryCertificates, MemoryEntitlementCache
from tests.support.billing_payments import MemoryPayments
from tests.support.billing_store import MemorySubscriptions
from tests.support.catalogue import MemoryTitles, make_playback, make_title
from tests.support.usage import MemoryUsage, MemoryViewingDays

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from functions.accounts.model import Login
    from tests.simulation.kernel import Simulation
    from tests.simulation.wiring import Wiring
    from tests.support.account_world import CountingHasher

STORES = ("mysql", "redis", "queues", "paypal", "documents", "mail")
GAPS = (timedelta(seconds=1), timedelta(minutes=2), timedelta(minutes=40))
ACTIONS = (
    *("log in", "log in", "log out", "log out everywhere", "look", "confirm", "confirm", "reset", "reset"),
    *("change password", "change password", "add app", "add app", "remove app", "renew codes", "subscribe", "watch"),
    *("log out everywhere", "appoint", "revoke", "remove factors", "end sessions", "erase", "new key"),
    *("choose emails", "add profile", "add profile", "limit profile", "remove profile"),
)
CONFIRMED = 0.7
"""The share of people who confirm their address at once."""

OUTAGES = 0.3
"""The share of requests for a link after which a store goes away."""

RESET_SUBJECTS = {email_for(EmailKind.RESET, "", language).subject for language in LANGUAGES}
ORDINARY = (
    AddressNotConfirmed,
    AddressTaken,
    AlreadySubscribed,
    Conflict,
    LinkExpired,
    NotFound,
    TooManyAttempts,
    Unauthenticated,
    WrongPassword,
)
"""Errors that a person may get in response to a request."""


class AccountRun(FlowRun):
    """One run: the history of one person that the seed determines, and the invariants."""

    def __init__(self, simulation: Simulation, flow: AccountFlow) -> None:
        self.simulation = simulation
        simulation.stores = STORES
        clock: Any = simulation.clock
        self.logins, self.history = FakeLoginStore(), FakeLoginHistoryStore()
        self.factors, self.profiles = self.logins.factors, self.logins.profiles
        self.used_codes = FakeUsedCodes(clock)
        self.sessions, self.audit = FakeSessionStore(clock), MemoryAudit(clock)
        self.store, self.payments = MemorySubscriptions(), MemoryPayments()
        self.paypal = ModelPayPal(self._tick)
        self.usage, self.inbox = MemoryUsage(), Inbox(clock, self.logins.valid_until)
        self.hasher = flow.hasher
        titles = MemoryTitles()
        titles.add(make_title(FILM, playback=make_playback(complete=True)))
        self.host = SimulatedHost(
            simulation,
            functions_of(accounts_triggers, audit_triggers, billing_triggers, mail_triggers, usage_triggers),
            elsewhere=frozenset({"update-graph"}),
        )

        def port(store: str, name: str, target: object, **away: Callable[[], Any]) -> Any:
            return Port(simulation, store, name, target, away)

        def no_mail() -> None:
            raise MailUnavailable("The mail server does not answer (simulated).")

        self.wiring, self.keys = flow.wiring, ["c" * 32]
        flow.wiring.connect(
            self.host,
            {
                "logins": port("mysql", "logins", self.logins),
                "login_history": port("mysql", "login_history", self.history),
                "audit": port("mysql", "audit", self.audit),
                "sessions": port("redis", "sessions", self.sessions),
                "limiter": port("redis", "limiter", FakeRateLimiter(clock)),
                "factors": port("mysql", "factors", self.factors),
                "profiles": port("mysql", "profiles", self.profiles),
                "used_codes": port("redis", "used_codes", self.used_codes),
                "hasher": self.hasher,
                "subscriptions": port("mysql", "subscriptions", self.store),
                "payments": port("mysql", "payments", self.payments),
                "entitlement_cache": port("redis", "entitlement_cache", MemoryEntitlementCache()),
                "certificates": port("redis", "certificates", MemoryCertificates()),
                "paypal": port("paypal", "paypal", self.paypal),
                "usage": port("documents", "usage", self.usage),
                "viewing_days": port("documents", "viewing_days", MemoryViewingDays()),
                "titles": port("documents", "titles", titles),
                "mail": port("mail", "mail", self.inbox, deliver=no_mail),
            },
        )
        self.paypal.plans[PLAN] = MONTHLY
        self.store.store_plan(Plan(PLAN, "PROD", MONTHLY, simulation.now))
        self.person = Person(self.inbox, self.paypal, simulation.clock)
        self._plan_history()

    def _tick(self) -> datetime:
        self.simulation.now += timedelta(seconds=1)
        return self.simulation.now

    def _plan_history(self) -> None:
        rng, at, person = self.simulation.rng, self.simulation.now, self.person
        self._plan("register", lambda: person.register(f"{PASSWORD} 0"), at)
        if rng.random() < CONFIRMED:
            at += timedelta(minutes=1)
            self._plan("confirm", person.confirm, at)
        self.planned = [rng.choice(ACTIONS) for _ in range(rng.randrange(2, 9))]
        for number, action in enumerate(self.planned):
            at += rng.choice(GAPS)
            self._plan(f"{action}#{number}", self._request(action, number), at)
            if action == "reset":
                later = at + timedelta(minutes=3)
                chosen = partial(person.reset_password, f"set password#{number}", f"{PASSWORD} {number + 1}")
                self._plan(f"set password#{number}", chosen, later)
        if rng.random() < 0.6:
            self.planned.append("delete_account")
            self._plan("delete_account", person.delete, at + rng.choice(GAPS))

    def _request(self, action: str, number: int) -> Callable[[], object]:
        person, name, password = self.person, f"{action}#{number}", f"{PASSWORD} {number + 1}"
        requests: dict[str, Callable[[], object]] = {
            "log in": person.log_in,
            "log out": person.log_out,
            "log out everywhere": person.log_out_everywhere,
            "look": person.look,
            "confirm": person.confirm,
            "reset": self._request_reset,
            "change password": partial(person.change_password, name, password),
            "add app": person.add_app,
            "remove app": person.remove_app,
            "renew codes": person.renew_codes,
            "choose emails": person.choose_emails,
            "add profile": partial(person.add_profile, name),
            "limit profile": person.limit_profile,
            "remove profile": person.remove_profile,
            "subscribe": person.subscribe,
            "watch": person.watch,
            "appoint": partial(person.appoint, name),
            "revoke": person.revoke,
            "remove factors": person.remove_factors,
            "new key": self._renew_key,
            "end sessions": partial(self._act, "end_sessions"),
            "erase": partial(self._act, "erase_person"),
        }
        return requests[action]

    def _request_reset(self) -> None:
        """Request a link; in some runs, a store goes away before it can be mailed."""
        self.person.request_reset(self._exists)
        if self.simulation.rng.random() < OUTAGES:
            self.simulation.lose(self.simulation.rng.choice(("mysql", "redis", "mail")), timedelta(minutes=10))

    def _act(self, name: str) -> None:
        """Do something as the owner, unless the account is already deleted, so that the Studio does not show it."""
        if self._exists():
            self.person.act(name)

    def _renew_key(self) -> None:
        """Encrypt second factors with a new key from now on; the old one remains until all are encrypted again."""
        self.keys = [f"{len(self.keys)}" * 32, *self.keys]
        self.wiring.configure(second_factor_keys=",".join(self.keys))

    def _plan(self, name: str, work: Callable[[], object], at: datetime) -> None:
        def ask() -> None:
            try:
                work()
            except ORDINARY as error:
                self.simulation.note(f"{name} was answered {type(error).__name__}")

        self.host.request(name, ask, at=at)

    def _exists(self) -> bool:
        return self.person.viewer is not None and self.person.viewer.user_id in self.logins.logins

    # What must be true in the end

    def broken(self) -> Iterator[str]:
        """Yield a sentence for each invariant that does not hold."""
        viewer = self.person.viewer
        if viewer is None:
            return
        login = self.logins.logins.get(viewer.user_id)
        yield from self._broken_audit(viewer.user_id, deleted=login is None)
        if login is None:
            yield from self._broken_deletion(viewer.user_id)
            return
        if login.user_id in self.person.deleted:  # not one that the owner opened for the same address afterwards
            yield "the account was deleted, but exists"
        if self.person.confirmed and login.confirmed_at is None:
            yield "the address was confirmed, but is not"
        if self.person.chosen and self.logins.get_email_choices(login.user_id).payments:
            yield "the person has chosen to get no emails about payments, but gets them"
        if self.person.chosen and self.logins.get_language(login.user_id) != GERMAN:
            yield "the person has chosen a language for emails, but it is not stored"
        yield from self._broken_password(login)
        yield from self._broken_sessions()
        yield from self._broken_profiles(login.user_id)
        yield from self._broken_resets()
        yield from self._broken_links()
        yield from self._broken_factors(login.user_id)

    def _broken_factors(self, user_id: str) -> Iterator[str]:
        factors = self.factors.list_factors(user_id)
        protected = self.person.protected and not {"remove app", "remove factors"} & set(self.planned)
        if protected and not (factors and self.factors.codes[user_id]):
            yield "an authenticator app was added, but the account has none, or no recovery codes"
        newest = SecretCipher(self.keys[0])
        for each in factors:
            try:
                newest.decrypt(each.secret, user_id)
            except CannotDecrypt:
                yield "a second factor is still encrypted with an old key"

    def _broken_password(self, login: Login) -> Iterator[str]:
        """Only a password that may have been set last is valid, and the account opens with it."""
        possible = self.person.possible_passwords()
        valid = [
            change.password
            for change in self.person.changes.values()
            if change.password != UNUSABLE and self.hasher.verify(login.password_hash, change.password)
        ]
        if not valid and UNUSABLE not in possible:
            yield f"none of the passwords {possible} is valid"
        if valid and valid[0] not in possible:
            yield f"the password {valid[0]} is valid, but a later change to one of {possible} was acknowledged"
        if valid:
            try:
                bootstrap.accounts().log_in(self.person.email, valid[0], ELSEWHERE)
            except SecondFactorNeeded:
                return

    def _broken_sessions(self) -> Iterator[str]:
        viewer, ended_at = self.person.viewer, max(self.person.log_outs, default=None)
        for token, session in self.sessions.live.items():
            if token in self.person.ended:
                yield "a session was ended, but exists"
            if ended_at and session.created_at < ended_at:
                yield f"all sessions were ended at {ended_at}, but one of {session.created_at} exists"
            if token not in self.person.tokens:
                continue  # the login was interrupted, so nobody has the token
            if self.person.confirmed and not session.viewer.confirmed:
                yield "the address was confirmed, but a session says that it is not"
            if viewer and session.viewer.admin != (
                self.logins.logins[viewer.user_id].admin and not session.viewer.profile_id
            ):
                yield "a session has rights that the account does not have"

    def _broken_profiles(self, user_id: str) -> Iterator[str]:
        """A deleted profile leaves nothing, and a limit holds in every session that uses its profile."""
        profiles = {each.profile_id: each for each in self.profiles.list_profiles(user_id)}
        for profile_id in self.person.removed_profiles - profiles.keys():
            if self.usage.marks(profile_id, UsageKind.LISTED):
                yield "a profile was deleted, but its list is stored"
        if self.person.removed_profiles & profiles.keys():
            yield "a profile was deleted, but exists"
        for session in self.sessions.live.values():
            profile = profiles.get(session.viewer.profile_id)
            if session.viewer.profile_id and profile is None:
                yield "a profile was deleted, but a session uses it"
            elif profile and session.viewer.age_limit != profile.age_limit:
                yield "a session has another limit than its profile"

    def _broken_resets(self) -> Iterator[str]:
        """The limit of all emails cannot be reached by one person, so no link may be missing."""
        mailed = [each.at for each in self.inbox.received if each.email.subject in RESET_SUBJECTS]
        if len(mailed) < len(self.person.resets):
            yield f"{len(self.person.resets)} resets were accepted, but {len(mailed)} were mailed"
        for began in self.person.resets:
            if not any(at >= began for at in mailed):
                yield f"the reset that was requested at {began} was accepted, but not mailed"

    def _broken_links(self) -> Iterator[str]:
        """The life of a link begins when its email is sent; its process may be suspended just then."""
        least = LIFETIME - LEASE * 1.1 - timedelta(minutes=1)
        for each in self.inbox.received:
            if each.until and each.until - each.at < least:
                yield f"a link that was mailed at {each.at} is valid until {each.until}"

    def _broken_audit(self, user_id: str, *, deleted: bool) -> Iterator[str]:
        entries = self.audit.list_entries(None, limit=100)
        for name, began in self.person.actions:
            if not any((entry.action, entry.at >= began) == (name, True) for entry in entries):
                yield f"the owner's {name} at {began} is not in the audit log"
        if deleted and any(entry.subject == user_id for entry in entries):
            yield "the account was deleted, but the audit log names it"

    def _broken_deletion(self, user_id: str) -> Iterator[str]:
        if not {"delete_account", "erase"} & set(self.planned):
            yield "the account was registered, but does not exist"
        if any(session.viewer.user_id == user_id for session in self.sessions.live.values()):
            yield "the account was deleted, but has a session"
        if self.factors.list_factors(user_id) or self.factors.codes.get(user_id) or self.used_codes.remembered:
            yield "the account was deleted, but has second factors, recovery codes or used codes"
        if user_id in self.logins.choices or any(of == user_id for of, *_ in self.logins.links.values()):
            yield "the account was deleted, but has links or chosen emails"
        if any(entry.user_id == user_id for entry in self.history.entries.values()):
            yield "the account was deleted, but has a login history"
        if self.usage.view(user_id, FILM) or any(self.usage.marks(user_id, kind) for kind in UsageKind):
            yield "the account was deleted, but its usage is stored"
        if self.profiles.list_profiles(user_id):
            yield "the account was deleted, but has profiles"
        profiles = [each for each, account in self.person.profiles.items() if account == user_id]
        if any(self.usage.marks(each, UsageKind.LISTED) for each in profiles):
            yield "the account was deleted, but the list of one of its profiles is stored"
        if self.store.list_of_user(user_id) or self.payments.page_payments(user_id, None, limit=9):
            yield "the account was deleted, but its subscriptions or payments name it"
        # The owner can open another account for the same address afterwards
        kept = {each.subscription_id for other in self.logins.logins for each in self.store.list_of_user(other)}
        for subscription_id, record in self.paypal.records.items():
            if record.remote.state in (State.ACTIVE, State.SUSPENDED) and subscription_id not in kept:
                yield f"the account was deleted, but {subscription_id} is {record.remote.state}"
        if "forgotten" not in " ".join(self.host.dropped):
            yield "the account was deleted, but the graph was not told"


@dataclass
class AccountFlow(Flow):
    """The flow; all runs share a hasher, which keeps no state that matters to them."""

    wiring: Wiring
    hasher: CountingHasher
    name: str = "register to forgotten"

    def begin(self, simulation: Simulation) -> FlowRun:
        """Return a run of this flow in a simulation."""
        self.wiring.seed(simulation.seed)
        return AccountRun(simulation, self)
