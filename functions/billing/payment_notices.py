"""Emails about payments: each payment that was taken is confirmed once, and each failed one is reported once.

An email is claimed before it is enqueued, in one step, so concurrent reconciliations do not send it twice. If it cannot
be enqueued, the claim is given up and the next attempt sends it. If the process is killed in between, the daily
reconciliation finds a stale claim and sends the email, with the same id: at worst for the second time.
"""

from __future__ import annotations

import hashlib
import uuid
from datetime import timedelta
from typing import TYPE_CHECKING

from functions.billing.model import PaymentState, State
from functions.platform.errors import NotflixError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from functions.billing.model import Charge, RemoteSubscription
    from functions.billing.ports import BillingDependencies, PaymentStore

RECEIVED, FAILED = "payment_received", "payment_failed"
CLAIMED_FOR = timedelta(minutes=10)
"""The age after which a claim is stale: the process that held it was killed."""
FRESH_FOR = timedelta(days=7)
"""Payments older than this cause no email, because an earlier version or PayPal itself may have reported them."""


class PaymentNotices:
    """Emails payers about their payments."""

    def __init__(self, payments: PaymentStore, dependencies: BillingDependencies) -> None:
        self._payments = payments
        self._dependencies = dependencies

    def tell(self, user_id: str, remote: RemoteSubscription, charges: Sequence[Charge]) -> None:
        """Send the emails that PayPal's answer about a subscription of an account requires. Raises StoreUnavailable."""
        for kind, subject in self._due(remote, charges):
            key = f"{kind}/{subject}"
            claim, now = uuid.uuid4().hex, self._dependencies.now()
            if not self._payments.claim_notice(key, claim, now=now, stale_before=now - CLAIMED_FOR):
                continue
            email_id = hashlib.sha256(f"{key} {user_id}".encode()).hexdigest()[:32]
            try:
                self._dependencies.mail(kind, user_id, email_id)
            except NotflixError:
                self._payments.release_notice(key, claim)
                raise
            self._payments.confirm_notice(key)

    def _due(self, remote: RemoteSubscription, charges: Sequence[Charge]) -> Iterator[tuple[str, str]]:
        """Yield the kind and the subject of each email: a payment, or a failure since the last payment."""
        since = self._dependencies.now() - FRESH_FOR
        for charge in charges:
            if charge.state is PaymentState.COMPLETED and charge.at >= since:
                yield RECEIVED, charge.payment_id
        paid_at = remote.last_payment.at if remote.last_payment else None
        declined = [charge.at for charge in charges if charge.state is PaymentState.DECLINED]
        has_failed = remote.failing or any(paid_at is None or at > paid_at for at in declined)
        is_failing = remote.failing and remote.state is State.ACTIVE
        # the owner can suspend a subscription at PayPal although no charge has failed
        if is_failing or (has_failed and remote.state is State.SUSPENDED and remote.state_since >= since):
            yield FAILED, f"{remote.subscription_id}/{paid_at:%Y%m%dT%H%M%S}" if paid_at else remote.subscription_id
