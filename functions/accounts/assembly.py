"""Creates the services of the accounts slice with their dependencies."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from functions.accounts.access import AccountAccess
from functions.accounts.account_mail import AccountMail
from functions.accounts.admin_auth import AdminAuth
from functions.accounts.authentication import Authentication
from functions.accounts.factor_repository import MySqlSecondFactorStore
from functions.accounts.factor_service import FactorService
from functions.accounts.key_test import KeyTest
from functions.accounts.known_devices import KnownDevices
from functions.accounts.links import MailedLinks
from functions.accounts.login_flow import LoginFlow
from functions.accounts.login_history import LoginHistoryService
from functions.accounts.passwords import Argon2Hasher
from functions.accounts.profile_repository import MySqlProfileStore
from functions.accounts.profile_service import ProfileService
from functions.accounts.redis_rate_limiter import RedisRateLimiter
from functions.accounts.repository import MySqlLoginHistoryStore, MySqlLoginStore
from functions.accounts.second_factors import FactorParts, SecondFactors
from functions.accounts.secret_cipher import SecretCipher
from functions.accounts.service import AccountDependencies, AccountParts, AccountService
from functions.accounts.sessions import RedisSessionStore
from functions.accounts.used_codes import RedisUsedCodes
from functions.platform.lazy import lazy

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from functions.accounts.ports import PasskeyCeremonies
    from functions.platform.resources import Resources


def assemble_access(resources: Resources, accounts: Callable[[], AccountService]) -> AccountAccess:
    """Return the authentication of callers, which verifies the operator's key without any store."""
    key = resources.settings().operator_key
    return AccountAccess(
        lambda token: accounts().session(token), AdminAuth(key, lambda token: accounts().administrator(token))
    )


def assemble_key_test(resources: Resources) -> KeyTest:
    """Return the test of the keys."""
    settings = resources.settings()
    return KeyTest(
        resources.signed_tokens(),
        SecretCipher(settings.second_factor_keys),
        MySqlSecondFactorStore(resources.mysql(settings.logins_db_url)),
        settings.operator_key,
        resources.now,
    )


def assemble(
    resources: Resources,
    forgetters: Callable[[], Iterable[Callable[[str], None]]],
    *,
    sessions_ended: Callable[[str, str], None],
) -> AccountService:
    """Return the account service; each connection is opened at its first use.

    `forgetters` returns the functions with which other slices delete all data of a viewer. `sessions_ended(user_id,
    session_id)` is called after a session has ended; `session_id` is empty if all sessions of the account have ended.
    """
    settings, redis, queues = resources.settings(), resources.redis(), resources.interactive_queues()
    database, tokens = resources.mysql(settings.logins_db_url), resources.signed_tokens()
    logins, limiter, hasher = MySqlLoginStore(database), RedisRateLimiter(redis), Argon2Hasher()
    history = LoginHistoryService(
        queues,
        MySqlLoginHistoryStore(resources.mysql(settings.login_history_db_url)),
        lambda user_id: logins.get_login(user_id) is not None,
        resources.now,
    )
    idle, lifetime = timedelta(hours=settings.session_idle_hours), timedelta(days=settings.session_days)
    sessions = RedisSessionStore(redis, idle=idle, lifetime=lifetime, ended=sessions_ended)
    authentication = Authentication(logins, hasher, limiter, history, tokens.pseudonym)
    devices, links = KnownDevices(tokens, resources.now), MailedLinks(logins, settings.site_origin, resources.now)
    mail = AccountMail(queues, limiter, links, logins.get_language, tokens.pseudonym, settings.mails_per_hour)

    @lazy
    def passkeys() -> PasskeyCeremonies:
        # imported at its first use, because few logins need it and it makes a cold start slower
        from functions.accounts.passkeys import Passkeys

        return Passkeys(settings.site_origin)

    factor_parts = FactorParts(
        logins=logins,
        factors=MySqlSecondFactorStore(database),
        used=RedisUsedCodes(redis),
        limiter=limiter,
        history=history,
        tokens=tokens,
        cipher=SecretCipher(settings.second_factor_keys),
        passkeys=passkeys,
        now=resources.now,
    )
    factors = SecondFactors(factor_parts)
    flow = LoginFlow(logins, sessions, authentication, devices, factors, history)
    parts = AccountParts(
        logins=logins,
        sessions=sessions,
        hasher=hasher,
        authentication=authentication,
        limiter=limiter,
        links=links,
        devices=devices,
        history=history,
        flow=flow,
        factors=FactorService(factor_parts, factors, authentication, flow, sessions, mail),
        profiles=ProfileService(
            MySqlProfileStore(database), logins, sessions, authentication, hasher, limiter, queues, resources.now
        ),
        mail=mail,
    )
    dependencies = AccountDependencies(queues, forgetters, tokens.pseudonym, resources.now)
    return AccountService(parts, dependencies)
