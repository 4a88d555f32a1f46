"""The JSON of health."""

from __future__ import annotations

from msgspec import Struct


class StoreHealth(Struct, frozen=True):
    """Whether a store answers, or why not."""

    up: bool
    reason: str | None


class HealthReport(Struct, frozen=True):
    """The state of each store; `status` is up if all stores are."""

    status: str
    stores: dict[str, StoreHealth]
