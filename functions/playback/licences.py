"""The licence of a download: until when a device may play the title without asking again.

A download contains all that is needed to play it, so only the player enforces a licence
(docs/decisions/0050-downloads-are-segments-under-their-own-addresses.md).
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from functions.billing.model import Entitlement

GRACE = timedelta(days=2)
"""How long a download outlives its entitlement, so that a viewer who is offline while a payment is made can watch."""

LONGEST = timedelta(days=30)
"""The longest licence: a device that stays offline for longer learns too late that access has ended."""


def licence_until(entitlement: Entitlement, now: datetime) -> datetime:
    """Return the end of a licence that is issued now to an entitled viewer."""
    longest = now + LONGEST
    return longest if entitlement.until is None else min(entitlement.until + GRACE, longest)
