"""The emails about accounts: which ones are sent, and how many.

All emails together are limited per hour, because strangers can cause them: by registering addresses and by requesting
links. A fifth of the limit is reserved for people who have proved who they are, so that strangers cannot use it up.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from functions.accounts.addresses import tagged_inbox_of
from functions.accounts.model import LinkPurpose
from functions.accounts.rate_limits import (
    NOTICES_OF_ADDRESS,
    UNCONFIRMED_TAGS_OF_INBOX,
    RateLimit,
    RateLimitBucket,
    Refusal,
    require,
)
from functions.platform.errors import StoreUnavailable, TooManyAttempts
from functions.platform.messages import SendMail

if TYPE_CHECKING:
    from collections.abc import Callable

    from functions.accounts.links import MailedLinks
    from functions.accounts.model import Login
    from functions.accounts.ports import MessageSender, RateLimiter

log = logging.getLogger(__name__)

OPEN_SHARE = 0.8
"""The share of the hourly limit for emails that a stranger may have caused."""

WINDOW_S = 3600
MANY = "Many emails are being sent right now."


class AccountMail:
    """Requests emails; `per_hour` is the limit of all emails, `pseudonym` replaces an address in logs and limits.

    `language_of` returns the language that an account has chosen; it raises StoreUnavailable.

    `proved` is true if the person who caused the email has proved that the account is theirs.
    """

    def __init__(
        self,
        queues: MessageSender,
        limiter: RateLimiter,
        links: MailedLinks,
        language_of: Callable[[str], str],
        pseudonym: Callable[[str], str],
        per_hour: int,
    ) -> None:
        self._queues = queues
        self._limiter = limiter
        self._links = links
        self._language_of = language_of
        self._pseudonym = pseudonym
        self._all = RateLimit(per_hour, WINDOW_S)
        self._open = RateLimit(max(1, int(per_hour * OPEN_SHARE)), WINDOW_S)

    def require_capacity(self, *, proved: bool) -> None:
        """Check that an email can be sent now, without counting it. Raises TooManyAttempts."""
        require(self._limiter, self._buckets(proved=proved, only_checked=True), MANY)

    def language_of(self, login: Login) -> str:
        """Return the language of the account's emails. Raises StoreUnavailable."""
        return self._language_of(login.user_id)

    def send_confirmation(self, login: Login) -> None:
        """Mail a link that confirms the address. Raises TooManyAttempts, StoreUnavailable."""
        self._limit_tags(login)
        self._count(proved=False)
        link = self._links.make_link(login.user_id, LinkPurpose.CONFIRM)
        self._queues.send(SendMail("confirm", login.email, link, language=self.language_of(login)))

    def send_reset(self, login: Login, *, proved: bool) -> None:
        """Mail a link that sets a new password. Raises TooManyAttempts, StoreUnavailable."""
        self._limit_tags(login)
        self._count(proved=proved)
        link = self._links.make_link(login.user_id, LinkPurpose.RESET)
        self._queues.send(SendMail("reset", login.email, link, language=self.language_of(login)))

    def notify(
        self, kind: str, login: Login, link: str = "", *, by_owner: bool = False, language: str | None = None
    ) -> None:
        """Send an email about a completed change; the change does not fail if the email cannot be sent.

        A stranger may have registered an account whose address is unconfirmed. Its emails therefore use the share for
        strangers, unless the owner of the service made the change. An account's own changes cause a limited number of
        emails. `language` is the language of an account that is deleted already.
        """
        try:
            if not by_owner:
                self._limit_tags(login)
                bucket = RateLimitBucket(self._pseudonym(login.address), "notices", NOTICES_OF_ADDRESS)
                require(self._limiter, (bucket,), "Several emails were sent to this address in the last hour.")
            self._count(proved=by_owner or login.confirmed_at is not None)
            chosen = self.language_of(login) if language is None else language
            self._queues.send(SendMail(kind, login.email, link, language=chosen))
        except (StoreUnavailable, TooManyAttempts) as error:
            name = self._pseudonym(login.address)
            log.error("An email of kind %s to %s could not be sent: %s", kind, name, error.detail)

    def _count(self, *, proved: bool) -> None:
        outcome = self._limiter.reserve(self._buckets(proved=proved))
        if isinstance(outcome, Refusal):
            if outcome.first:
                log.error("The hourly limit of emails is reached; MAILS_PER_HOUR is %d.", self._all.attempts)
            raise outcome.error(MANY)

    def _buckets(self, *, proved: bool, only_checked: bool = False) -> tuple[RateLimitBucket, ...]:
        limits = (("all", self._all),) if proved else (("open", self._open), ("all", self._all))
        return tuple(RateLimitBucket("mail", name, limit, only_checked) for name, limit in limits)

    def _limit_tags(self, login: Login) -> None:
        """Count an email to an unconfirmed address with a `+tag`. Raises TooManyAttempts.

        Anybody can register such addresses for a stranger's inbox. Emails to the inbox's other addresses are not
        counted, so that the limit cannot be used against the inbox's owner.
        """
        inbox = tagged_inbox_of(login.address)
        if inbox and login.confirmed_at is None:
            bucket = RateLimitBucket(self._pseudonym(inbox), "tags", UNCONFIRMED_TAGS_OF_INBOX)
            require(self._limiter, (bucket,), "Several emails were sent to this inbox in the last hour.")
