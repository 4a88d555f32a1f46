"""Which emails an account receives, and in which language: some are optional, all others are always sent.

Emails about security, failed payments and the end of an account are not optional, because a person may have to act on
them, and because the law requires some of them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from functions.platform.viewer import Recipient

if TYPE_CHECKING:
    from functions.accounts.model import EmailChoices
    from functions.accounts.ports import LoginStore
    from functions.platform.viewer import Viewer

PAYMENT_RECEIVED = "payment_received"
"""The kind of the email that confirms a payment; its receipt is also on the account page."""


class EmailChoiceService:
    """The choices of accounts. Every method raises StoreUnavailable."""

    def __init__(self, logins: LoginStore) -> None:
        self._logins = logins

    def choices_of(self, viewer: Viewer) -> EmailChoices:
        """Return the choices of a viewer."""
        return self._logins.get_email_choices(viewer.user_id)

    def choose(self, viewer: Viewer, choices: EmailChoices) -> EmailChoices:
        """Store the choices of a viewer, and return them. Raises AgeLimited."""
        viewer.require_no_age_limit()
        self._logins.set_email_choices(viewer.user_id, choices)
        return choices

    def choose_language(self, viewer: Viewer, language: str) -> None:
        """Write the emails of a viewer in a language from now on. Raises AgeLimited."""
        viewer.require_no_age_limit()
        self.use_language(viewer.user_id, language)

    def use_language(self, user_id: str, language: str) -> None:
        """Write the emails of an account in a language from now on; "" changes nothing."""
        if language:
            self._logins.set_language(user_id, language)

    def recipient(self, viewer: Viewer) -> Recipient:
        """Return where the emails of a viewer go."""
        return Recipient(viewer.email, self._logins.get_language(viewer.user_id))

    def administrators(self) -> list[Recipient]:
        """Return where emails to all administrators go."""
        return [self.recipient(each) for each in self._logins.list_administrators()]

    def recipient_for(self, user_id: str, kind: str) -> Recipient | None:
        """Return where an email of a kind goes; None if the account is gone or does not want such emails."""
        if kind == PAYMENT_RECEIVED and not self._logins.get_email_choices(user_id).payments:
            return None
        email = self._logins.emails_of([user_id]).get(user_id)
        return Recipient(email, self._logins.get_language(user_id)) if email else None
