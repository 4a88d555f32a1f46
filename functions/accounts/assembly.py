"""How the parts of accounts fit together."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from functions.accounts.access import AccountAccess
from functions.accounts.admin_auth import AdminAuth
from functions.accounts.authentication import Authentication
from functions.accounts.known_devices import KnownDevices
from functions.accounts.links import MailedLinks
from functions.accounts.login_history import LoginHistoryService
from functions.accounts.passwords import Argon2Hasher
from functions.accounts.redis_rate_limiter import RedisRateLimiter
from functions.accounts.repository import MySqlLoginHistoryStore, MySqlLoginStore
from functions.accounts.service import AccountDependencies, AccountParts, AccountService
from functions.accounts.sessions import RedisSessionStore

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from functions.platform.resources import Resources


def assemble_access(resources: Resources, accounts: Callable[[], AccountService]) -> AccountAccess:
    """Return the authentication of callers, which verifies the operator's key without any store."""
    key = resources.settings().operator_key
    return AccountAccess(
        lambda token: accounts().session(token), AdminAuth(key, lambda token: accounts().administrator(token))
    )


def assemble(resources: Resources, forgetters: Callable[[], Iterable[Callable[[str], None]]]) -> AccountService:
    """Return the account service; each connection is opened at its first use.

    `forgetters` returns the functions with which other slices delete all data of a viewer.
    """
    settings, redis, queues = resources.settings(), resources.redis(), resources.interactive_queues()
    logins = MySqlLoginStore(resources.mysql(settings.logins_db_url))
    hasher, limiter = Argon2Hasher(), RedisRateLimiter(redis)
    pseudonym = resources.signed_tokens().pseudonym
    history = LoginHistoryService(
        queues,
        MySqlLoginHistoryStore(resources.mysql(settings.login_history_db_url)),
        lambda user_id: logins.get_login(user_id) is not None,
        resources.now,
    )
    idle, lifetime = timedelta(hours=settings.session_idle_hours), timedelta(days=settings.session_days)
    parts = AccountParts(
        logins=logins,
        sessions=RedisSessionStore(redis, idle=idle, lifetime=lifetime),
        hasher=hasher,
        authentication=Authentication(logins, hasher, limiter, history, pseudonym),
        limiter=limiter,
        links=MailedLinks(logins, settings.site_origin, resources.now),
        devices=KnownDevices(resources.signed_tokens(), resources.now),
        history=history,
    )
    dependencies = AccountDependencies(queues, forgetters, pseudonym, resources.now)
    return AccountService(parts, dependencies)
