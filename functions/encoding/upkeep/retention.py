"""How long the files of a job are kept after it has ended; see `sweep`."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

REPLACED_KEPT = timedelta(hours=24)
"""How long files are kept after a newer version of the title became ready: somebody may still be watching them."""

MANIFESTS_KEPT = timedelta(hours=1)
"""How long the growing manifests of a failed job are kept; a player that polls them would never stop."""

FAILED_KEPT = timedelta(days=7)
"""How long the finished parts of a failed job are kept, so that a retry continues with them."""

SWEEP_RULES = 2
"""The version of the rules; titles that were swept by earlier rules are swept once more."""

MOMENT = timedelta(milliseconds=1)
"""The shortest time that a store can tell apart."""


def sweep_time(due: datetime | None, at: datetime) -> datetime:
    """Return when a job is swept that is `due` already, or not at all, and that must be swept at a time `at`.

    The time is never `due`: that is how a sweep which is running knows that it must not set a later one.
    """
    return at if due is None or due > at else due - MOMENT
