"""The JSON of health."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct


class StoreHealth(Struct, frozen=True):
    """Whether a store answers; if not, why."""

    up: bool
    reason: Annotated[str | None, Meta(description="Why the store is down; null while it is up.")]
    optional: Annotated[bool, Meta(description="Whether the service works without this store, with fewer features.")]


class HealthReport(Struct, frozen=True):
    """The state of each store; `status` is `down` only if a required store is down."""

    status: str
    stores: dict[str, StoreHealth]
