"""How the parts of accounts fit together, given the stores and senders that the composition root has made."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from functions.accounts.authentication import Gate
from functions.accounts.links import Links
from functions.accounts.login_history import Journal
from functions.accounts.passwords import Passwords
from functions.accounts.redis_rate_limiter import RedisLimiter
from functions.accounts.service import Accounts, Outside, Parts
from functions.accounts.sessions import RedisSessions

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from redis import Redis

    from functions.accounts.model import LoginHistory, Logins
    from functions.platform.queues import Queues
    from functions.platform.settings import Settings
    from functions.platform.signed_tokens import SignedTokens

FORGET_AFTER_S = 5
"""The account is deleted in between; a message that is read before that is done comes back."""


@dataclass(frozen=True, slots=True)
class Stores:
    """Where accounts lie."""

    logins: Logins
    history: LoginHistory
    redis: Redis


@dataclass(frozen=True, slots=True)
class Assembly:
    """The accounts and the history of logins, which share their parts."""

    accounts: Accounts
    journal: Journal


def assemble(
    settings: Settings, stores: Stores, queues: Queues, tickets: SignedTokens, now: Callable[[], datetime]
) -> Assembly:
    """Return the accounts; nothing is connected to before it is used."""
    logins, hasher, limiter = stores.logins, Passwords(), RedisLimiter(stores.redis)
    idle, lifetime = timedelta(hours=settings.session_idle_hours), timedelta(days=settings.session_days)
    journal = Journal(
        lambda message: queues.send_json("record-login", message),
        stores.history,
        lambda user_id: logins.get(user_id) is not None,
        now,
    )
    parts = Parts(
        logins=logins,
        sessions=RedisSessions(stores.redis, idle=idle, lifetime=lifetime),
        hasher=hasher,
        gate=Gate(logins, hasher, limiter, journal, tickets.pseudonym),
        limiter=limiter,
        links=Links(logins, settings.site_origin, now),
        journal=journal,
    )
    outside = Outside(
        send_letter=lambda kind, to, link: queues.send_json("send-mail", {"kind": kind, "to": to, "link": link}),
        start_reset=lambda email: queues.send_json("start-reset", {"email": email}),
        forget=lambda user_id: queues.send_json("forget-viewer", {"user_id": user_id}, delay_s=FORGET_AFTER_S),
        pseudonym=tickets.pseudonym,
        now=now,
    )
    return Assembly(Accounts(parts, outside), journal)
