"""The limit on what encoding may cost in a month: the one that an owner has set, otherwise the one in the settings.

It is read whenever it is needed, so a change takes effect at once in all processes.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from functions.encoding.ports import LimitStore

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class LimitInEffect:
    """The monthly limit in whole US dollars, 0 for none; the one in the settings; and whether an owner has set it."""

    usd: int
    default_usd: int
    is_set: bool


class EncodeLimit:
    """The limit, and its changes by owners; every method raises StoreUnavailable."""

    def __init__(self, store: LimitStore, *, default_usd: int) -> None:
        self._store = store
        self._default_usd = max(0, default_usd)

    def in_effect(self) -> LimitInEffect:
        """Return the limit that is in effect."""
        usd = self._store.find_limit_usd()
        return LimitInEffect(self._default_usd if usd is None else usd, self._default_usd, is_set=usd is not None)

    def usd(self) -> int:
        """Return the limit that is in effect, 0 for none."""
        return self.in_effect().usd

    def change(self, usd: int | None, *, by: str) -> LimitInEffect:
        """Set the limit (0 for none; None restores the one in the settings); return the limit in effect."""
        before = self.in_effect()
        self._store.store_limit_usd(usd)
        after = self.in_effect()
        if after != before:
            log.warning(
                "The monthly limit on encoding: %s instead of %s, changed by %s.", _text(after), _text(before), by
            )
        return after


def _text(limit: LimitInEffect) -> str:
    amount = f"${limit.usd}" if limit.usd else "none"
    return amount if limit.is_set else f"{amount} (the settings)"
