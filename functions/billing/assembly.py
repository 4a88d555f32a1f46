"""How the parts of billing fit together, given the stores and senders that the composition root has made."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from functions.billing.certificates import Certificates
from functions.billing.owner import Office
from functions.billing.paypal import PayPal
from functions.billing.reconciliation import Inbox, Settlements
from functions.billing.service import Shop
from functions.billing.webhooks import Webhooks

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from functions.billing.repository import MySqlPayments, MySqlSubscriptions
    from functions.platform.settings import Settings


@dataclass(frozen=True, slots=True)
class Outside:
    """The rest of the application, as billing asks it."""

    site_origin: str
    now: Callable[[], datetime]
    send: Callable[[str, dict[str, object]], None]
    forget_access: Callable[[str], None]
    user_of: Callable[[str], str]

    def ask_to_settle(self, subject: str, cause: str) -> None:
        """Have a subject settled soon, not here."""
        self.send("settle-subscription", {"subscription_id": subject, "cause": cause})

    def access_changed(self, user_id: str) -> None:
        """Drop what is remembered of whether someone is let in."""
        self.forget_access(user_id)

    def find_user(self, email: str) -> str:
        """Return the account of an address; raise NotFound."""
        return self.user_of(email)


@dataclass(frozen=True, slots=True)
class Billing:
    """The counter, the room behind it, the letter box, and the one who asks PayPal."""

    shop: Shop
    office: Office
    settlements: Settlements
    inbox: Inbox


@dataclass(frozen=True, slots=True)
class Stores:
    """Where billing lies."""

    subscriptions: MySqlSubscriptions
    payments: MySqlPayments


def assemble(settings: Settings, stores: Stores, outside: Outside) -> Billing:
    """Return billing; nothing is connected to before it is used."""
    paypal = PayPal(settings.paypal_url, settings.paypal_client_id, settings.paypal_client_secret)
    certificates = Certificates(settings.paypal_url, settings.paypal_ca, outside.now)
    settlements = Settlements(stores.subscriptions, stores.payments, paypal, outside)
    return Billing(
        shop=Shop(stores.subscriptions, stores.payments, paypal, settlements, outside),
        office=Office(stores.subscriptions, paypal, outside),
        settlements=settlements,
        inbox=Inbox(Webhooks(settings.paypal_webhook_id, certificates), stores.subscriptions, outside),
    )
