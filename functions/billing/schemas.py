"""The JSON of billing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from functions.platform.field_types import Time

if TYPE_CHECKING:
    from functions.billing import model


class Entitlement(Struct, frozen=True):
    """Whether a viewer may play films, why, and until when; `until` is null if it does not end."""

    entitled: bool
    reason: str | None
    until: Time | None

    @classmethod
    def of(cls, entitlement: model.Entitlement) -> Entitlement:
        """Return the JSON of an entitlement."""
        return cls(entitlement.entitled, entitlement.reason, entitlement.until)
