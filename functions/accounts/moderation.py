"""What an owner can do with another person's account: end its sessions, and delete it with its data."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from functions.platform.errors import Conflict, NotFound, StoreUnavailable
from functions.platform.messages import ForgetViewer

if TYPE_CHECKING:
    from functions.accounts.account_mail import AccountMail
    from functions.accounts.model import Login
    from functions.accounts.ports import LoginStore, MessageSender, SessionStore

log = logging.getLogger(__name__)

FORGET_AFTER_S = 5
"""Delay of the message, so that the account is deleted first; a message that is handled too early is retried."""

FORGET_AGAIN_S = 3600
"""Delay of the last message. It is longer than any function may run (`functionTimeout` in host.json), so a function
that began before the deletion can no longer write data of the account."""


class Moderation:
    """Deletes accounts and ends sessions; every method raises StoreUnavailable."""

    def __init__(self, logins: LoginStore, sessions: SessionStore, mail: AccountMail, queues: MessageSender) -> None:
        self._logins = logins
        self._sessions = sessions
        self._mail = mail
        self._queues = queues

    def end_sessions(self, user_id: str, *, by: str) -> None:
        """Log an account out on all devices; idempotent. `by` is the id under which the caller is recorded.

        Raises NotFound if there is no such account.
        """
        self._existing(user_id)
        self._sessions.end_sessions_of(user_id)
        log.warning("All sessions of %s were ended by %s.", user_id, by)

    def erase(self, user_id: str, *, by: str) -> None:
        """Delete an account and its data, and tell the person by email.

        Raises NotFound if there is no such account, and Conflict for an administrator, whose rights must be revoked
        first.
        """
        login = self._existing(user_id)
        if login.admin:
            raise Conflict("This account belongs to an administrator. Revoke the administrator's rights first.")
        language = self._mail.language_of(login)
        self.delete(login)
        self._mail.notify("account_erased", login, by_owner=True, language=language)
        log.warning("The account %s was deleted by %s.", user_id, by)

    def delete(self, login: Login) -> None:
        """Delete an account, and request the deletion of its data in every slice.

        Raises StoreUnavailable only if the account was not deleted. What fails after that is completed by the messages
        that were sent before, because nobody could repeat the call: there is no account to name any more.
        """
        # enqueued first but handled only after the account is deleted, so that no data can be left behind
        for delay_s in (FORGET_AFTER_S, FORGET_AGAIN_S):
            self._queues.send(ForgetViewer(login.user_id), delay_s=delay_s)
        self._logins.delete_login(login.user_id)
        try:
            self._sessions.end_sessions_of(login.user_id)
        except StoreUnavailable as error:
            log.error("The sessions of the deleted account %s are ended later: %s", login.user_id, error.detail)
        try:
            # enqueued again, because the first message is dropped if it used up its attempts before the deletion
            self._queues.send(ForgetViewer(login.user_id))
        except StoreUnavailable as error:
            log.error("The data of the deleted account %s is deleted later: %s", login.user_id, error.detail)

    def _existing(self, user_id: str) -> Login:
        login = self._logins.get_login(user_id)
        if login is None:
            raise NotFound(f"There is no account with the id {user_id}.")
        return login
